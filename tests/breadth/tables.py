"""The table: a line for each document, the reasons of what is not right, and the total."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.breadth.running import Report

_EXAMPLES = 3
_VARIABLE = re.compile(r"""'[^']*'|"[^"]*"|[A-Z]+ /\S*|(?<![a-z])/[^ ,:;]*|(?<![\d])\d{4,}""")
HEADING = f"{'document':44} {'operations':>10} {'right':>6} {'wrong':>6} {'refused':>8} {'by hand':>8} {'start s':>8}"


def row(report: Report) -> str:
    """Return the line of one document."""
    by_hand = sum(bool(found.get("by_hand")) for found in report.found.values())
    return (
        f"{report.path.name[:44]:44} {len(report.labels):10} {report.count('right'):6} {report.count('wrong'):6} "
        f"{report.count('refused'):8} {by_hand:8} {'-' if report.started is None else f'{report.started:.2f}':>8}"
    )


def reasons(reports: Iterable[Report]) -> list[str]:
    """Return why operations are not right, the most frequent reason first, each with some of them."""
    groups: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        if report.refused and not report.labels:
            groups[f"document refused: {report.refused}"].append(report.path.name)
        for found in report.found.values():
            if found["kind"] != "right":
                # The reason without what differs from one operation to the next.
                key = _VARIABLE.sub("_", found["why"])[:120]
                groups[f"{found['kind']}: {key}"].append(
                    f"{report.path.name}: {found['operation']}: {found['why'][:260]}"
                    + (f"\n        sent {found['sent'][:200]}" if found.get("sent") else "")
                )
    lines = []
    for key, places in sorted(groups.items(), key=lambda item: -len(item[1])):
        lines.append(f"{len(places):5} {key}")
        lines += [f"      {place}" for place in places[:_EXAMPLES]]
    return lines


def total(reports: list[Report]) -> tuple[str, float]:
    """Return the last line, and which part of all operations is right."""
    operations = sum(len(report.labels) for report in reports)
    right = sum(report.count("right") for report in reports)
    share = right / operations if operations else 0.0
    wrong, refused = (sum(report.count(kind) for report in reports) for kind in ("wrong", "refused"))
    by_hand = sum(bool(found.get("by_hand")) for report in reports for found in report.found.values())
    text = (
        f"{len(reports)} documents, {operations} operations: {right} right ({100 * share:.2f} %), "
        f"{wrong} wrong, {refused} refused; {by_hand} requests by hand"
    )
    return text, share


def write(path: Path, reports: list[Report]) -> None:
    """Write everything that was found as JSON."""
    content: list[dict[str, Any]] = [
        {
            "document": report.path.name,
            "started": report.started,
            "refused": report.refused,
            "operations": [report.found[label] for label in dict.fromkeys(report.labels)],
        }
        for report in reports
    ]
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
