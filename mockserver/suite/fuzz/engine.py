"""The engine of schemathesis, driven for one run (pinned to 4.32.5; docs/decisions/0010)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from schemathesis import checks as schemathesis_checks
from schemathesis.engine import events, from_schema
from schemathesis.engine.run import PhaseName

from mockserver.errors import MockServerError
from mockserver.suite.cases.state_tracker import start_watch
from mockserver.suite.fuzz.generated_cases import OURS, Judge, OwnFailure
from mockserver.suite.fuzz.patches import CALL_AND_VALIDATE, patched_generation
from mockserver.suite.fuzz.restricted_contract import FuzzSettings, Selection, selection
from mockserver.suite.fuzz.transport import one_way
from mockserver.suite.run.internal_errors import contained, told
from mockserver.suite.run.interrupts import raise_if_interrupted
from mockserver.suite.run.session import Run
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.verdict import Outcome


@contextmanager
def own_cases(run: Run) -> Iterator[None]:
    """Leave cases to other parts of the run as if they had been sent and had passed.

    Hypothesis must not notice: it makes up another case for each that is refused.
    """
    if run.division.shard.whole:
        yield
        return

    def call_and_validate(*, case: Any, **context: Any) -> None:
        if run.division.takes(case.operation.label, case.method.upper()):
            original(case=case, **context)

    with CALL_AND_VALIDATE.replaced(call_and_validate) as original:
        yield


__all__ = ["FuzzSettings", "drive"]

#: Phases in which operations do not lean on each other's, so that a part of a run generates for its own alone.
_NARROW = frozenset({PhaseName.FUZZING, PhaseName.STATEFUL_TESTING})


def drive(run: Run, settings: FuzzSettings) -> Outcome:
    """Let schemathesis send its cases to the run's target; what they show is in `run.verdicts`.

    The same seed sends the same cases: one worker, no example database, no cache, nothing learnt on the way.
    """
    if not isinstance(run.target, HttpTarget):
        raise MockServerError("the engine needs a server with a URL; it cannot call a WSGI application")
    judge = Judge(run, start_watch(run))
    with ExitStack() as stack:
        stack.enter_context(patched_generation())
        stack.enter_context(one_way(run, run.target))
        stack.enter_context(own_cases(run))
        stack.enter_context(_registered(judge))
        chosen = selection(run, settings)
        if chosen is None:
            return Outcome(error="no operation can be fuzzed; see what is not run, and why")
        return _consume(chosen, judge)


def _consume(chosen: Selection, judge: Judge) -> Outcome:
    stream = from_schema(chosen.schema).execute()
    run, interrupted = judge.run, False
    try:
        for event in stream:
            with contained(run.verdicts, "fuzz", str(getattr(event, "label", None) or "some operations")):
                judge.take(event)
            raise_if_interrupted()
            if isinstance(event, events.PhaseStarted) and event.phase.name in _NARROW:
                chosen.narrow()
            if judge.run.target.governor.stopped:
                stream.stop()
    except KeyboardInterrupt:
        interrupted = True
        stream.stop()
        for event in stream:
            judge.take(event)
    except MockServerError:
        raise
    except Exception as error:  # noqa: BLE001 - of schemathesis itself; what it showed until then counts
        run.verdicts.mistaken("fuzz", "all operations", told("schemathesis", error))
    if interrupted or judge.interrupted:
        return Outcome(interrupted=True)
    if judge.run.target.governor.stopped:
        return Outcome(error=judge.run.target.governor.stopped)
    if judge.errors:
        return Outcome(error=judge.errors[0])
    if not judge.cases and judge.run.division.shard.whole:
        return Outcome(error="no case was generated, so nothing was tested")
    return Outcome()


@contextmanager
def _registered(judge: Judge) -> Iterator[None]:
    """Add our claims to schemathesis' registry of checks, which is global, for as long as the run lasts."""
    schemathesis_checks.load_all_checks()

    def check(_context: Any, response: Any, case: Any) -> None:
        failures = judge.claim(case, response)
        if failures:
            raise OwnFailure(case.operation.label, failures)

    check.__name__ = OURS
    schemathesis_checks.CHECKS.register(check)
    try:
        yield
    finally:
        schemathesis_checks.CHECKS.unregister(OURS)
