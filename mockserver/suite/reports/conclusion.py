"""Conclusion of a command: write reports, print the page and GitHub annotations, return the exit code."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping

import click

from mockserver.suite.reports.files import Reports
from mockserver.suite.reports.har import Recording
from mockserver.suite.reports.json_report import Document, verdict_of
from mockserver.suite.reports.page import as_text, printable
from mockserver.suite.reports.ranking import causes
from mockserver.suite.run.internal_errors import mistake_line
from mockserver.suite.verdicts.verdict import ExitCode, with_reports

#: GitHub shows ten of a kind in a step, and drops the rest without a word.
MAX_OF_A_KIND = 10
#: What a message may not hold as it is, and what a property may not (GitHub's workflow commands).
_IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_IN_MESSAGES, ":": "%3A", ",": "%2C"}


def as_annotations(document: Document) -> Iterator[str]:
    """Yield GitHub workflow commands that annotate the most important findings as errors or warnings."""
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
        message = _escaped(f"{where}: {cause.title}; {first['detail']}", _IN_MESSAGES)
        yield f"::{kind} title={title}::{message}"
    error = document["run"].get("error")
    if error:
        yield f"::error title=mockserver::{_escaped(f'not judged: {error}', _IN_MESSAGES)}"


def guarded(text: str) -> str:
    """Return a text in which GitHub does not interpret any line as a workflow command."""
    word = secrets.token_hex(16)
    return f"::stop-commands::{word}\n{text}\n::{word}::"


def _escaped(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(character, character) for character in printable(text))


def conclude(
    document: Document,
    reports: Reports,
    *,
    fail_on_drift: bool,
    recording: Recording | None = None,
    redact: Callable[[str], str] = str,
    quiet: bool = False,
) -> ExitCode:
    """Write the reports, print the page, or only its first line if `quiet`, and return the exit code."""
    document = {**document, "run": {**document["run"], "fail_on": "drift" if fail_on_drift else ""}}
    problems = reports.write(document, recording=recording, redact=redact)
    show_page(document, quiet=quiet)
    for line in as_annotations(document) if _on_github() else ():
        click.echo(line)
    for problem in problems:
        click.echo(f"mockserver: {problem}", err=True)
    return with_reports(verdict_of(document).code, problems)


def show_page(document: Document, *, quiet: bool = False) -> None:
    """Print the page of a report, or only the verdict; on GitHub guarded against lines that are workflow commands."""
    try:
        page = printable(verdict_of(document).line) if quiet else as_text(document)
    except Exception as error:  # noqa: BLE001 - reports and exit code do not depend on it
        page = mistake_line("the page", error)
    click.echo(guarded(page) if _on_github() else page)


def _on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"
