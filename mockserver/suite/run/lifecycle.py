"""Lifecycle of a run: options, target, plan, checks, reports and exit code."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockserver.contract.model import Contract
from mockserver.errors import MockServerError, UsageError
from mockserver.suite.applications.application_target import application_target
from mockserver.suite.applications.loaded_application import is_application_name, load_application, of_object
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.identities.admission import unused
from mockserver.suite.identities.header_options import with_headers
from mockserver.suite.identities.identities import Identities, require_known_schemes
from mockserver.suite.identities.seeded_accounts import with_tokens
from mockserver.suite.oracle import Oracle
from mockserver.suite.overlays.overlay_run import CompletedRun, follow, require_usable
from mockserver.suite.reports.conclusion import conclude
from mockserver.suite.reports.files import Reports, require_writable
from mockserver.suite.reports.har import Recording
from mockserver.suite.reports.json_report import Document, Report, as_json
from mockserver.suite.run.check_run import check
from mockserver.suite.run.check_run import plan as check_plan
from mockserver.suite.run.internal_errors import mistake_line
from mockserver.suite.run.interrupts import acknowledge_interrupt, interruptible, terminable
from mockserver.suite.run.plan import as_lines as plan_lines
from mockserver.suite.run.plan import may_write
from mockserver.suite.run.preparation import invented, own_stub, prepare, who_calls
from mockserver.suite.run.progress import NoProgress, Progress, shown_progress
from mockserver.suite.run.run_options import Options
from mockserver.suite.run.session import Run
from mockserver.suite.safety.ledger import LedgerFile, LedgerSummary, left_open
from mockserver.suite.safety.ledger_keeper import LedgerKeeper, new_ledger
from mockserver.suite.safety.original_values import OriginalValues, load_originals
from mockserver.suite.safety.target_lock import locked_target
from mockserver.suite.secrets.known_secrets import Secrets
from mockserver.suite.secrets.output_filter import OutputFilter, filtered_output
from mockserver.suite.survey.given_values import load_values
from mockserver.suite.target.connections import Connection
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.paths import undeclared
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.baseline import Baseline, load_baseline, write_baseline
from mockserver.suite.verdicts.evidence import Evidence
from mockserver.suite.verdicts.missing_checks import obstacles, scheme_remarks, state_remarks
from mockserver.suite.verdicts.verdict import ExitCode, RunOutcome

#: Stands for the stub that a run starts for itself, where none is started.
OWN_STUB = "http://localhost"

if TYPE_CHECKING:
    from mockserver.suite.fuzz.engine import FuzzSettings


@terminable()
def run_command(command: str, options: Options, settings: FuzzSettings | None = None) -> int:
    """Judge the target, write the reports and return the exit code.

    Args:
        command: `check` or `fuzz`.
        options: what both commands share.
        settings: what is generated, for `fuzz`.

    Raises:
        UsageError: an option cannot be used.
    """
    reports = Reports(options.report)
    require_usable(options, settings.shard if settings else "")
    if options.write_baseline is not None:
        require_writable("--write-baseline", options.write_baseline)
    baseline = load_baseline(options.baseline, datetime.now(UTC).date())
    with interruptible:
        contract = options.load_contract()
        for note in contract.document.notes:
            click.echo(f"mockserver: {note}", err=True)
        originals = load_originals(options.restore_values, contract)
    if options.dry_run:
        with prepared(options, contract, originals=originals, send_nothing=True) as run:
            planned = check_plan(run) if settings is None else ()
            click.echo(_plan(command, options, run, originals, settings, ledger_path(options.ledger, run), planned))
        return ExitCode.CLEAN
    redact, recordings = OutputFilter(), list[Recording]()
    with filtered_output(redact), ExitStack() as stack:

        def make(options: Options, contract: Contract) -> CompletedRun:
            with prepared(options, contract, redact.secrets, originals=originals) as run:
                if reports.has("har"):
                    recordings.extend(stack.enter_context(recorded(run)))
                path = ledger_path(options.ledger, run)
                if run.target.foreign:
                    click.echo(_plan(command, options, run, originals, settings, path), err=True)
                progress = NoProgress() if options.quiet else None
                report = _judged_alone(command, options, run, settings, originals, path, progress)
                return CompletedRun(contract, run, baseline.mark(as_json(report)))

        made = follow(options, make(options, contract), make)
        note_baseline(options, made.document, baseline)
        return conclude(
            made.document,
            reports,
            fail_on_drift=options.fail_on == "drift",
            quiet=options.quiet,
            recording=recordings[-1] if recordings else None,  # of the last run, which is the one that counts
            redact=redact,
        )


def judge(command: str, options: Options, settings: FuzzSettings | None = None) -> Document:
    """Judge the target and return the report as JSON, baseline applied; nothing is printed or written but a ledger.

    Args:
        command: `check` or `fuzz`.
        options: what both commands share; those about reports and overlays do not count.
        settings: what is generated, for `fuzz`.

    Raises:
        UsageError: an option cannot be used.
    """
    baseline = load_baseline(options.baseline, datetime.now(UTC).date())
    contract = options.load_contract()
    originals = load_originals(options.restore_values, contract)
    with prepared(options, contract, originals=originals) as run:
        path = ledger_path(options.ledger, run)
        report = _judged_alone(command, options, run, settings, originals, path, NoProgress())
        document = baseline.mark(as_json(report))
    return {**document, "run": {**document["run"], "fail_on": options.fail_on or ""}}


def _judged_alone(
    command: str,
    options: Options,
    run: Run,
    settings: FuzzSettings | None,
    originals: OriginalValues,
    path: Path | None,
    progress: Progress | None,
) -> Report:
    """Make a run, with the lock on a target that it may write to; return its report.

    Raises:
        UsageError: another run writes to the target, or was killed and never restored what it changed.
    """
    if run.own:
        return _with_oracle(command, options, run, settings, None, progress)
    in_process = isinstance(run.target, HttpTarget) and run.target.serve
    part = options.share > 1
    with ExitStack() as stack:
        if may_write(run) and not in_process:
            folder = (path or Path("ledger")).absolute().parent
            stack.enter_context(locked_target(run.target.base_url, [folder] if path else [], shared=part))
            if path is not None:
                require_restored(folder, run.target.base_url, alone=not part)
        ledger = LedgerFile(path, new=True) if path else None
        keeper = LedgerKeeper(run, originals, new_ledger(run), ledger)
        return _with_oracle(command, options, run, settings, keeper, progress)


def _with_oracle(
    command: str,
    options: Options,
    run: Run,
    settings: FuzzSettings | None,
    keeper: LedgerKeeper | None,
    progress: Progress | None,
) -> Report:
    """Make a run, and the same on our own stub unless that is the target or is not wanted; return the report."""
    if run.own or options.no_oracle:
        return judged(command, run, settings, keeper=keeper, progress=progress)
    with Oracle(run, command, settings, options) as oracle:
        return judged(command, run, settings, oracle, keeper, progress)


def note_baseline(options: Options, document: Document, baseline: Baseline) -> None:
    """Print expired and obsolete entries of the baseline, and write a new baseline if asked for."""
    for line in baseline.remarks(document, whole=not options.selection.options):
        click.echo(f"mockserver: {line}", err=True)
    path = options.write_baseline
    if path is not None:
        missing = write_baseline(path, document, baseline)
        click.echo(f"Baseline {path} is written; {missing} of its reasons are left for you to fill in.\n")


@contextmanager
def recorded(run: Run) -> Iterator[tuple[Recording, ...]]:
    """Record every exchange of a run within the context, with secrets masked; not for a target in this process."""
    if not isinstance(run.target, HttpTarget):
        yield ()
        return
    with closing(Recording(Evidence(run.contract, run.secrets, run.identities.always).exchange)) as recording:
        run.target.record(recording)
        yield (recording,)


def _plan(
    command: str,
    options: Options,
    run: Run,
    originals: OriginalValues,
    settings: FuzzSettings | None,
    path: Path | None,
    planned: Sequence[PlannedCheck] = (),
) -> str:
    examples = settings.max_examples if settings is not None else None
    ledger, own = str(path or ""), not options.has_target
    return "\n".join(plan_lines(command, run, originals, examples=examples, ledger=ledger, own=own, planned=planned))


def judged(
    command: str,
    run: Run,
    settings: FuzzSettings | None,
    oracle: Oracle | None = None,
    keeper: LedgerKeeper | None = None,
    progress: Progress | None = None,
) -> Report:
    """Make a run, put back what the run changed, and return its report.

    Args:
        command: `check` or `fuzz`.
        run: what is judged.
        settings: what is generated, for `fuzz`.
        oracle: the same run on our own stub.
        keeper: records and puts back changes.
        progress: receives the progress; None to show it on standard error.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    run.guard.keeper = keeper
    try:
        shown = shown_progress(sys.stderr, lambda: len(run.verdicts.findings()))
        with shown if progress is None else nullcontext(progress) as run.progress:
            outcome = _made(run, settings, oracle)
    except KeyboardInterrupt:
        outcome = RunOutcome(interrupted=True)
    except Exception as error:
        if isinstance(error, UsageError):
            put_back(run, keeper)
            raise
        # Whatever it is, what was found until then is reported.
        outcome = RunOutcome(error=str(error) if isinstance(error, MockServerError) else mistake_line("the run", error))
    except BaseException:
        acknowledge_interrupt()
        put_back(run, keeper)
        raise
    if acknowledge_interrupt():  # also one whose exception got lost on the way
        outcome = replace(outcome, interrupted=True)
    for obstacle in obstacles(run):
        run.verdicts.failed(obstacle)
    ledger = put_back(run, keeper)
    if run.verdicts.mistakes and not outcome.error:
        outcome = replace(outcome, error=run.verdicts.mistakes[0])
    return Report(
        command=command,
        target=run.target.name if isinstance(run.target, HttpTarget) else run.target.base_url,
        serve=run.target.serve if isinstance(run.target, HttpTarget) else "",
        contract=str(run.contract.document.path),
        contract_sha256=run.contract.document.sha256,
        seed=settings.seed if settings else None,
        started=started,
        duration_seconds=time.monotonic() - clock,
        requests=run.target.rate_limiter.requests,
        operations_total=len(run.contract.operations),
        reach=run.verdicts.reach(run.selected),
        notes=(*_limits(run), *undeclared(run.contract), *run.notes, *state_remarks(run), *scheme_remarks(run)),
        unused=()
        if outcome.error or outcome.interrupted
        else tuple(unused(run.contract, run.selected, run.guard.usage)),
        verdicts=run.verdicts,
        evidence=Evidence(run.contract, run.secrets, run.identities.always),
        outcome=outcome,
        ledger=ledger,
        own_stub=run.own,
        shard=settings.shard if settings else "",
    )


def _limits(run: Run) -> tuple[str, ...]:
    """Return lines about the operations and checks that options left out of a run."""
    return (*run.selection.notes(run.contract), *filter(None, [run.checks.note]))


def put_back(run: Run, keeper: LedgerKeeper | None) -> LedgerSummary:
    """Put back what a run changed on the target, and return the ledger."""
    if keeper is None:
        return LedgerSummary(run.guard.writes)
    try:
        return keeper.put_back()
    except MockServerError:
        raise
    except Exception as error:  # noqa: BLE001 - what was found is still to be reported
        mistake = mistake_line("putting back", error)
        run.verdicts.mistaken("putting back", "all operations", mistake)
        return LedgerSummary(run.guard.writes, left=(f"what was changed and is not put back: {mistake}",))


def _made(run: Run, settings: FuzzSettings | None, oracle: Oracle | None) -> RunOutcome:
    outcome = reach(run)
    # A server that is not ours is sent nothing before the contract is known to be fit. On this machine both runs go on
    # at the same time, and the verdict waits for both.
    if outcome is None and oracle is not None and run.target.foreign:
        outcome = _apply_oracle(run, oracle)
        oracle = None
    if outcome is not None:
        return outcome
    outcome = _judge(run, settings)
    if oracle is None or outcome.interrupted:
        return outcome
    unfit = _apply_oracle(run, oracle)
    return outcome if outcome.error or unfit is None else unfit


def _judge(run: Run, settings: FuzzSettings | None) -> RunOutcome:
    run.renewal.log_in()
    if settings is None:
        return check(run)
    from mockserver.suite.run.fuzz_run import fuzz  # loads schemathesis, which takes a second

    return fuzz(run, settings)


def _apply_oracle(run: Run, oracle: Oracle) -> RunOutcome | None:
    """Excuse failures that the oracle (our own stub) has, too; return an outcome if the contract is unfit."""
    run.progress.phase("oracle: the same on our own stub")
    try:
        opinion = oracle.opinion()
    except MockServerError as error:
        return RunOutcome(error=str(error))
    except KeyboardInterrupt:
        return RunOutcome(interrupted=True)
    run.verdicts.excuse(opinion.failures)
    run.notes += opinion.notes
    return RunOutcome(error=opinion.unfit) if opinion.unfit else None


def reach(run: Run) -> RunOutcome | None:
    """Return an outcome with an error if nothing accepts connections at the target, else None."""
    try:
        run.target.send(WireRequest("GET", _path_to_reach(run)))
    except MockServerError as error:
        return RunOutcome(error=str(error))
    except KeyboardInterrupt:
        return RunOutcome(interrupted=True)
    return None


def _path_to_reach(run: Run) -> str:
    """Return the path of the first request, which tests the connection: `/`, unless a policy refuses it."""
    root = run.guard.refusal(WireRequest("GET", "/"), None)
    return "/" if root is None else f"/{run.canaries.make('path', 12)}"


def ledger_path(given: Path | None, run: Run) -> Path | None:
    """Return the path of a run's ledger file, or None for a run that changes nothing on a foreign server.

    Raises:
        UsageError: an earlier run was killed; what it left would be saved as if it were the owner's.
    """
    if not run.target.foreign or run.own or not may_write(run):
        return None
    wanted = given or Path(f"mockserver-ledger-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json")
    require_restored(wanted.parent, run.target.base_url)
    return wanted


def require_restored(folder: Path, target: str, *, alone: bool = False) -> None:
    """Raise UsageError if a run on a target was killed and never restored; see `left_open`.

    Raises:
        UsageError: its ledger is in the folder.
    """
    killed = left_open(folder, target, alone=alone)
    if killed is not None:
        raise UsageError(f"{killed}: an earlier run on this target was killed; run mockserver restore {killed} first")


@contextmanager
def prepared(
    options: Options,
    contract: Contract,
    secrets: Secrets | None = None,
    *,
    originals: OriginalValues | None = None,
    send_nothing: bool = False,
) -> Iterator[Run]:
    """Yield a run against the target, or against a stub that is started for it.

    Args:
        options: where the target is, and what may be done to it.
        contract: what the target is held to.
        secrets: what must not be shown, to be added to; none are known before if it is left out.
        originals: values that are put back; what is theirs may be written.
        send_nothing: whether the run is only looked at, so that no stub is needed.

    Raises:
        UsageError: an option cannot be used, or the identities file.
    """
    connection, own_checks = options.connection(), options.own_checks(contract)
    identities = with_headers(
        who_calls(options.identities, seed_data=options.own_seed_data),
        options.header,
        contract,
        makes_identity=options.has_target,
    )
    own = not options.has_target and options.own_seed_data is None
    if own and not identities.all:
        identities = invented(contract)
    if options.target is None:
        identities = with_tokens(identities)  # our stub knows no other way to get one
    require_known_schemes(identities, contract)
    options.selection.of(contract)  # a wrong option is an error before a stub is started
    make = partial(
        prepare,
        contract,
        identities=identities,
        allow_writes=options.allow_writes,
        selection=options.selection,
        checks=options.chosen_checks(own_checks),
        own_checks=own_checks,
        settle_seconds=options.settle,
        secrets=secrets,
        originals=originals or OriginalValues(),
        given=load_values(options.values, contract),
    )
    if not options.has_target and not send_nothing:
        accounts = identities if own else Identities(())
        with own_stub(options.contract, connection, options.overlay, accounts, options.api) as (stub, control):
            yield make(stub, control=control)
        return
    if options.insecure:
        click.echo(
            "mockserver: WARNING: --insecure: anybody between here and the target can read the credentials", err=True
        )
    target = _target(options, connection)
    try:
        with closing(make(target)) as run:
            yield run
    finally:
        target.close()


def _target(options: Options, connection: Connection) -> HttpTarget:
    """Return the target of the options: at a URL, or an application in this process.

    Raises:
        UsageError: it is neither, or an application without a contract.
    """
    target = options.target or OWN_STUB
    if options.application is None and not is_application_name(target):
        return HttpTarget(target, connection)
    if options.contract is None and options.api is None:
        raise UsageError("an application is judged by a contract of its own: give --contract FILE")
    loaded = (
        load_application(target)
        if options.application is None
        else of_object(options.application, options.target or "")
    )
    return application_target(loaded, connection)
