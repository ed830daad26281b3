"""HTML report: one self-contained page for browsers, without scripts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from mockserver.suite.reports.json_report import Document, note_lines, verdict_of
from mockserver.suite.reports.page import never_succeeded, ordered_causes, printable, provenance
from mockserver.suite.reports.ranking import Cause
from mockserver.suite.verdicts.tally import EVERYWHERE, RESULTS

_TEMPLATES = Path(__file__).parent / "templates"
_SYMBOLS = {"passed": "✓", "failed": "✗"}
#: Sign of each level, for readers who do not see the colour.
_SIGNS = {"violation": "✗", "drift": "≠", "environment": "☁"}


def as_html(document: Document) -> Iterator[str]:
    """Yield the report as an HTML page in parts: verdict, findings, coverage, ledger and facts."""
    found = ordered_causes(document)
    style = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    yield _template().render(
        document=document,
        run=document["run"],
        verdict=verdict_of(document).line,
        state=verdict_of(document).state,
        causes=found,
        numbers={level: sum(_counts(cause, level) for cause in found) for level in document["summary"]},
        succeeded=sum(not row["why"] for row in document.get("reach", ())),
        never=never_succeeded(document),
        notes=note_lines(document),
        place=_place,
        matrix=_matrix(document),
        signs=_SIGNS,
        provenance=provenance,
        pretty=_pretty,
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


def _counts(cause: Cause, level: str) -> bool:
    return bool(cause.first["level"] == level and not cause.first.get("known"))


def _place(pointer: str) -> str:
    """Return a JSON pointer for reading: its steps, unescaped."""
    steps = pointer.split("/")[1:]
    return " \u203a ".join(step.replace("~1", "/").replace("~0", "~") for step in steps)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=_visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _visible(value: Any) -> Any:
    """Return a text with invisible and direction-changing characters escaped; markup of templates is kept."""
    return printable(value) if type(value) is str else value


def _matrix(document: Document) -> dict[str, Any]:
    """Return the coverage as a table of checks and operations, with numbered reasons below."""
    coverage = document["coverage"]
    operations = sorted({item["operation"] for item in coverage}, key=lambda label: label.partition(" ")[::-1])
    results: dict[str, set[str]] = {}
    for item in coverage:
        results.setdefault(item["check"], set()).add(item["result"])
    checks = sorted(results, key=lambda check: (*(result not in results[check] for result in RESULTS[:-1]), check))
    reasons: dict[str, int] = {}
    for item in coverage:
        if item["result"] in {"in part", "not run"}:
            reasons.setdefault(item["why"], len(reasons) + 1)
    cells = {(item["check"], item["operation"]): _cell(item, reasons) for item in coverage}
    prefix = _common_folder([label.partition(" ")[2] for label in operations if label != EVERYWHERE])
    return {
        "prefix": prefix,
        "operations": [
            (label, label.partition(" ")[0], label.partition(" ")[2][len(prefix) :]) for label in operations
        ],
        "rows": [(check, [cells.get((check, operation)) for operation in operations]) for check in checks],
        "reasons": list(reasons),
        "totals": {result: sum(item["result"] == result for item in coverage) for result in reversed(RESULTS)},
    }


def _cell(item: dict[str, Any], reasons: dict[str, int]) -> dict[str, str]:
    result, cases = item["result"], item["cases"]
    noun = "case" if cases == 1 else "cases"
    why = f" because {item['why']}" if item["why"] else ""
    return {
        "kind": result.replace(" ", "-"),
        "sign": _SYMBOLS.get(result) or str(reasons[item["why"]]),
        "said": f"{result}{why}, {cases} {noun}",
    }


def _common_folder(paths: list[str]) -> str:
    """Return the folder that all paths share, with a trailing slash; "" if there is none."""
    common: list[str] = []
    for steps in zip(*(path.split("/") for path in paths), strict=False):
        if len(set(steps)) > 1 or len(paths) == 1:
            break
        common.append(steps[0])
    return "/".join(common) + "/" if len(common) > 1 else ""


def _pretty(body: str | None) -> str:
    """Return content for reading: complete JSON indented, anything else unchanged."""
    if body is None:
        return ""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):  # no JSON, or nested too deep to be indented
        return body
