"""The end of a command: reports written, the page printed, the exit code."""

from __future__ import annotations

import os
from collections.abc import Callable

import click

from mockserver.suite.reports.annotations import as_annotations, guarded
from mockserver.suite.reports.files import Reports
from mockserver.suite.reports.json_report import Document, verdict_of
from mockserver.suite.reports.page import as_text
from mockserver.suite.run.internal_errors import told
from mockserver.suite.target.recording import Recording
from mockserver.suite.verdicts.verdict import ExitCode, with_reports


def conclude(
    document: Document,
    reports: Reports,
    *,
    fail_on_drift: bool,
    recording: Recording | None = None,
    scrub: Callable[[str], str] = str,
) -> ExitCode:
    """Write the reports, print the page, and return the exit code."""
    document = {**document, "run": {**document["run"], "fail_on": "drift" if fail_on_drift else ""}}
    problems = reports.write(document, recording=recording, scrub=scrub)
    show_page(document)
    for line in as_annotations(document) if _on_github() else ():
        click.echo(line)
    for problem in problems:
        click.echo(f"mockserver: {problem}", err=True)
    return with_reports(verdict_of(document).code, problems)


def show_page(document: Document) -> None:
    """Print the page of a report; on GitHub in a way that no line of it is taken for a command."""
    try:
        page = as_text(document)
    except Exception as error:  # noqa: BLE001 - reports and exit code do not depend on it
        page = told("the page", error)
    click.echo(guarded(page) if _on_github() else page)


def _on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"
