"""Merged reports: one document and one verdict from the JSON reports of all shards of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mockserver.errors import UsageError
from mockserver.suite.reports.json_report import VERSION, Document, operations_tested, with_summary
from mockserver.suite.verdicts.graded_findings import LEVELS
from mockserver.suite.verdicts.tally import EVERYWHERE, NOTHING_CAME_UP, OTHER_SHARD, REASONS

_MEMBERS = ("run", "summary", "findings", "coverage", "ledger")
#: What the shards of one run have in common, and how a message calls it.
_COMMON = {
    "command": "commands",
    "contract_sha256": "contracts",
    "seed": "seeds",
    "operations_total": "numbers of operations",
}


def load_report(path: Path) -> Document:
    """Return the document in a JSON report file.

    Raises:
        UsageError: not readable, or no report of this version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: is not JSON: {error}; give reports that --report json=FILE has written") from error
    if not isinstance(document, dict) or any(member not in document for member in _MEMBERS):
        raise UsageError(f"{path}: is not a report of mockserver; give reports that --report json=FILE has written")
    if document.get("version") != VERSION:
        raise UsageError(f"{path}: is version {document.get('version')} of the report; this mockserver reads {VERSION}")
    return document


def merge(reports: Sequence[Document]) -> Document:
    """Return one report document for all shards of a run.

    A finding's times are summed, its smallest evidence stays; a check has passed where no shard's failed or was kept
    from being made. Missing shards are the merged run's `error`.

    Raises:
        UsageError: none, of different runs, or the same shard twice.
    """
    if not reports:
        raise UsageError("there is no report to merge")
    _require_one_run(reports)
    first, runs = reports[0], [report["run"] for report in reports]
    shards, missing = _shards(runs)
    findings = _findings(reports)
    coverage = _coverage(reports)
    reach = _reach(reports)
    errors = [*dict.fromkeys(run["error"] for run in runs if run.get("error")), *missing]
    merged = {
        **first,
        "run": {
            **first["run"],
            "shard": ",".join(shards) if missing else "",
            "started": min(run["started"] for run in runs),
            "duration_seconds": max(run["duration_seconds"] for run in runs),
            "requests": sum(run["requests"] for run in runs),
            "operations_tested": operations_tested(coverage, first["run"]["operations_total"]),
            "operations_succeeded": sum(not row["why"] for row in reach),
            "notes": list(dict.fromkeys(note for run in runs for note in run.get("notes", ()))),
            # Those that no shard used.
            "identities_unused": [
                one
                for one in first["run"].get("identities_unused", ())
                if all(one["identity"] in _idle(run) for run in runs)
            ],
            "interrupted": any(run.get("interrupted") for run in runs),
            "error": REASONS.join(errors),
        },
        "reach": reach,
        "findings": findings,
        "coverage": coverage,
        "ledger": _ledger(report["ledger"] for report in reports),
    }
    return with_summary(merged)


def _idle(run: dict[str, Any]) -> set[str]:
    return {one["identity"] for one in run.get("identities_unused", ())}


def _require_one_run(reports: Sequence[Document]) -> None:
    first = reports[0]["run"]
    for report in reports[1:]:
        run = report["run"]
        for member, name in _COMMON.items():
            if run.get(member) != first.get(member):
                raise UsageError(f"the reports are of different {name}: {first.get(member)} and {run.get(member)}")
        # A stub of a run's own listens wherever there was a free port.
        if run["target"] != first["target"] and not (run.get("own_stub") and first.get("own_stub")):
            raise UsageError(f"the reports are of different targets: {first['target']} and {run['target']}")


def _shards(runs: Sequence[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Return the shards that have a report, as `1/3`, and a line about missing ones or ""."""
    found = [shard for run in runs for shard in (run.get("shard") or "").split(",") if shard]
    if not found:
        return [], []
    if any(not run.get("shard") for run in runs):
        raise UsageError(f"one report is of a whole run, another of shard {found[0]}; merge only reports of shards")
    totals = {shard.partition("/")[2] for shard in found}
    if len(totals) > 1:
        raise UsageError(f"the reports are of runs with different numbers of shards: {' and '.join(sorted(totals))}")
    twice = next((shard for shard in found if found.count(shard) > 1), None)
    if twice is not None:
        raise UsageError(f"shard {twice} is given twice; give each report once")
    total = totals.pop()
    missing = [f"{number}/{total}" for number in range(1, int(total) + 1) if f"{number}/{total}" not in found]
    found.sort(key=lambda shard: int(shard.partition("/")[0]))
    return found, [f"the report of shard {', '.join(missing)} is missing"] if missing else []


def _findings(reports: Sequence[Document]) -> list[dict[str, Any]]:
    joined: dict[str, dict[str, Any]] = {}
    for report in reports:
        for finding in report["findings"]:
            known = joined.get(finding["id"])
            joined[finding["id"]] = finding if known is None else _joined(known, finding)
    return sorted(
        joined.values(),
        key=lambda item: (LEVELS.index(item["level"]), item["check"], item["operation"], item["pointer"]),
    )


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    # What is shown must show the gravest that was seen, and be the smallest of that: what our own stub excuses in one
    # shard says nothing of other requests in another one.
    best = min((one, other), key=lambda finding: (LEVELS.index(finding["level"]), _size(finding)))
    return {**best, "times": one["times"] + other["times"]}


def _size(finding: dict[str, Any]) -> int:
    return len(json.dumps([finding["request"], finding["response"], finding["reproduce"]]))


def _coverage(reports: Sequence[Document]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for report in reports:
        for item in report["coverage"]:
            groups.setdefault((item["check"], item["operation"]), []).append(item)
    # A check that did not apply in one shard may have been made in another one.
    made = {check for check, operation in groups if operation != EVERYWHERE}
    for check in made:
        groups.pop((check, EVERYWHERE), None)
    return [_combined(items) for _, items in sorted(groups.items())]


def _combined(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the result of a check on an operation over all shards."""
    cases = sum(item["cases"] for item in items)
    if any("seconds" in item for item in items):  # reports of older versions have none
        items = [{**items[0], "seconds": round(sum(item.get("seconds", 0) for item in items), 3)}, *items[1:]]
    # What one shard left to another says nothing about what the other one saw.
    silent = {OTHER_SHARD, NOTHING_CAME_UP, ""}
    reasons = dict.fromkeys(reason for item in items for reason in item["why"].split(REASONS) if reason not in silent)
    if any(item["result"] == "failed" for item in items):
        return {**items[0], "result": "failed", "why": "", "cases": cases}
    if reasons:
        result = "in part" if cases else "not run"
        return {**items[0], "result": result, "why": REASONS.join(reasons), "cases": cases}
    if cases:
        return {**items[0], "result": "passed", "why": "", "cases": cases}
    left = all(item["why"] == OTHER_SHARD for item in items)
    return {**items[0], "result": "not run", "why": OTHER_SHARD if left else NOTHING_CAME_UP, "cases": 0}


def _reach(reports: Sequence[Document]) -> list[dict[str, Any]]:
    """Return how far the requests for each operation got in any shard."""
    joined: dict[str, dict[str, Any]] = {}
    for row in (row for report in reports for row in report.get("reach", ())):
        known = joined.get(row["operation"])
        # A success first, then a response, which says more than that another shard has the operation.
        best = row if known is None else min((known, row), key=lambda one: (bool(one["why"]), not one["attempts"]))
        attempts = row["attempts"] + (known["attempts"] if known else 0)
        joined[row["operation"]] = {**best, "attempts": attempts}
    return list(joined.values())


def _ledger(ledgers: Iterable[dict[str, Any]]) -> dict[str, Any]:
    found = list(ledgers)
    return {
        "writes": sum(ledger["writes"] for ledger in found),
        "restored": list(dict.fromkeys(line for ledger in found for line in ledger["restored"])),
        "left": list(dict.fromkeys(line for ledger in found for line in ledger["left"])),
    }
