"""`mockserver check`: its options; what a run does stands in lifecycle.py."""

from __future__ import annotations

from typing import Any

import click

from mockserver.commands.help import GroupedCommand
from mockserver.commands.suite_options import EXIT_CODES, shared_options
from mockserver.suite.run.lifecycle import run_command
from mockserver.suite.run.run_options import Options


@click.command(
    "check", cls=GroupedCommand, epilog=EXIT_CODES, short_help="Check a server against a contract, in seconds."
)
@shared_options
def check_command(**options: Any) -> int:
    """Check a server against a contract: each example and each rule once, in seconds, the same requests every time.

    TARGET is the base URL of the server, or a WSGI or ASGI application in this process, as package.module:app.
    Without one the run starts the stub and checks it.
    """
    return run_command("check", Options(**options))
