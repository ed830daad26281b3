"""`mockserver check`: a fixed plan of tasks, made one after the other."""

from __future__ import annotations

from collections.abc import Iterable

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
from mockserver.suite.checks.task import Planner, Task
from mockserver.suite.run.internal_errors import contained
from mockserver.suite.run.session import Run, Session
from mockserver.suite.verdicts import late_responses
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, failures_in, others_in, reasons_in
from mockserver.suite.verdicts.occasions import tell_what_was_not_made
from mockserver.suite.verdicts.verdict import Outcome


def access_tasks(run: Run) -> list[Task]:
    """Return who may call, and with which credentials, one operation after the other.

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
    """Return every task that applies to a run, those that end credentials behind all others."""
    return sorted(planned(run, *PLANNERS), key=lambda task: task.last)


def planned(run: Run, *planners: Planner) -> list[Task]:
    """Return the tasks of some themes; a theme whose tasks cannot be planned is told as not run."""
    tasks: list[Task] = []
    for planner in planners:
        with contained(run.verdicts, f"{planner.__module__.rpartition('.')[2]} ({planner.__name__})", "all operations"):
            tasks += planner(run)
    return tasks


def check(run: Run) -> Outcome:
    """Make every task of the plan; what they say is in `run.verdicts`."""
    run.unanswered = []
    outcome = make(run, plan(run))
    if outcome == Outcome():
        outcome = make(run, planned(run, acceptance.tasks))
    outcome = ask_again(run, outcome)
    if outcome == Outcome():
        tell_what_was_not_made(run)
    return outcome


def ask_again(run: Run, outcome: Outcome) -> Outcome:
    """Ask again what got no answer in time; of a run that ended early, tell of it."""
    if outcome == Outcome():
        pending = late_responses.tasks(run)
        return make(run, pending) if pending else outcome
    for failure in late_responses.unasked(run, outcome):
        run.verdicts.failed(failure)
    return outcome


def make(run: Run, tasks: Iterable[Task]) -> Outcome:
    """Make tasks one after the other; what they say is in `run.verdicts`."""
    todo = list(tasks)
    run.progress.phase("claims", len(todo))
    try:
        for task in todo:
            with contained(run.verdicts, task.check, task.operation):
                _make(run, task)
            run.progress.step(task.operation)
    except KeyboardInterrupt:
        return Outcome(interrupted=True)
    except MockServerError as error:
        return Outcome(error=str(error))
    return Outcome()


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
