"""`mockserver report`: what is done with reports after the runs."""

from __future__ import annotations

from pathlib import Path

import click

from mockserver.commands.help import GroupedCommand
from mockserver.commands.options import FILE
from mockserver.commands.suite_options import FAIL_ON, REPORT
from mockserver.suite.reports.conclusion import conclude
from mockserver.suite.reports.files import Reports
from mockserver.suite.reports.merge import load_report, merge


@click.group("report", short_help="Work with reports of check and fuzz.")
def report_command() -> None:
    """Work with the JSON reports of check and fuzz."""


@report_command.command("merge", cls=GroupedCommand, short_help="Join the reports of shards into one verdict.")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILES...")
@REPORT
@FAIL_ON
def merge_command(files: tuple[Path, ...], report: tuple[str, ...], fail_on: str | None) -> int:
    """Join the JSON reports of a run's shards into one verdict, and exit as the whole run would have.

    FILES are what `--report json=FILE` wrote, one for each shard.
    """
    reports = Reports(report)
    document = merge([load_report(path) for path in files])
    return conclude(document, reports, fail_on_drift=fail_on == "drift")
