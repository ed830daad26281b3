"""`mockserver check`: run a fixed plan of checks one after the other, then retry requests that timed out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from mockserver.contract.roles import is_login
from mockserver.errors import MockServerError
from mockserver.suite.checks import (
    acceptance,
    credentials,
    documented_examples,
    invalid_requests,
    links,
    permissions,
    robustness,
    state,
    undefined_routes,
)
from mockserver.suite.checks.any_response import no_answer
from mockserver.suite.checks.task import Planner, Task
from mockserver.suite.run.internal_errors import containing_mistakes
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, failures_in, others_in, reasons_in
from mockserver.suite.verdicts.missing_checks import note_missing_checks
from mockserver.suite.verdicts.verdict import RunOutcome


def access_tasks(run: Run) -> list[Task]:
    """Return the tasks about credentials and levels, ordered by operation.

    Credentials that ended look right wherever a refusal is expected, so calls that must succeed stand among them.
    """
    order = {operation.label: number for number, operation in enumerate(run.selected)}
    tasks = (*credentials.tasks(run), *permissions.tasks(run))
    return sorted(tasks, key=lambda task: order[task.operation])


#: In the order in which they are made: what says most about a server comes first.
PLANNERS: tuple[Planner, ...] = (
    documented_examples.tasks,
    state.tasks,
    links.tasks,
    access_tasks,
    invalid_requests.tasks,
    undefined_routes.tasks,
    robustness.tasks,
)


def plan(run: Run) -> list[Task]:
    """Return all tasks that apply to a run, those that revoke credentials last."""
    return sorted(planned(run, *PLANNERS), key=lambda task: task.last)


def planned(run: Run, *planners: Planner) -> list[Task]:
    """Return the tasks of some planners; a planner that raises is reported as not run."""
    tasks: list[Task] = []
    for planner in planners:
        with containing_mistakes(
            run.verdicts, f"{planner.__module__.rpartition('.')[2]} ({planner.__name__})", "all operations"
        ):
            tasks += planner(run)
    return tasks


def check(run: Run) -> RunOutcome:
    """Run all tasks of the plan and return the outcome; results are in `run.verdicts`."""
    run.unanswered = []
    outcome = make(run, plan(run))
    if outcome == RunOutcome():
        outcome = make(run, planned(run, acceptance.tasks))
    outcome = ask_again(run, outcome)
    if outcome == RunOutcome():
        note_missing_checks(run)
    return outcome


def ask_again(run: Run, outcome: RunOutcome) -> RunOutcome:
    """Repeat the requests that timed out; after a run that ended early, report them instead."""
    if outcome == RunOutcome():
        pending = late_tasks(run)
        return make(run, pending) if pending else outcome
    for failure in unasked(run, outcome):
        run.verdicts.failed(failure)
    return outcome


def make(run: Run, tasks: Iterable[Task]) -> RunOutcome:
    """Run tasks one after the other and return the outcome; results are in `run.verdicts`."""
    todo = list(tasks)
    run.progress.phase("claims", len(todo))
    try:
        for task in todo:
            with containing_mistakes(run.verdicts, task.check, task.operation):
                _make(run, task)
            run.progress.step(task.operation)
    except KeyboardInterrupt:
        return RunOutcome(interrupted=True)
    except MockServerError as error:
        return RunOutcome(error=str(error))
    return RunOutcome()


def _make(run: Run, task: Task) -> None:
    session = Session(run)
    try:
        cases = task.make(session)
    except (CheckFailure, NotRun, BaseExceptionGroup) as error:
        failures, reasons = list(failures_in(error)), list(reasons_in(error))
        ended = next(others_in(error), None)
        for failure in failures:
            run.verdicts.failed(failure)
        for reason in reasons:
            run.verdicts.passed(task.check, task.operation, reason.cases)
            run.verdicts.not_run(task.check, task.operation, str(reason))
        if failures and not reasons and all(failure.check != task.check for failure in failures):
            run.verdicts.not_run(task.check, task.operation, f"{failures[0].check} failed first")
        if ended is not None:
            raise ended from None
    else:
        run.verdicts.passed(task.check, task.operation, cases)
    session.close()


_CHECK = "the_server_answers"
#: So many seconds are spent on silence at the end of a run, all operations together.
MAX_SECONDS = 60.0


@dataclass(slots=True)
class _Clock:
    """Seconds spent waiting for requests that timed out again, and the operations concerned."""

    waited: float = 0.0
    silent: set[str] = field(default_factory=set)


def late_tasks(run: Run) -> list[Task]:
    """Return a task of the check `the_server_answers` for each request that timed out."""
    clock = _Clock()
    pending, run.unanswered = run.unanswered or [], None
    return [
        Task(_CHECK, failure.operation, partial(_asked_again, failure=failure, clock=clock), last=True)
        for failure in pending
    ]


def unasked(run: Run, outcome: RunOutcome) -> Iterator[CheckFailure]:
    """Yield the timeouts of a run that ended early, or record their checks as not run if it was interrupted."""
    pending, run.unanswered = run.unanswered or [], None
    for failure in pending:
        if outcome.interrupted:
            run.verdicts.not_run(_CHECK, failure.operation, "there was no answer in time, and it was not asked again")
        else:
            yield failure


def _asked_again(session: Session, *, failure: CheckFailure, clock: _Clock) -> int:
    run, label = session.run, failure.operation
    before = failure.exchange
    assert before is not None
    if label in clock.silent:
        return 0  # one silence of an operation is enough
    if clock.waited > MAX_SECONDS:
        raise NotRun(f"there was no answer in time, and no time is left after {clock.waited:.0f} s of such waiting")
    request = before.request
    operation = run.resolver.methods_at(request.path).get(request.method)
    login = operation is not None and is_login(operation)
    if (refusal := run.guard.refusal(request, operation, login=login)) is not None:
        raise NotRun(f"there was no answer in time, and {refusal}")
    with run.target.patient() as seconds:
        exchange = run.target.send(request, label)
    run.guard.answered(request, exchange.response)
    if exchange.response is None:
        clock.waited += seconds
        clock.silent.add(label)
        raise no_answer(label, Exchange(request, None, exchange.problem, before.history), failure.pointer)
    session.judge(operation, label, exchange)
    return 1
