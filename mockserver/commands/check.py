"""`mockserver check`: its options; what a run does stands in lifecycle.py."""

from __future__ import annotations

from typing import Any

import click

from mockserver.commands.suite_options import EXIT_CODES, shared_options
from mockserver.suite.run.lifecycle import run_command
from mockserver.suite.run.run_options import Options


@click.command("check", epilog=EXIT_CODES, short_help="Check a server against the contract, in seconds.")
@shared_options
def check_command(**options: Any) -> int:
    """Check a server against the contract, in seconds and always alike.

    TARGET is the base URL of a server; without one the stub is started for the run.
    """
    return run_command("check", Options(**options))
