"""The engine of schemathesis, run once for a target (pinned to 4.32.5; docs/decisions/0010)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from schemathesis import checks as schemathesis_checks
from schemathesis.engine import events, from_schema
from schemathesis.engine.run import PhaseName

from mockserver.errors import MockServerError
from mockserver.suite.cases.state_tracker import new_tracker
from mockserver.suite.fuzz.generated_cases import OWN_CHECKS, Judge, OwnFailure
from mockserver.suite.fuzz.patches import CALL_AND_VALIDATE, patched_generation
from mockserver.suite.fuzz.restricted_contract import FuzzSettings, RestrictedContract, restrict
from mockserver.suite.fuzz.transport import routed_requests
from mockserver.suite.run.internal_errors import containing_mistakes, mistake_line
from mockserver.suite.run.interrupts import raise_if_interrupted
from mockserver.suite.run.session import Run
from mockserver.suite.selection.own_checks import imported
from mockserver.suite.state.item_tracker import new_item_tracker
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.verdict import RunOutcome


@contextmanager
def own_cases(run: Run) -> Iterator[None]:
    """Skip generated cases that belong to other parts of a divided run, as if they had passed.

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


def drive(run: Run, settings: FuzzSettings) -> RunOutcome:
    """Run schemathesis against the run's target; the results are in `run.verdicts`.

    The same seed sends the same cases: one worker, no example database, no cache, nothing learnt on the way.
    """
    if not isinstance(run.target, HttpTarget):
        raise MockServerError("the engine needs a server with a URL; it cannot call a WSGI application")
    for module in settings.hooks:
        imported(module, f"--hooks {module}")
    judge = Judge(run, new_tracker(run), new_item_tracker(run))
    with ExitStack() as stack:
        stack.enter_context(patched_generation())
        stack.enter_context(routed_requests(run, run.target))
        stack.enter_context(own_cases(run))
        stack.enter_context(_registered(judge))
        chosen = restrict(run, settings)
        if chosen is None:
            return RunOutcome(error="no operation can be fuzzed; see what is not run, and why")
        return _consume(chosen, judge)


def _consume(chosen: RestrictedContract, judge: Judge) -> RunOutcome:
    stream = from_schema(chosen.schema).execute()
    run, interrupted = judge.run, False
    try:
        for event in stream:
            with containing_mistakes(run.verdicts, "fuzz", str(getattr(event, "label", None) or "some operations")):
                judge.take(event)
            raise_if_interrupted()
            if isinstance(event, events.PhaseStarted) and event.phase.name in _NARROW:
                chosen.narrow()
            if judge.run.target.rate_limiter.stopped:
                stream.stop()
    except KeyboardInterrupt:
        interrupted = True
        stream.stop()
        for event in stream:
            judge.take(event)
    except MockServerError:
        raise
    except Exception as error:  # noqa: BLE001 - of schemathesis itself; what it showed until then counts
        run.verdicts.mistaken("fuzz", "all operations", mistake_line("schemathesis", error))
    if interrupted or judge.interrupted:
        return RunOutcome(interrupted=True)
    if judge.run.target.rate_limiter.stopped:
        return RunOutcome(error=judge.run.target.rate_limiter.stopped)
    if judge.errors:
        return RunOutcome(error=judge.errors[0])
    if not judge.cases and judge.run.division.shard.whole:
        return RunOutcome(error="no case was generated, so nothing was tested")
    return RunOutcome()


@contextmanager
def _registered(judge: Judge) -> Iterator[None]:
    """Add the suite's checks to schemathesis' global registry of checks while the context lasts."""
    schemathesis_checks.load_all_checks()

    def check(_context: Any, response: Any, case: Any) -> None:
        failures = judge.run_checks(case, response)
        if failures:
            raise OwnFailure(case.operation.label, failures)

    check.__name__ = OWN_CHECKS
    schemathesis_checks.CHECKS.register(check)
    try:
        yield
    finally:
        schemathesis_checks.CHECKS.unregister(OWN_CHECKS)
