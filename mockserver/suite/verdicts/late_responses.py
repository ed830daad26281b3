"""Silences: requests that got no response in time are sent once more at the end of a run, with more time.

A busy machine keeps silent now and then. What still gets no response then is a finding; what gets one is judged by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from mockserver.suite.checks.any_response import no_answer
from mockserver.suite.checks.task import Task
from mockserver.suite.run.session import Run, Session
from mockserver.suite.safety.policy import is_login
from mockserver.suite.target.exchange import Exchange
from mockserver.suite.verdicts.failures import CheckFailure, NotRun
from mockserver.suite.verdicts.verdict import Outcome

_CHECK = "the_server_answers"
#: So many seconds are spent on silence at the end of a run, all operations together.
MAX_SECONDS = 60.0


@dataclass(slots=True)
class _Clock:
    """Seconds that were waited in vain, and the operations that kept silent."""

    waited: float = 0.0
    silent: set[str] = field(default_factory=set)


def tasks(run: Run) -> list[Task]:
    """Return the claim that the server answers, for each request that got no response in time."""
    clock = _Clock()
    pending, run.unanswered = run.unanswered or [], None
    return [
        Task(_CHECK, failure.operation, partial(_asked_again, failure=failure, clock=clock), last=True)
        for failure in pending
    ]


def unasked(run: Run, outcome: Outcome) -> Iterator[CheckFailure]:
    """Yield the silences of a run that ended early: it was interrupted, or could not go on."""
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
