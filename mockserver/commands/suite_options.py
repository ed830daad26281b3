"""Options of `check`, `fuzz` and `restore` on the command line; their values are `Options` of the suite."""

from __future__ import annotations

import click

from mockserver.commands.options import FILE, Command, contract_option, option, overlay_option
from mockserver.suite.target.connections import CONNECT_SECONDS

#: What `check` and `fuzz` say at the end of their help.
EXIT_CODES = (
    "Exit codes: 1 the contract is violated, 2 that could not be judged, 130 interrupted, else 0. "
    "Each option can also stand in mockserver.toml or in [tool.mockserver] of pyproject.toml; a flag wins."
)
IDENTITIES = option("--identities", type=FILE, help="Accounts of the target, with ${VARIABLES} for secrets (YAML).")
SETTLE = option(
    "--settle",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a documented transition may last.",
)
RESTORE_VALUES = option(
    "--restore-values",
    type=FILE,
    help="Original values to put back, where the API does not give them (YAML), with ${VARIABLES} for secrets.",
)
_POSITIVE = click.FloatRange(0, min_open=True)

#: How the target is reached, and how gently.
CONNECTION = (
    option("--rate", metavar="N/s", help="Requests a second.  [default: 10/s off loopback]"),
    option(
        "--budget",
        type=click.IntRange(1),
        metavar="N",
        help="Requests for one operation at most.  [default: 300 off loopback]",
    ),
    option("--treat-as-remote", is_flag=True, help="Be as careful on loopback as with somebody else's server."),
    option(
        "--timeout",
        type=_POSITIVE,
        metavar="SECONDS",
        help="How long an answer may take.  [default: 3 on loopback, else 10]",
    ),
    option(
        "--connect-timeout",
        type=_POSITIVE,
        default=CONNECT_SECONDS,
        show_default=True,
        metavar="SECONDS",
        help="How long a connection may take to be made.",
    ),
    option(
        "--max-response",
        metavar="SIZE",
        help="How much is read of an answer's content, decoded: bytes, or 500KB, 64MiB.  [default: 16MiB]",
    ),
    option("--ca", type=FILE, help="Trust the authorities in this file (PEM) instead of the usual ones."),
    option("--insecure", is_flag=True, help="Take any certificate: whoever is in between reads the credentials."),
    option("--cert", type=FILE, help="This client's certificate (PEM)."),
    option("--key", type=FILE, help="The key of --cert, where that file does not hold it."),
    option("--proxy", metavar="URL", help="Go through a proxy; those of the environment are never used."),
)


def connection_options(command: Command) -> Command:
    """Give a command the options that say how the target is reached."""
    for decorate in reversed(CONNECTION):
        command = decorate(command)
    return command


def shared_options(command: Command) -> Command:
    """Give a command the options that `check` and `fuzz` share."""
    for decorate in reversed(
        (
            click.argument("target", required=False, envvar="MOCKSERVER_TARGET"),
            contract_option(),
            overlay_option(),
            IDENTITIES,
            option(
                "--allow-writes",
                multiple=True,
                metavar="GLOB",
                help="Operations whose unsafe methods may be sent to a server that is not on this machine.",
            ),
            *CONNECTION,
            SETTLE,
            RESTORE_VALUES,
            option(
                "--ledger",
                type=FILE,
                help="Where to keep what is changed.  [default: mockserver-ledger-<UTC time>.json, if anything may be]",
            ),
            option("--dry-run", is_flag=True, help="Print the plan, and send nothing."),
            option("--report", multiple=True, metavar="KIND=FILE", help="Write a report, in a kind of docs/suite.md."),
            option("--fail-on", type=click.Choice(["drift"]), help="Exit with 1 on drift, too."),
            option(
                "--no-oracle",
                is_flag=True,
                help="Do not make the same run on our own stub, which tells the contract's mistakes from the server's.",
            ),
            option(
                "--write-overlay", type=FILE, help="Write an OpenAPI Overlay that says what was seen where it drifts."
            ),
            option("--baseline", type=FILE, help="Known findings (YAML), which do not decide the exit code."),
            option("--write-baseline", type=FILE, help="Write the findings as a baseline, reasons to be filled in."),
            option("--apply", is_flag=True, help="Run again with the written overlay, to show that the drift is gone."),
            option("--only", multiple=True, metavar="GLOB", help="Limit to an operationId or `METHOD /path`."),
        )
    ):
        command = decorate(command)
    return command
