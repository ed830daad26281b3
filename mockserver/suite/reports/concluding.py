"""The end of a command: reports written, the page printed, the exit code."""

from __future__ import annotations

import click

from mockserver.suite.reports.document import Document, exit_code_of
from mockserver.suite.reports.page import as_text
from mockserver.suite.reports.writing import Reports
from mockserver.suite.verdicts import ExitCode


def conclude(document: Document, reports: Reports, *, fail_on_drift: bool) -> ExitCode:
    """Write the reports, print the page, and return the exit code."""
    document = {**document, "run": {**document["run"], "fail_on": "drift" if fail_on_drift else ""}}
    problems = reports.write(document)
    click.echo(as_text(document))
    for problem in problems:
        click.echo(f"mockserver: {problem}", err=True)
    code = exit_code_of(document, fail_on_drift=fail_on_drift)
    return ExitCode.NOT_JUDGED if problems and code is ExitCode.CLEAN else code
