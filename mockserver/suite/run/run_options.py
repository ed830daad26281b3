"""The options that `check` and `fuzz` share, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click

from mockserver.commands.options import FILE, Command, contract_option, option, overlay_option
from mockserver.errors import UsageError
from mockserver.suite.safety.rate_limiter import parse_rate
from mockserver.suite.target.connections import CONNECT_SECONDS, Connection, is_this_machine
from mockserver.suite.target.wire import MAX_RESPONSE


@dataclass(frozen=True, slots=True)
class Options:
    """The options that `check` and `fuzz` share; each as docs/suite.md says.

    Attributes:
        share: of how many parts of a run, which share the rate, this is one.
    """

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
    write_overlay: Path | None = None
    apply: bool = False
    baseline: Path | None = None
    write_baseline: Path | None = None
    no_oracle: bool = False
    treat_as_remote: bool = False
    budget: int | None = None
    timeout: float | None = None
    connect_timeout: float = CONNECT_SECONDS
    max_response: str | None = None
    ca: Path | None = None
    insecure: bool = False
    cert: Path | None = None
    key: Path | None = None
    proxy: str | None = None
    restore_values: Path | None = None
    ledger: Path | None = None
    dry_run: bool = False
    share: int = 1

    @property
    def foreign(self) -> bool:
        """Whether the target is somebody else's server."""
        host = urlsplit(self.target or "").hostname
        return self.treat_as_remote or (host is not None and not is_this_machine(host))

    def connection(self) -> Connection:
        """Return how the target is to be reached.

        Raises:
            UsageError: the rate is none, or the size.
        """
        return Connection(
            rate=None if self.rate is None else parse_rate(self.rate),
            budget=self.budget,
            treat_as_remote=self.treat_as_remote,
            timeout_seconds=self.timeout,
            ca=self.ca,
            insecure=self.insecure,
            cert=self.cert,
            key=self.key,
            proxy=self.proxy,
            connect_seconds=self.connect_timeout,
            share=self.share,
            max_response=MAX_RESPONSE if self.max_response is None else parse_size("--max-response", self.max_response),
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
_SIZE = re.compile(r"(\d{1,12})\s*(?:([kmg])(i?)b?|b)?", re.IGNORECASE)
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


def parse_size(option: str, text: str) -> int:
    """Return the bytes of a size such as `65536`, `500KB` or `16MiB`.

    Raises:
        UsageError: another form, or not above 0.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(f"{option} {text!r} is not a size; write bytes, or 500KB, 64MiB")
    power = " kmg".index(found[2].lower()) if found[2] else 0
    return int(found[1]) * int((1024 if found[3] else 1000) ** power)


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
