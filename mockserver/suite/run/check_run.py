"""`mockserver check`: run a fixed plan of checks one after the other, then retry requests that timed out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from mockserver.contract.roles import is_login
from mockserver.errors import MockServerError
from mockserver.suite.access import doors, effects, logins, other_accounts, own_settings, schemes, worded_levels
from mockserver.suite.checks import (
    acceptance,
    created_items,
    credentials,
    documented_examples,
    invalid_requests,
    links,
    permissions,
    robustness,
    state,
    undefined_routes,
)
from mockserver.suite.checks.any_response import RESPONSE_CHECKS, no_response
from mockserver.suite.checks.contents import arguments, bounds, echoes
from mockserver.suite.checks.planned_check import PlannedCheck, Planner, on_operation
from mockserver.suite.checks.protocol import allowed_methods, parallel_calls, streams
from mockserver.suite.run.internal_errors import containing_mistakes
from mockserver.suite.run.session import Run, Session
from mockserver.suite.state import item_checks, singleton_checks
from mockserver.suite.survey.survey import survey
from mockserver.suite.target.exchange import Exchange
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, failures_in, others_in, reasons_in
from mockserver.suite.verdicts.missing_checks import note_missing_checks
from mockserver.suite.verdicts.verdict import RunOutcome


def access_checks(run: Run) -> list[PlannedCheck]:
    """Return the planned checks about credentials and levels, ordered by operation.

    Credentials that ended look right wherever a refusal is expected, so calls that must succeed stand among them.
    """
    order = {operation.label: number for number, operation in enumerate(run.selected)}
    entries = (
        *effects.planned_checks(run),  # first, since it tells what an accepted call did
        *credentials.planned_checks(run),
        *permissions.planned_checks(run),
        *other_accounts.planned_checks(run),
        *own_settings.planned_checks(run),
        *schemes.planned_checks(run),
        *worded_levels.planned_checks(run),
        *doors.planned_checks(run),
        *logins.planned_checks(run),
    )
    return sorted(entries, key=lambda entry: order[entry.operation])


def own_planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the planned checks of the user's own modules, on each selected operation."""
    return [on_operation(check, operation) for check in run.own_checks.operations for operation in run.selected]


#: Planners in the order of their planned checks: those that say most about a server come first.
PLANNERS: tuple[Planner, ...] = (
    documented_examples.planned_checks,
    state.planned_checks,
    item_checks.planned_checks,
    singleton_checks.planned_checks,
    links.planned_checks,
    created_items.planned_checks,
    access_checks,
    invalid_requests.planned_checks,
    undefined_routes.planned_checks,
    arguments.planned_checks,
    bounds.planned_checks,
    robustness.planned_checks,
    echoes.planned_checks,
    parallel_calls.planned_checks,
    allowed_methods.planned_checks,
    streams.planned_checks,
    own_planned_checks,
)


#: Results of other checks' requests: where one of them is chosen, those requests are sent.
OF_ANY_REQUEST = frozenset(
    {"the_server_answers", "valid_writes_are_accepted", *(one.__name__ for one in RESPONSE_CHECKS)}
)


def plan(run: Run) -> list[PlannedCheck]:
    """Return all planned checks that apply to a run, those that revoke credentials last."""
    return sorted(planned(run, *PLANNERS), key=lambda entry: entry.last)


def planned(run: Run, *planners: Planner) -> list[PlannedCheck]:
    """Return the planned checks that planner functions make; a planner that raises is reported as not run."""
    entries: list[PlannedCheck] = []
    for planner in planners:
        with containing_mistakes(
            run.verdicts, f"{planner.__module__.rpartition('.')[2]} ({planner.__name__})", "all operations"
        ):
            entries += planner(run)
    return [entry for entry in entries if _is_chosen(run, entry)]


def _is_chosen(run: Run, entry: PlannedCheck) -> bool:
    """Tell whether a planned check is to be made, if only for the sake of the checks of its responses."""
    if entry.check in run.checks.left_out:
        return False
    of_any = {*OF_ANY_REQUEST, *(check.__name__ for check in run.own_checks.responses)}
    return entry.check in run.checks or not of_any.isdisjoint(run.checks.only)


def check(run: Run) -> RunOutcome:
    """Run all planned checks of the plan and return the outcome; results are in `run.verdicts`."""
    run.unanswered = []
    outcome = survey(run)
    if outcome == RunOutcome():
        outcome = make(run, plan(run))
    if outcome == RunOutcome():
        outcome = make(run, planned(run, acceptance.planned_checks))
    outcome = ask_again(run, outcome)
    if outcome == RunOutcome():
        note_missing_checks(run)
    return outcome


def ask_again(run: Run, outcome: RunOutcome) -> RunOutcome:
    """Repeat the requests that timed out; after a run that ended early, report them instead."""
    if outcome == RunOutcome():
        pending = late_checks(run)
        return make(run, pending) if pending else outcome
    for failure in unasked(run, outcome):
        run.verdicts.failed(failure)
    return outcome


def make(run: Run, entries: Iterable[PlannedCheck]) -> RunOutcome:
    """Run planned checks one after the other and return the outcome; results are in `run.verdicts`."""
    todo = list(entries)
    run.progress.phase("checks", len(todo))
    try:
        for entry in todo:
            started = time.monotonic()
            with containing_mistakes(run.verdicts, entry.check, entry.operation):
                _make(run, entry)
            run.verdicts.took(entry.check, entry.operation, time.monotonic() - started)
            run.progress.step(entry.operation)
    except KeyboardInterrupt:
        return RunOutcome(interrupted=True)
    except MockServerError as error:
        return RunOutcome(error=str(error))
    return RunOutcome()


def _make(run: Run, entry: PlannedCheck) -> None:
    session = Session(run)
    try:
        cases = entry.make(session)
    except (CheckFailure, NotRun, BaseExceptionGroup) as error:
        failures, reasons = list(failures_in(error)), list(reasons_in(error))
        ended = next(others_in(error), None)
        for failure in failures:
            if failure.exchange is not None:
                failure.exchange = run.creations.complete(session.world, failure.exchange)
            run.verdicts.failed(failure)
        for reason in reasons:
            run.verdicts.passed(entry.check, entry.operation, reason.cases)
            run.verdicts.not_run(entry.check, entry.operation, str(reason))
        if failures and not reasons and all(failure.check != entry.check for failure in failures):
            run.verdicts.not_run(entry.check, entry.operation, f"{failures[0].check} failed first")
        if ended is not None:
            raise ended from None
    else:
        run.verdicts.passed(entry.check, entry.operation, cases)
    session.close()


_CHECK = "the_server_answers"
#: So many seconds are spent on silence at the end of a run, all operations together.
MAX_SECONDS = 60.0


@dataclass(slots=True)
class _Clock:
    """Seconds spent waiting for requests that timed out again, and the operations concerned."""

    waited: float = 0.0
    silent: set[str] = field(default_factory=set)


def late_checks(run: Run) -> list[PlannedCheck]:
    """Return a planned check `the_server_answers` for each request that timed out."""
    clock = _Clock()
    pending, run.unanswered = run.unanswered or [], None
    return [
        PlannedCheck(_CHECK, failure.operation, partial(_asked_again, failure=failure, clock=clock), last=True)
        for failure in pending
    ]


def unasked(run: Run, outcome: RunOutcome) -> Iterator[CheckFailure]:
    """Yield the timeouts of a run that ended early, or record their checks as not run if it was interrupted."""
    pending, run.unanswered = run.unanswered or [], None
    for failure in pending:
        if outcome.interrupted:
            run.verdicts.not_run(
                _CHECK, failure.operation, "there was no response in time, and the request was not repeated"
            )
        else:
            yield failure


def _asked_again(session: Session, *, failure: CheckFailure, clock: _Clock) -> int:
    run, label = session.run, failure.operation
    before = failure.exchange
    assert before is not None
    if label in clock.silent:
        return 0  # one silence of an operation is enough
    if clock.waited > MAX_SECONDS:
        raise NotRun(f"there was no response in time, and no time is left after {clock.waited:.0f} s of waiting")
    request = before.request
    operation = run.resolver.methods_at(request.path).get(request.method)
    login = operation is not None and is_login(operation)
    if (refusal := run.guard.refusal(request, operation, login=login)) is not None:
        raise NotRun(f"there was no response in time, and {refusal}")
    with run.target.patient() as seconds:
        exchange = run.target.send(request, label)
    run.guard.record_response(request, exchange.response)
    if exchange.response is None:
        clock.waited += seconds
        clock.silent.add(label)
        raise no_response(label, Exchange(request, None, exchange.problem, before.history), failure.pointer)
    session.judge(operation, label, exchange)
    return 1
