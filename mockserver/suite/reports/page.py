"""Page for the terminal: the verdict, then the most important findings, on about one screen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from mockserver.contract.provenance import UNMARKED
from mockserver.suite.reports.json_report import Document, note_lines, verdict_of
from mockserver.suite.reports.ranking import REASONS, Cause, causes
from mockserver.suite.verdicts.tally import EVERYWHERE, RESULTS
from mockserver.suite.verdicts.verdict import count

#: The page has at most so many lines, and prose at most so many columns; the rest is in the reports.
MAX_LINES, WIDTH = 60, 80
#: So many causes are shown with details at most.
TOLD_WHOLE = 5
#: So many of the others have a line, before another one is shown with details.
_SHORT = 8
#: Operations of one cause are listed by name up to this many.
_OPERATIONS_NAMED = 3
#: Operations that never succeeded for the same reason are listed by name up to this many, in reports and on the page.
NEVER_NAMED, _NEVER_ON_PAGE = 6, 3
#: Longer content is cut on the page.
_MAX_SHOWN = 160
#: Lines for each reason, note and command, and how many of each list have a place.
_LINES_EACH, _REASONS, _NOTES, _COMMANDS, _NOT_RUN, _LEDGER = 2, 3, 2, 8, 3, 5
#: A word of a shell command, quoted or not, and longer commands than the page shows.
_WORD, _MAX_COMMAND = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+"""), 480
#: The beginning of an operation's label, which stays on one line.
_LABEL = re.compile(r"\b([A-Z]{3,}) /")
#: Where the rest is.
_ELSEWHERE = "--report html=FILE"
#: Characters above ASCII that move the cursor, turn text around, cannot be seen at all, or are half of one.
_ABOVE = (
    r"\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
INVISIBLE = re.compile(f"[{_ABOVE}]")
#: The same, and those of ASCII but the end of a line.
_UNPRINTABLE = re.compile(rf"[\x00-\x09\x0b-\x1f{_ABOVE}]")


def as_text(document: Document) -> str:
    """Return the report as a page of text: the verdict, how far the run came, findings by harm, the verdict again."""
    return "\n".join(printable(line) for line in _lines(document))


def printable(text: str) -> str:
    """Return a text with control and invisible characters escaped, safe to print on a terminal."""
    return _UNPRINTABLE.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _lines(document: Document) -> Iterator[str]:
    verdict = verdict_of(document).line
    head, tail = [verdict, *_head(document)], ["", verdict]
    end = list(_end(document, _NOT_RUN))
    found = list(_told(ordered_causes(document), MAX_LINES - len(head) - len(end) - len(tail)))
    spare = MAX_LINES - len(head) - len(found) - len(end) - len(tail)
    yield from (*head, *found, *_end(document, _NOT_RUN + spare // _LINES_EACH), *tail)


def _head(document: Document) -> Iterator[str]:
    """Yield how many operations succeeded, what was judged by what, why other operations never succeeded, and notes."""
    run, rows = document["run"], document.get("reach", ())
    if rows:
        yield f"{sum(not row['why'] for row in rows)} of {len(rows)} operations succeeded{_causes_of(document)}"
    yield (
        f"  target {run['target']}, contract {run['contract']}"
        + (f", seed {run['seed']}" if run["seed"] is not None else "")
        + (f", shard {run['shard']}" if run.get("shard") else "")
        + f", {run['requests']} request{'' if run['requests'] == 1 else 's'} in {run['duration_seconds']:.1f} s"
    )
    yield from _first(never_succeeded_lines(document, _NEVER_ON_PAGE), _REASONS, "reasons", "    ", 3)
    yield from _first((f"note: {note}" for note in note_lines(document)), _NOTES, "notes", "  ")


def _causes_of(document: Document) -> str:
    """Return how many causes the findings of each level have, "" where each is a cause of its own."""
    levels = [cause.first["level"] for cause in causes(document["findings"]) if not cause.first.get("known")]
    told = [
        f"{count(number, level)} of {levels.count(level)} cause{'' if levels.count(level) == 1 else 's'}"
        for level, number in document["summary"].items()
        if number > levels.count(level)
    ]
    return f"; {', '.join(told)}" if told else ""


def _end(document: Document, reasons: int) -> Iterator[str]:
    """Yield how many checks were made, some reasons why others were not, and what was changed on the target."""
    ledger = document["ledger"]
    if document["coverage"]:
        yield ""
        yield from _coverage_lines(document["coverage"], reasons)
    if ledger["restored"]:
        yield f"Put back: {', '.join(_some(ledger['restored']))}"
    if ledger["left"]:
        yield "Changed and not put back:"
        yield from (f"  left: {line}" for line in _some(ledger["left"]))


def _told(found: list[Cause], budget: int) -> Iterator[str]:
    """Yield the causes within a number of lines: the first ones with evidence and command, then a line for each."""
    shown = 0
    for cause in found[:TOLD_WHOLE]:
        lines = ["", *_cause_lines(cause)]
        others = len(found) - shown - 1
        if shown and len(lines) + (2 + min(others, _SHORT) if others else 0) > budget:
            break
        yield from lines
        budget -= len(lines)
        shown += 1
    rest = found[shown:]
    if not rest:
        return
    fitting = len(rest) if len(rest) <= budget - 2 else max(0, budget - 3)
    yield ""
    yield f"and {len(rest)} more (with evidence and commands: {_ELSEWHERE}):"
    yield from (_clipped(_short_line(cause)) for cause in rest[:fitting])
    if rest[fitting:]:
        yield f"  ... and {len(rest) - fitting} more"


def _first(lines: Iterable[str], most: int, what: str, indent: str, each: int = _LINES_EACH) -> Iterator[str]:
    """Yield the first of some lines, folded to the width of the page, and how many there are beside them."""
    every = list(lines)
    for line in every[:most]:
        yield from _folded(line, indent, each)
    if every[most:]:
        more = len(every) - most
        yield f"{indent}and {more} more {what if more > 1 else what.removesuffix('s')}: {_ELSEWHERE}"


def _folded(text: str, indent: str, most: int = 3) -> list[str]:
    """Return a text as lines of the page's width; what does not fit into so many lines is left out."""
    text = _LABEL.sub("\\1\xa0/", text.replace("\n", " "))
    lines = textwrap.wrap(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    lines = [line.replace("\xa0", " ") for line in lines]
    return lines if len(lines) <= most else [*lines[: most - 1], _clipped(f"{lines[most - 1]} ...")]


def _clipped(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3].rstrip()}..."


def ordered_causes(document: Document) -> list[Cause]:
    """Return the causes by importance; if nothing could be judged, what kept the run from judging comes first."""
    found = causes(document["findings"])
    if verdict_of(document).state != "not-judged":
        return found
    return sorted(found, key=lambda cause: cause.first["level"] != "environment" or bool(cause.first.get("known")))


def _some(lines: list[str]) -> list[str]:
    """Return the first lines of a list, followed by the number of further lines."""
    more = len(lines) - _LEDGER
    return [*lines[:_LEDGER], f"and {more} more (all of them: --report json=FILE)"] if more > 1 else lines


def never_succeeded(document: Document) -> list[tuple[str, list[str]]]:
    """Return the reasons why operations never succeeded, that of most operations first, with those operations."""
    by_reason: dict[str, list[str]] = {}
    rows = document.get("reach", ())
    if document["run"].get("error") and not any(row["attempts"] for row in rows):
        return []  # the run ended before any was called, and the verdict says why
    for row in rows:
        if row["why"]:
            by_reason.setdefault(row["why"], []).append(row["operation"])
    return sorted(by_reason.items(), key=lambda item: -len(item[1]))


def never_succeeded_lines(document: Document, named: int = NEVER_NAMED) -> Iterator[str]:
    """Yield a line for each reason why operations never succeeded, with those operations."""
    for why, operations in never_succeeded(document):
        more = len(operations) - named
        names = ", ".join(operations[:named]) + (f" and {more} more" if more > 0 else "")
        # Of several, the reason comes first: the names may be too many for a line.
        several = f"{len(operations)} operations, {why}: {names}"
        yield f"  never succeeded: {several if operations[1:] else f'{names}: {why}'}"


def _cause_lines(cause: Cause) -> Iterator[str]:
    first = cause.first
    yield from _folded(f"{_level(first)} {cause.title}  [{', '.join(cause.checks)}]", "  ")
    yield from _folded(f"  on {_places(cause)}", "  ", _LINES_EACH)
    # What kept a run from judging is told with the remedy.
    yield from _folded(f"  {first['detail']}", "  ", 6 if first["level"] == "environment" else 3)
    yield from _folded(f"  owner: {first['owner']}, because {provenance(first)}", "  ", _LINES_EACH)
    if first["pointer"]:
        yield f"  contract: {first['pointer']}"
    if first.get("known"):
        yield from _folded(f"  known: {first['known']}", "  ", _LINES_EACH)
    if first["response"] is not None:
        yield from _folded(f"  < {_response(first['response'])}", "    ", _LINES_EACH)
    yield from _commands(first["reproduce"])


def _commands(text: str) -> Iterator[str]:
    """Yield commands, long ones continued on the next lines as a shell reads them; only the first lines of many."""
    lines = [line for command in text.splitlines() for line in _continued(command)]
    if len(lines) > _COMMANDS:
        lines = [*lines[: _COMMANDS - 1], f"  # the rest of the commands: {_ELSEWHERE}"]
    yield from lines


def _continued(command: str) -> list[str]:
    if len(command) > _MAX_COMMAND:
        return [_clipped(f"  $ {command}"), f"    # the whole command: {_ELSEWHERE}"]
    lines, line = [], "  $"
    for word in _WORD.findall(command):
        if len(line) + len(word) + 3 > WIDTH and line.strip() not in {"", "$"}:
            lines.append(f"{line} \\")
            line = "     "
        line += f" {word}"
    return [*lines, line]


def _short_line(cause: Cause) -> str:
    where = f"({len(cause.operations)} operations)" if cause.operations[1:] else f"on {cause.operations[0]}"
    return f"  {_level(cause.first)} {cause.title} {where}"


def _level(finding: dict[str, Any]) -> str:
    level: str = finding["level"].upper()
    return f"KNOWN {level}" if finding.get("known") else level


def _places(cause: Cause, named: int = _OPERATIONS_NAMED) -> str:
    operations = cause.operations
    more, times = len(operations) - named, f", {cause.times} times" if cause.times > 1 else ""
    listed = ", ".join(operations[:named]) + (f" and {more} more" if more > 0 else "")
    return f"{len(operations)} operations{times}: {listed}" if operations[1:] and named > 1 else f"{listed}{times}"


def provenance(finding: dict[str, Any]) -> str:
    """Return why a finding has its owner, with the contract's reason for the statement if there is one."""
    if finding["rule"] != "contract":
        return REASONS[finding["rule"]]
    kind, _, reason = finding["source"].partition(": ")
    reason = "" if reason == UNMARKED else reason
    return f"{REASONS.get(kind, kind)} ({reason})" if reason else REASONS.get(kind, kind)


def _response(response: dict[str, Any]) -> str:
    if "problem" in response:
        return str(response["problem"])
    body = " ".join(response["body"].split())
    media_type = next((value for name, value in response["headers"].items() if name.lower() == "content-type"), "")
    shown = body if len(body) <= _MAX_SHOWN else body[:_MAX_SHOWN] + "…"
    return " ".join(part for part in (str(response["status"]), media_type, shown) if part)


def _coverage_lines(coverage: list[dict[str, Any]], reasons: int) -> Iterator[str]:
    on_operations = [item for item in coverage if item["operation"] != EVERYWHERE]
    numbers = [(result, sum(item["result"] == result for item in on_operations)) for result in reversed(RESULTS)]
    made = len({item["check"] for item in on_operations})
    yield (
        f"{made} check{'' if made == 1 else 's'} on operations, {sum(item['cases'] for item in coverage)} cases: "
        + ", ".join(f"{number} {result}" for result, number in numbers if number)
    )
    yield from _first(not_run_lines(coverage), reasons, "reasons", "  ")


def not_run_lines(coverage: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each reason why checks were not made, or only in part."""
    missing: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in coverage:
        if item["result"] in {"in part", "not run"}:
            missing.setdefault((item["result"], item["why"]), []).append(item)
    # What was made nowhere says more about the contract than about the run.
    groups = sorted(missing.items(), key=lambda group: (group[1][0]["operation"] == EVERYWHERE, -len(group[1])))
    for (result, why), items in groups:
        checks = list(dict.fromkeys(item["check"] for item in items))
        operations = list(dict.fromkeys(item["operation"] for item in items))
        named = checks[0] if len(checks) == 1 else f"{len(checks)} checks"
        place = f" on {operations[0]}" if len(operations) == 1 else f" on {len(operations)} operations"
        place = "" if operations == [EVERYWHERE] else place
        yield f"{result}: {named}{place}, because {why}"
