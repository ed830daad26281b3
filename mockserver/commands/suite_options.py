"""Options of `check`, `fuzz` and `restore` on the command line; their values are `Options` of the suite."""

from __future__ import annotations

from typing import Any

import click

from mockserver.commands.options import FILE, Command, contract_option, option, overlay_option
from mockserver.suite.reports.files import KINDS
from mockserver.suite.target.connections import CONNECT_SECONDS

#: What `check` and `fuzz` say at the end of their help.
EXIT_CODES = (
    "Exit codes: 1 the target violates the contract, 2 the run could not judge it, 130 interrupted, else 0. "
    "GLOB matches an operationId or `METHOD /path`."
)
#: Headings of the help, in its order.
SELECTION, _CREDENTIALS, _CONNECTION = "What is judged", "Credentials", "Connection"
_SAFETY, _RESULT = "Safety of the target", "Result"
IDENTITIES = option(
    "--identities",
    type=FILE,
    group=_CREDENTIALS,
    help="Accounts of the target that the run may use (YAML), with ${VARIABLES} for secrets.",
)


VALUES = option(
    "--values",
    type=FILE,
    group=SELECTION,
    help="Values of parameters and bodies (YAML): what exists on this target, and what its operations take.",
)


class _Headers(click.ParamType[Any]):
    """Header fields; several in the environment variable stand on lines of their own."""

    name = "header"
    envvar_list_splitter = "\n"


HEADER = option(
    "--header",
    multiple=True,
    type=_Headers(),
    metavar="'NAME: VALUE'",
    group=_CREDENTIALS,
    help="Header field of every request, with ${VARIABLES} for secrets; a credential is left out of requests that are "
    "to be refused for having none.",
)
SETTLE = option(
    "--settle",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    group=_SAFETY,
    help="How long a documented transition may last.",
)
RESTORE_VALUES = option(
    "--restore-values",
    type=FILE,
    group=_SAFETY,
    help="Original values to put back where no operation returns them (YAML), with ${VARIABLES} for secrets.",
)
*_KINDS, _LAST_KIND = KINDS
REPORT = option(
    "--report",
    multiple=True,
    metavar="KIND=FILE",
    group=_RESULT,
    help=f"Write a report; KIND is {', '.join(_KINDS)} or {_LAST_KIND}.",
)
FAIL_ON = option("--fail-on", type=click.Choice(["drift"]), group=_RESULT, help="Exit with 1 on drift as well.")
_POSITIVE = click.FloatRange(0, min_open=True)

#: How the target is reached, and how gently.
CONNECTION = (
    option(
        "--timeout",
        type=_POSITIVE,
        metavar="SECONDS",
        group=_CONNECTION,
        help="How long a response may take.  [default: 3 on loopback, else 10]",
    ),
    option(
        "--connect-timeout",
        type=_POSITIVE,
        default=CONNECT_SECONDS,
        show_default=True,
        metavar="SECONDS",
        group=_CONNECTION,
        help="How long connecting may take.",
    ),
    option(
        "--max-response",
        metavar="SIZE",
        group=_CONNECTION,
        help="Most content, decoded, to read of one response: bytes, or 500KB, 64MiB.  [default: 16MiB]",
    ),
    option(
        "--ca",
        type=FILE,
        group=_CONNECTION,
        help="Trust the certificate authorities in this file (PEM) instead of the system's.",
    ),
    option(
        "--insecure",
        is_flag=True,
        group=_CONNECTION,
        help="Accept any certificate; a man in the middle can then read the credentials.",
    ),
    option("--cert", type=FILE, group=_CONNECTION, help="Client certificate (PEM)."),
    option(
        "--key",
        type=FILE,
        group=_CONNECTION,
        help="Private key of --cert, where that file does not hold it.",
    ),
    option(
        "--proxy",
        metavar="URL",
        group=_CONNECTION,
        help="Proxy to go through; those of the environment are never used.",
    ),
    option("--rate", metavar="N/s", group=_SAFETY, help="Most requests a second.  [default: 10/s off loopback]"),
    option(
        "--budget",
        type=click.IntRange(1),
        metavar="N",
        group=_SAFETY,
        help="Most requests to one operation.  [default: 300 off loopback]",
    ),
    option(
        "--treat-as-remote",
        is_flag=True,
        group=_SAFETY,
        help="Treat a target on loopback as carefully as one off loopback.",
    ),
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
            option(
                "--only",
                multiple=True,
                metavar="GLOB",
                group=SELECTION,
                help="Judge these operations alone.",
            ),
            option(
                "--exclude",
                multiple=True,
                metavar="GLOB",
                group=SELECTION,
                help="Leave these operations out.",
            ),
            option(
                "--tag",
                multiple=True,
                metavar="NAME",
                group=SELECTION,
                help="Judge the operations with this tag alone.",
            ),
            option(
                "--skip-deprecated",
                is_flag=True,
                group=SELECTION,
                help="Leave out operations that the contract calls deprecated.",
            ),
            option(
                "--checks",
                multiple=True,
                metavar="NAME",
                group=SELECTION,
                help="Make these checks alone.",
            ),
            option(
                "--exclude-checks",
                multiple=True,
                metavar="NAME",
                group=SELECTION,
                help="Leave these checks out.",
            ),
            option(
                "--checks-from",
                multiple=True,
                metavar="MODULE",
                group=SELECTION,
                help="Python module with checks of your own.",
            ),
            option(
                "--no-oracle",
                is_flag=True,
                group=SELECTION,
                help="Leave out the same run on our own stub, which tells mistakes of the contract from those of the "
                "target.",
            ),
            IDENTITIES,
            VALUES,
            HEADER,
            *CONNECTION,
            option(
                "--allow-writes",
                multiple=True,
                metavar="GLOB",
                group=_SAFETY,
                help="Operations whose unsafe methods (POST, PUT, PATCH, DELETE) may be sent off loopback.",
            ),
            SETTLE,
            RESTORE_VALUES,
            option(
                "--ledger",
                type=FILE,
                group=_SAFETY,
                help="Where to record what the run changes, for `mockserver restore`.  "
                "[default: mockserver-ledger-<UTC time>.json if the run may change anything]",
            ),
            option("--dry-run", is_flag=True, group=_SAFETY, help="Print the plan, and send nothing."),
            REPORT,
            FAIL_ON,
            option(
                "--quiet",
                is_flag=True,
                group=_RESULT,
                help="Print the verdict alone: no page, no progress.",
            ),
            option(
                "--baseline",
                type=FILE,
                group=_RESULT,
                help="Known findings (YAML), which do not decide the exit code.",
            ),
            option(
                "--write-baseline",
                type=FILE,
                group=_RESULT,
                help="Write the findings as a baseline, with reasons to be filled in.",
            ),
            option(
                "--write-overlay",
                type=FILE,
                group=_RESULT,
                help="Write an OpenAPI Overlay that changes the contract where the target drifts from it.",
            ),
            option(
                "--apply",
                is_flag=True,
                group=_RESULT,
                help="Run again with the overlay of --write-overlay, to show that the drift is gone.",
            ),
        )
    ):
        command = decorate(command)
    return command
