"""A whole run on one page: from options to a target, the plan, the verdicts, the reports and the exit code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from mockserver import defaults
from mockserver.contract.building import load_contract
from mockserver.contract.model import Contract
from mockserver.errors import MockServerError
from mockserver.options import show_notes
from mockserver.suite.checking import check
from mockserver.suite.evidence import Evidence
from mockserver.suite.exchanges import WireRequest
from mockserver.suite.ledger import Ledger
from mockserver.suite.options import Options
from mockserver.suite.oracle import Oracle
from mockserver.suite.overlays.loop import Made, follow, require_usable
from mockserver.suite.preparing import own_stub, prepare, select, who_calls
from mockserver.suite.recording import Recording
from mockserver.suite.reports.concluding import conclude
from mockserver.suite.reports.document import Report, as_json
from mockserver.suite.reports.writing import Reports
from mockserver.suite.scrubbing import Scrubber, scrubbed
from mockserver.suite.secrecy import Secrets
from mockserver.suite.session import Run
from mockserver.suite.targets import HttpTarget
from mockserver.suite.verdicts import Outcome

if TYPE_CHECKING:
    from mockserver.suite.engine import FuzzSettings


def run_command(command: str, options: Options, settings: FuzzSettings | None = None) -> int:
    """Judge the target, write the reports, return the exit code.

    Args:
        command: `check` or `fuzz`.
        options: what both commands share.
        settings: what is generated, for `fuzz`.

    Raises:
        UsageError: an option cannot be used.
    """
    reports = Reports(options.report)
    require_usable(options)
    contract = load_contract(options.contract or defaults.CONTRACT, options.overlay)
    show_notes(contract.document.notes)
    scrub, recordings = Scrubber(), list[Recording]()
    with scrubbed(scrub), ExitStack() as stack:

        def make(options: Options, contract: Contract) -> Made:
            with prepared(options, contract, scrub.secrets) as run:
                if reports.has("har"):
                    recordings.extend(stack.enter_context(recorded(run)))
                if run.own or options.no_oracle:
                    report = judged(command, run, settings)
                else:
                    with Oracle(run, command, settings, options.contract, options.overlay) as oracle:
                        report = judged(command, run, settings, oracle)
                return Made(contract, run, as_json(report))

        made = follow(options, make(options, contract), make)
        return conclude(
            made.document,
            reports,
            fail_on_drift=options.fail_on == "drift",
            recording=recordings[-1] if recordings else None,  # of the last run, which is the one that counts
            scrub=scrub,
        )


@contextmanager
def recorded(run: Run) -> Iterator[tuple[Recording, ...]]:
    """Keep every exchange of a run as long as the context lasts, masked; a target in this process has none."""
    if not isinstance(run.target, HttpTarget):
        yield ()
        return
    with closing(Recording(Evidence(run.contract, run.secrets).exchange)) as recording:
        run.target.record(recording)
        yield (recording,)


def judged(command: str, run: Run, settings: FuzzSettings | None, oracle: Oracle | None = None) -> Report:
    """Return all there is to tell of a run, after it was made."""
    started, clock = datetime.now(UTC), time.monotonic()
    outcome = _made(run, settings, oracle)
    return Report(
        command=command,
        target=run.target.base_url,
        contract=str(run.contract.document.path),
        contract_sha256=run.contract.document.sha256,
        seed=settings.seed if settings else None,
        started=started,
        duration_seconds=time.monotonic() - clock,
        requests=run.target.governor.requests,
        operations_total=len(run.contract.operations),
        verdicts=run.verdicts,
        evidence=Evidence(run.contract, run.secrets),
        outcome=outcome,
        ledger=Ledger(run.writes, (), tuple(run.written)),
        own_stub=run.own,
    )


def _made(run: Run, settings: FuzzSettings | None, oracle: Oracle | None) -> Outcome:
    outcome = _reach(run)
    # A server that is not ours is sent nothing before the contract is known to be fit. On this machine both runs go on
    # at the same time, and the verdict waits for both.
    if outcome is None and oracle is not None and run.target.foreign:
        outcome = _heed(run, oracle)
        oracle = None
    if outcome is not None:
        return outcome
    outcome = _judge(run, settings)
    if oracle is None or outcome.interrupted:
        return outcome
    unfit = _heed(run, oracle)
    return outcome if outcome.error or unfit is None else unfit


def _judge(run: Run, settings: FuzzSettings | None) -> Outcome:
    if settings is None:
        return check(run)
    from mockserver.suite.fuzzing import fuzz  # loads schemathesis, which takes a second

    return fuzz(run, settings)


def _heed(run: Run, oracle: Oracle) -> Outcome | None:
    """Excuse what our own stub breaks, too; return why the contract is not fit to judge by, if it is not."""
    try:
        opinion = oracle.opinion()
    except MockServerError as error:
        return Outcome(error=str(error))
    except KeyboardInterrupt:
        return Outcome(interrupted=True)
    run.verdicts.excuse(opinion.findings)
    return Outcome(error=opinion.unfit) if opinion.unfit else None


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
def prepared(options: Options, contract: Contract, secrets: Secrets | None = None) -> Iterator[Run]:
    """Give a run against the target, or against a stub that lives as long as the run.

    Args:
        options: where the target is, and what may be done to it.
        contract: what the target is held to.
        secrets: what must not be shown, to be added to; none are known before if it is left out.

    Raises:
        UsageError: an option cannot be used, or the identities file.
    """
    connection = options.connection()
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
        secrets=secrets,
    )
    if options.target is None:
        with own_stub(options.contract, connection, options.overlay) as (stub, control):
            yield make(stub, control=control)
        return
    if options.insecure:
        show_notes(("WARNING: --insecure: whoever is on the way to the target can read the credentials",))
    target = HttpTarget(options.target, connection)
    try:
        yield make(target)
    finally:
        target.close()
