"""`mockserver check` and `mockserver fuzz`: options, target, report, exit code."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from mockserver import defaults
from mockserver.contract.building import load_contract
from mockserver.contract.model import Contract
from mockserver.errors import MockServerError
from mockserver.options import FILE, Command, contract_option, option
from mockserver.suite.checking import check
from mockserver.suite.evidence import Evidence
from mockserver.suite.exchanges import WireRequest
from mockserver.suite.governor import parse_rate
from mockserver.suite.preparing import own_stub, prepare, select, who_calls
from mockserver.suite.reports import WRITERS, Ledger, Report, as_text, parse_report_option
from mockserver.suite.session import Run
from mockserver.suite.targets import HttpTarget
from mockserver.suite.verdicts import Outcome, exit_code

_EXIT_CODES = (
    "Exit codes: 1 the contract is violated, 2 that could not be judged, 130 interrupted, else 0. "
    "Each option can also stand in mockserver.toml or in [tool.mockserver] of pyproject.toml; a flag wins."
)


@dataclass(frozen=True, slots=True)
class Options:
    """The options that `check` and `fuzz` share."""

    target: str | None
    contract: Path | None
    identities: Path | None
    allow_writes: tuple[str, ...]
    rate: str | None
    settle: float
    report: tuple[str, ...]
    fail_on: str | None
    only: tuple[str, ...]


def _shared_options(command: Command) -> Command:
    for decorate in reversed(
        (
            click.argument("target", required=False, envvar="MOCKSERVER_TARGET"),
            contract_option(),
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
            option("--report", multiple=True, metavar="KIND=FILE", help="Write a report; kinds: json."),
            option("--fail-on", type=click.Choice(["drift"]), help="Exit with 1 on drift, too."),
            option("--only", multiple=True, metavar="GLOB", help="Limit to an operationId or `METHOD /path`."),
        )
    ):
        command = decorate(command)
    return command


@click.command("check", epilog=_EXIT_CODES, short_help="Check a server against the contract, in seconds.")
@_shared_options
def check_command(**options: Any) -> int:
    """Check a server against the contract, in seconds and always alike.

    TARGET is the base URL of a server; without one the stub is started for the run.
    """
    shared = Options(**options)
    return _run("check", shared, None, check)


@click.command("fuzz", epilog=_EXIT_CODES, short_help="Judge a server on generated requests.")
@_shared_options
@option(
    "--max-examples",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Generated cases for each operation.",
)
@option("--time", type=click.IntRange(1), metavar="SECONDS", help="Go on with new cases for so long.")
@option("--seed", type=int, default=0, show_default=True, help="The same seed sends the same cases.")
def fuzz_command(max_examples: int, time: int | None, seed: int, **options: Any) -> int:
    """Send a server generated requests, valid and invalid, and judge what it answers.

    TARGET is the base URL of a server; without one the stub is started for the run.
    """
    from mockserver.suite.fuzzing import FuzzSettings, fuzz

    settings = FuzzSettings(max_examples=max_examples, max_seconds=time, seed=seed)
    return _run("fuzz", Options(**options), seed, lambda run: fuzz(run, settings))


def _run(command: str, options: Options, seed: int | None, judge: Callable[[Run], Outcome]) -> int:
    """Judge the target, write the reports, return the exit code.

    Raises:
        UsageError: an option cannot be used.
    """
    reports = [parse_report_option(text) for text in options.report]
    contract = load_contract(options.contract or defaults.CONTRACT)
    started, clock = datetime.now(UTC), time.monotonic()
    with _prepared(options, contract) as run:
        outcome = _reach(run) or judge(run)
        report = Report(
            command=command,
            target=run.target.base_url,
            contract=str(contract.document.path),
            contract_sha256=contract.document.sha256,
            seed=seed,
            started=started,
            duration_seconds=time.monotonic() - clock,
            requests=run.target.governor.requests,
            operations_total=len(contract.operations),
            verdicts=run.verdicts,
            evidence=Evidence(contract, run.secrets),
            outcome=outcome,
            ledger=Ledger(run.writes, (), tuple(run.written)),
        )
    for kind, path in reports:
        WRITERS[kind](report, path)
    click.echo(as_text(report))
    return exit_code(report.verdicts, outcome, fail_on_drift=options.fail_on == "drift")


def _reach(run: Run) -> Outcome | None:
    """Return why nothing can be judged if nothing listens at the target, else None."""
    try:
        run.target.send(WireRequest("GET", "/"))
    except MockServerError as error:
        return Outcome(error=str(error))
    except KeyboardInterrupt:
        return Outcome(interrupted=True)
    return None


@contextmanager
def _prepared(options: Options, contract: Contract) -> Iterator[Run]:
    """Give a run against the target, or against a stub that lives as long as the run.

    Raises:
        UsageError: an option cannot be used, or the identities file.
    """
    rate = None if options.rate is None else parse_rate(options.rate)
    builtin_stub = options.target is None and options.contract is None
    identities = who_calls(options.identities, builtin_stub=builtin_stub)
    select(contract, options.only)  # a mistake in an option is told before a stub is started
    make = partial(
        prepare,
        contract,
        identities=identities,
        allow_writes=options.allow_writes,
        only=options.only,
        settle_seconds=options.settle,
    )
    if options.target is None:
        with own_stub(options.contract, rate=rate) as (stub, control):
            yield make(stub, control=control)
        return
    target = HttpTarget(options.target, rate=rate)
    try:
        yield make(target)
    finally:
        target.close()
