"""The options that `check` and `fuzz` share, as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from mockserver.options import FILE, Command, contract_option, option, overlay_option


@dataclass(frozen=True, slots=True)
class Options:
    """The options that `check` and `fuzz` share; each as docs/suite.md says."""

    target: str | None = None
    contract: Path | None = None
    overlay: tuple[Path, ...] = ()
    identities: Path | None = None
    allow_writes: tuple[str, ...] = ()
    rate: str | None = None
    settle: float = 5.0
    report: tuple[str, ...] = ()
    fail_on: str | None = None
    only: tuple[str, ...] = ()
    no_oracle: bool = False


def shared_options(command: Command) -> Command:
    """Give a command the options that `check` and `fuzz` share."""
    for decorate in reversed(
        (
            click.argument("target", required=False, envvar="MOCKSERVER_TARGET"),
            contract_option(),
            overlay_option(),
            option(
                "--identities",
                type=FILE,
                help="Accounts of the target, with ${VARIABLES} for secrets (YAML).",
            ),
            option(
                "--allow-writes",
                multiple=True,
                metavar="GLOB",
                help="Operations whose unsafe methods may be sent to a server that is not on this machine.",
            ),
            option("--rate", metavar="N/s", help="Requests a second.  [default: 10/s off loopback]"),
            option(
                "--settle",
                type=click.FloatRange(0),
                default=5.0,
                show_default=True,
                metavar="SECONDS",
                help="How long a documented transition may last.",
            ),
            option("--report", multiple=True, metavar="KIND=FILE", help="Write a report, in a kind of docs/suite.md."),
            option("--fail-on", type=click.Choice(["drift"]), help="Exit with 1 on drift, too."),
            option(
                "--no-oracle",
                is_flag=True,
                help="Do not make the same run on our own stub, which tells the contract's mistakes from the server's.",
            ),
            option("--only", multiple=True, metavar="GLOB", help="Limit to an operationId or `METHOD /path`."),
        )
    ):
        command = decorate(command)
    return command
