"""Markdown report: a comment on a pull request, or GitHub's job summary (`$GITHUB_STEP_SUMMARY`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mockserver.suite.reports.json_report import Document, note_lines, verdict_of
from mockserver.suite.reports.page import never_succeeded_lines, not_run_lines, ordered_causes, printable, provenance
from mockserver.suite.reports.ranking import Cause
from mockserver.suite.verdicts.tally import RESULTS

#: GitHub takes comments of up to 65,536 characters; a report stays below with what it must still say.
MAX_LENGTH = 60_000
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~@$:-])")
_LEVELS = {"violation": "🔴 violation", "drift": "🟡 drift", "environment": "⚪ environment"}
_FENCE = 3


def as_markdown(document: Document) -> Iterator[str]:
    """Yield the report as Markdown: verdict, a table of causes, then details within the size limit."""
    run, found = document["run"], ordered_causes(document)
    head = [
        f"## mockserver {run.get('command', '')}: {plain(verdict_of(document).line)}",
        "",
        f"Target {code(run['target'])}, contract {code(run['contract'])}, {run['requests']} requests in "
        f"{run['duration_seconds']:.1f} s, {run['operations_tested']} of {run['operations_total']} operations tested.",
        "",
    ]
    length = sum(len(line) + 1 for line in head)
    yield "\n".join(head) + "\n"
    tail = "\n".join(_tail(document))
    left = len(found)
    for part in _parts(found):
        if length + len(part) + len(tail) > MAX_LENGTH:
            yield f"\nNot all findings fit here; there are {left} causes.\n"
            break
        length += len(part)
        yield part
    yield tail


def _parts(found: list[Cause]) -> Iterator[str]:
    if found:
        yield "| level | finding | operation | times | owner |\n|---|---|---|---|---|\n"
    for cause in found:
        first, more = cause.first, len(cause.operations) - 1
        where = code(first["operation"]) + (f" and {more} more" if more else "")
        level = _LEVELS[first["level"]] + (" (known)" if first.get("known") else "")
        yield f"| {level} | {plain(cause.title)} | {where} | {cause.times} | {first['owner']} |\n"
    for cause in found:
        yield "\n".join(_cause(cause)) + "\n"


def _cause(cause: Cause) -> Iterator[str]:
    first = cause.first
    yield ""
    title = f"{_LEVELS[first['level']]}: {_html(cause.title)} <code>{', '.join(cause.checks)}</code>"
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield f"- on {', '.join(map(code, cause.operations))}"
    yield f"- owner: {first['owner']}, because {plain(provenance(first))}"
    if first["pointer"]:
        yield f"- contract: {code(first['pointer'])}"
    if first.get("known"):
        yield f"- known: {plain(first['known'])}"
    yield ""
    yield block(first["detail"])
    if first["reproduce"]:
        yield block(first["reproduce"], "sh")
    if first["response"] is not None:
        yield block(_response(first["response"]), "http")
    yield "</details>"


def _response(response: dict[str, Any]) -> str:
    if "problem" in response:
        return str(response["problem"])
    fields = [f"{name}: {value}" for name, value in response["headers"].items()]
    return "\n".join([f"HTTP {response['status']}", *fields, "", response["body"]])


def _tail(document: Document) -> Iterator[str]:
    coverage, ledger = document["coverage"], document["ledger"]
    counts = {result: sum(item["result"] == result for item in coverage) for result in reversed(RESULTS)}
    yield ""
    yield from (f"- {plain(line)}" for line in never_succeeded_lines(document))
    yield from (f"- {plain(note)}" for note in note_lines(document))
    yield ""
    yield "Checks on operations: " + ", ".join(f"{number} {result}" for result, number in counts.items()) + "."
    missing = list(not_run_lines(coverage))
    if missing:
        yield "\n<details><summary>Checks that were not run, and why</summary>\n"
        yield from (f"- {plain(line)}" for line in missing[:100])
        yield "\n</details>"
    if ledger["left"]:
        yield "\n**Changed and not put back:** " + ", ".join(map(code, ledger["left"]))
    yield ""


def plain(text: str) -> str:
    """Return a text on one line with all Markdown and HTML markup escaped."""
    return _MARKUP.sub(r"\\\1", printable(" ".join(text.split())))


def code(text: str) -> str:
    """Return a text as a code span that is also valid in a table (GFM, section 4.10)."""
    shown = printable(" ".join(text.split())).replace("|", "\\|")
    ticks = "`" * (_longest_ticks(shown) + 1)
    return f"{ticks}{shown}{ticks}" if ticks == "`" else f"{ticks} {shown} {ticks}"


def block(text: str, language: str = "") -> str:
    """Return a text as a fenced code block with a fence that the text cannot close."""
    shown = "\n".join(map(printable, text.splitlines()))
    fence = "`" * max(_FENCE, _longest_ticks(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}\n"


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
