"""`mockserver check` and `mockserver fuzz`: their options; what a run does stands in running.py."""

from __future__ import annotations

from typing import Any

import click

from mockserver.options import option
from mockserver.suite.options import Options, shared_options
from mockserver.suite.running import run_command

#: Generated cases for each operation; at 10 requests a second 10 are a matter of minutes, and 50 are not.
EXAMPLES = 50
FOREIGN_EXAMPLES = 10
_EXIT_CODES = (
    "Exit codes: 1 the contract is violated, 2 that could not be judged, 130 interrupted, else 0. "
    "Each option can also stand in mockserver.toml or in [tool.mockserver] of pyproject.toml; a flag wins."
)


@click.command("check", epilog=_EXIT_CODES, short_help="Check a server against the contract, in seconds.")
@shared_options
def check_command(**options: Any) -> int:
    """Check a server against the contract, in seconds and always alike.

    TARGET is the base URL of a server; without one the stub is started for the run.
    """
    return run_command("check", Options(**options))


@click.command("fuzz", epilog=_EXIT_CODES, short_help="Judge a server on generated requests.")
@shared_options
@option(
    "--max-examples",
    type=click.IntRange(1),
    help="Generated cases for each operation.  [default: 50, off loopback 10]",
)
@option("--time", type=click.IntRange(1), metavar="SECONDS", help="Go on with new cases for so long.")
@option("--seed", type=int, default=0, show_default=True, help="The same seed sends the same cases.")
def fuzz_command(max_examples: int | None, time: int | None, seed: int, **options: Any) -> int:
    """Send a server generated requests, valid and invalid, and judge what it answers.

    TARGET is the base URL of a server; without one the stub is started for the run.
    """
    from mockserver.suite.fuzzing import FuzzSettings

    shared = Options(**options)
    examples = max_examples or (FOREIGN_EXAMPLES if shared.foreign else EXAMPLES)
    return run_command("fuzz", shared, FuzzSettings(max_examples=examples, max_seconds=time, seed=seed))
