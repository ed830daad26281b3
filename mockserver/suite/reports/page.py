"""Page for the terminal: the verdict, then the most important findings, on about one screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mockserver.suite.reports.json_report import Document, note_lines, verdict_of
from mockserver.suite.reports.ranking import REASONS, Cause, causes
from mockserver.suite.verdicts.tally import EVERYWHERE, RESULTS

#: So many causes are shown with details; each other one has a line.
TOLD_WHOLE = 5
#: Operations of one cause are listed by name up to this many.
_OPERATIONS_NAMED = 3
#: Operations that never succeeded for the same reason are listed by name up to this many.
NEVER_NAMED = 6
#: Longer content is cut on the page.
_MAX_SHOWN = 160
#: So many things that were put back, or not, have a place on the page; the JSON report has them all.
_MOST_LINES = 20
#: Characters above ASCII that move the cursor, turn text around, cannot be seen at all, or are half of one.
_ABOVE = (
    r"\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
INVISIBLE = re.compile(f"[{_ABOVE}]")
#: The same, and those of ASCII but the end of a line.
_UNPRINTABLE = re.compile(rf"[\x00-\x09\x0b-\x1f{_ABOVE}]")


def as_text(document: Document, *, whole: int = TOLD_WHOLE) -> str:
    """Return the report as a page of text: the verdict, then findings by importance.

    Args:
        document: the report.
        whole: how many causes are shown with evidence and command; each other one has a line.
    """
    return "\n".join(printable(line) for line in _lines(document, whole))


def printable(text: str) -> str:
    """Return a text with control and invisible characters escaped, safe to print on a terminal."""
    return _UNPRINTABLE.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _lines(document: Document, whole: int) -> Iterator[str]:
    run, ledger = document["run"], document["ledger"]
    yield verdict_of(document).line
    yield (
        f"  target {run['target']}, contract {run['contract']}"
        + (f", seed {run['seed']}" if run["seed"] is not None else "")
        + (f", shard {run['shard']}" if run.get("shard") else "")
        + f", {run['requests']} request{'' if run['requests'] == 1 else 's'} in {run['duration_seconds']:.1f} s"
    )
    yield from never_succeeded_lines(document)
    yield from (f"note: {note}" for note in note_lines(document))
    found = ordered_causes(document)
    for cause in found[:whole]:
        yield ""
        yield from _cause_lines(cause)
    if found[whole:]:
        yield ""
        yield f"and {len(found) - whole} more (details and commands: --report html=FILE, json=FILE or markdown=FILE):"
        yield from map(_short_line, found[whole:])
    if document["coverage"]:
        yield ""
        yield from _coverage_lines(document["coverage"])
    if ledger["restored"]:
        yield f"Put back: {', '.join(_some(ledger['restored']))}"
    if ledger["left"]:
        yield "Changed and not put back:"
        yield from (f"  left: {line}" for line in _some(ledger["left"]))


def ordered_causes(document: Document) -> list[Cause]:
    """Return the causes by importance; if nothing could be judged, what kept the run from judging comes first."""
    found = causes(document["findings"])
    if verdict_of(document).state != "not-judged":
        return found
    return sorted(found, key=lambda cause: cause.first["level"] != "environment" or bool(cause.first.get("known")))


def _some(lines: list[str]) -> list[str]:
    """Return the first lines of a list, followed by the number of further lines."""
    more = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"and {more} more (all of them: --report json=FILE)"] if more > 1 else lines


def never_succeeded_lines(document: Document, named: int = NEVER_NAMED) -> Iterator[str]:
    """Yield a line for each reason why operations never succeeded, with those operations."""
    by_reason: dict[str, list[str]] = {}
    for row in document.get("reach", ()):
        if row["why"]:
            by_reason.setdefault(row["why"], []).append(row["operation"])
    for why, operations in by_reason.items():
        more = len(operations) - named
        yield (
            f"  never succeeded: {', '.join(operations[:named])}"
            + (f" and {more} more" if more > 0 else "")
            + f": {why}"
        )


def _cause_lines(cause: Cause) -> Iterator[str]:
    first = cause.first
    yield f"{_level(first)} {first['title']}  [{first['check']}]"
    yield f"  on {_places(cause)}{_times(cause)}"
    yield f"  {first['detail']}"
    yield f"  owner: {first['owner']}, because {provenance(first)}"
    if first["pointer"]:
        yield f"  contract: {first['pointer']}"
    if first.get("known"):
        yield f"  known: {first['known']}"
    if first["response"] is not None:
        yield f"  < {_response(first['response'])}"
    for line in first["reproduce"].splitlines():
        yield f"  $ {line}"


def _short_line(cause: Cause) -> str:
    first = cause.first
    return f"  {_level(first)} {first['title']}  [{first['check']}]  on {_places(cause, 1)}{_times(cause)}"


def _level(finding: dict[str, Any]) -> str:
    level: str = finding["level"].upper()
    return f"KNOWN {level}" if finding.get("known") else level


def _places(cause: Cause, named: int = _OPERATIONS_NAMED) -> str:
    operations = cause.operations
    more = len(operations) - named
    return ", ".join(operations[:named]) + (f" and {more} more" if more > 0 else "")


def _times(cause: Cause) -> str:
    return f", {cause.times} times" if cause.times > 1 else ""


def provenance(finding: dict[str, Any]) -> str:
    """Return why a finding has its owner, with the contract's reason for the statement if there is one."""
    if finding["rule"] != "contract":
        return REASONS[finding["rule"]]
    kind, _, reason = finding["source"].partition(": ")
    return f"{REASONS.get(kind, kind)} ({reason})" if reason else REASONS.get(kind, kind)


def _response(response: dict[str, Any]) -> str:
    if "problem" in response:
        return str(response["problem"])
    body = " ".join(response["body"].split())
    media_type = next((value for name, value in response["headers"].items() if name.lower() == "content-type"), "")
    shown = body if len(body) <= _MAX_SHOWN else body[:_MAX_SHOWN] + "…"
    return " ".join(part for part in (str(response["status"]), media_type, shown) if part)


def _coverage_lines(coverage: list[dict[str, Any]]) -> Iterator[str]:
    by_check: dict[str, list[dict[str, Any]]] = {}
    for item in coverage:
        if item["operation"] != EVERYWHERE:  # shown below, with the reason
            by_check.setdefault(item["check"], []).append(item)
    kept = {check for check, items in by_check.items() if all(item["result"] == "passed" for item in items)}
    cases = sum(item["cases"] for item in coverage)
    yield f"{len(by_check)} checks, {cases} cases; {len(kept)} checks passed on every operation to which they apply"
    width = max((len(check) for check in by_check if check not in kept), default=0)
    for check, items in by_check.items():
        numbers = [(result, sum(item["result"] == result for item in items)) for result in RESULTS]
        if check not in kept:
            yield f"  {check:<{width}}  " + ", ".join(f"{number} {result}" for result, number in numbers if number)
    yield from not_run_lines(coverage)


def not_run_lines(coverage: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each reason why checks were not made, or only in part."""
    missing: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in coverage:
        if item["result"] in {"in part", "not run"}:
            missing.setdefault((item["result"], item["why"]), []).append(item)
    for (result, why), items in missing.items():
        checks = list(dict.fromkeys(item["check"] for item in items))
        operations = list(dict.fromkeys(item["operation"] for item in items))
        named = checks[0] if len(checks) == 1 else f"{len(checks)} checks"
        place = f" on {operations[0]}" if len(operations) == 1 else f" on {len(operations)} operations"
        place = "" if operations == [EVERYWHERE] else place
        yield f"{result}: {named}{place}, because {why}"
