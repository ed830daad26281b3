"""Annotations of GitHub Actions: the causes that matter most, as errors and warnings of the job."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping

from mockserver.suite.reports.json_report import Document, verdict_of
from mockserver.suite.reports.page import printable
from mockserver.suite.reports.ranking import causes

#: GitHub shows ten of a kind in a step, and drops the rest without a word.
MAX_OF_A_KIND = 10
#: What a message may not hold as it is, and what a property may not (GitHub's workflow commands).
_IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_IN_MESSAGES, ":": "%3A", ",": "%2C"}


def as_annotations(document: Document) -> Iterator[str]:
    """Yield a workflow command for each of the causes that matter most: errors fail the run, warnings do not."""
    failing = verdict_of(document).failing
    counts = {"error": 0, "warning": 0, "notice": 0}
    for cause in causes(document["findings"]):
        first = cause.first
        kind = "notice" if first.get("known") else "error" if first["level"] in failing else "warning"
        counts[kind] += 1
        if counts[kind] > MAX_OF_A_KIND:
            continue
        more = len(cause.operations) - 1
        where = first["operation"] + (f" and {more} more" if more else "")
        title = _escaped(f"{first['level']}: {first['check']}", _IN_PROPERTIES)
        message = _escaped(f"{where}: {first['title']}; {first['detail']}", _IN_MESSAGES)
        yield f"::{kind} title={title}::{message}"
    error = document["run"].get("error")
    if error:
        yield f"::error title=mockserver::{_escaped(f'not judged: {error}', _IN_MESSAGES)}"


def guarded(text: str) -> str:
    """Return a text in which nothing is a workflow command, whatever a server wrote into it."""
    word = secrets.token_hex(16)
    return f"::stop-commands::{word}\n{text}\n::{word}::"


def _escaped(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(character, character) for character in printable(text))
