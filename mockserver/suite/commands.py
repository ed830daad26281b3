"""`mockserver check` and `mockserver fuzz`: options, target, report, exit code."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mockserver import defaults
from mockserver.contract.model import Contract, Operation, load_contract
from mockserver.errors import UsageError
from mockserver.suite.checking import check
from mockserver.suite.evidence import Evidence
from mockserver.suite.governor import WritePolicy, matches, parse_rate
from mockserver.suite.identities import Identities, load_identities, seeded_identities
from mockserver.suite.reports import WRITERS, Ledger, Report, as_text, parse_report_option
from mockserver.suite.secrecy import Secrets
from mockserver.suite.session import Run
from mockserver.suite.stub_process import StubProcess, control_of
from mockserver.suite.targets import HttpTarget
from mockserver.suite.verdicts import Outcome, Verdicts, exit_code

_FILE = click.Path(path_type=Path)


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


def _option(name: str, **settings: Any) -> Any:
    variable = "MOCKSERVER_" + name.lstrip("-").replace("-", "_").upper()
    return click.option(name, envvar=variable, show_envvar=True, **settings)


def _shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for decorate in reversed(
        (
            click.argument("target", required=False, envvar="MOCKSERVER_TARGET"),
            _option(
                "--contract", type=_FILE, help="OpenAPI contract, YAML or JSON.  [default: the built-in one]"
            ),
            _option(
                "--identities",
                type=_FILE,
                help="Accounts of the target, with ${VARIABLES} for secrets (YAML).",
            ),
            _option(
                "--allow-writes",
                multiple=True,
                metavar="GLOB",
                help="Operations whose unsafe methods may be sent to a server that is not on this machine.",
            ),
            _option("--rate", metavar="N/s", help="Requests a second.  [default: 10/s off loopback]"),
            _option(
                "--settle",
                type=click.FloatRange(0),
                default=5.0,
                show_default=True,
                metavar="SECONDS",
                help="How long a documented transition may last.",
            ),
            _option("--report", multiple=True, metavar="KIND=FILE", help="Write a report; kinds: json."),
            _option("--fail-on", type=click.Choice(["drift"]), help="Exit with 1 on drift, too."),
            _option(
                "--only", multiple=True, metavar="GLOB", help="Limit to an operationId or `METHOD /path`."
            ),
        )
    ):
        command = decorate(command)
    return command


@click.command("check")
@_shared_options
def check_command(**options: Any) -> int:
    """Check a server against the contract, in seconds and always alike.

    TARGET is the base URL of a server; without one the stub is started for the run.
    Exit code: 1 if the contract is violated, 2 if that could not be judged, else 0.
    """
    shared = Options(**options)
    return _run("check", shared, None, check)


@click.command("fuzz")
@_shared_options
@_option(
    "--max-examples",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Generated cases for each operation.",
)
@_option("--time", type=click.IntRange(1), metavar="SECONDS", help="Go on with new cases for so long.")
@_option("--seed", type=int, default=0, show_default=True, help="The same seed sends the same cases.")
def fuzz_command(max_examples: int, time: int | None, seed: int, **options: Any) -> int:
    """Send a server generated requests, valid and invalid, and judge what it answers.

    TARGET is the base URL of a server; without one the stub is started for the run.
    Exit code: 1 if the contract is violated, 2 if that could not be judged, else 0.
    """
    from mockserver.suite.engine import FuzzSettings, fuzz

    settings = FuzzSettings(max_examples=max_examples, max_seconds=time, seed=seed)
    return _run("fuzz", Options(**options), seed, lambda run: fuzz(run, settings))


def _run(command: str, options: Options, seed: int | None, judge: Callable[[Run], Outcome]) -> int:
    """Judge the target, write the reports, return the exit code.

    Raises:
        UsageError: an option cannot be used.
    """
    reports = [parse_report_option(text) for text in options.report]
    contract = load_contract(options.contract or defaults.CONTRACT)
    selected = select(contract, options.only)
    started, clock = datetime.now(UTC), time.monotonic()
    with _prepared(options, contract, selected) as run:
        outcome = judge(run)
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


def select(contract: Contract, patterns: tuple[str, ...]) -> tuple[Operation, ...]:
    """Return the operations that the globs name, all if there are none.

    Raises:
        UsageError: no operation matches; or the contract has none.
    """
    if not contract.operations:
        raise UsageError(f"{contract.document.path}: has no operations, so there is nothing to test")
    if not patterns:
        return contract.operations
    found = tuple(operation for operation in contract.operations if matches(operation, patterns))
    if not found:
        raise UsageError(f"--only {' '.join(patterns)}: no operation matches, so there is nothing to test")
    return found


@contextmanager
def _prepared(options: Options, contract: Contract, selected: tuple[Operation, ...]) -> Iterator[Run]:
    """Give a run against the target, or against a stub that lives as long as the run.

    Raises:
        UsageError: an option cannot be used, or the identities file.
    """
    rate = None if options.rate is None else parse_rate(options.rate)
    identities = _identities(options)
    if options.target is not None:
        target = HttpTarget(options.target, rate=rate)
        try:
            yield _new_run(options, contract, selected, target, identities)
        finally:
            target.close()
        return
    with StubProcess(options.contract) as stub:
        target = HttpTarget(stub.base_url, rate=rate)
        try:
            run = _new_run(options, contract, selected, target, identities)
            run.control = control_of(stub, target)
            run.own = True
            yield run
        finally:
            target.close()


def _new_run(
    options: Options,
    contract: Contract,
    selected: tuple[Operation, ...],
    target: HttpTarget,
    identities: Identities,
) -> Run:
    return Run(
        contract=contract,
        target=target,
        identities=identities,
        policy=WritePolicy(target.foreign, options.allow_writes),
        verdicts=Verdicts(contract),
        secrets=Secrets(),
        selected=selected,
        settle_seconds=options.settle,
    )


def _identities(options: Options) -> Identities:
    if options.identities is not None:
        return load_identities(options.identities)
    # Seed data belongs to the stub of the built-in contract; any other server has accounts of its own.
    if options.target is None and options.contract is None:
        return seeded_identities(defaults.SEED_DATA)
    return Identities(())
