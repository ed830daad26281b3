"""Attempts of a check: all are made, and nothing that they show is lost, however they end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mockserver.errors import MockServerError
from mockserver.suite.checks.planned_check import Attempts, PlannedCheck
from mockserver.suite.run.check_run import make
from mockserver.suite.run.session import Run, Session
from mockserver.suite.verdicts.failures import CheckFailure, NotRun
from mockserver.suite.verdicts.verdict import ExitCode, RunOutcome
from tests.faults.verdicts import exit_code
from tests.unit.suite.conftest import Application, answering


def _failure(pointer: str = "", title: str = "t") -> CheckFailure:
    return CheckFailure("claim", "GET /note", title, expected="", got="", pointer=pointer, rule="silent")


def _made(run: Run, *outcomes: BaseException | None) -> RunOutcome:
    def check(_session: Session) -> int:
        attempts = Attempts()
        with attempts.each(0):
            for outcome in outcomes:
                with attempts.each():
                    if outcome is not None:
                        raise outcome
        return attempts.conclude()

    return make(run, [PlannedCheck("claim", "GET /note", check)])


RunAgainst = Callable[[Application], Run]


@pytest.mark.parametrize(
    ("outcomes", "row"),
    [
        ([None, None], ("passed", "", 2)),
        ([None, NotRun("a"), None, NotRun("b", 3)], ("in part", "a; b", 5)),
        ([NotRun("a"), NotRun("a")], ("not run", "a", 0)),
        ([_failure("/1"), None, _failure("/2"), NotRun("a")], ("failed", "", 3)),
        ([ExceptionGroup("", [_failure("/1"), _failure("/2")]), None], ("failed", "", 2)),
    ],
)
def test_each_is_made(run_against: RunAgainst, outcomes: list[BaseException | None], row: tuple[str, str, int]) -> None:
    run = run_against(answering(200))
    assert _made(run, *outcomes) == RunOutcome()
    (found,) = run.verdicts.coverage()
    assert (found.result, found.why, found.cases) == row


@pytest.mark.parametrize(
    ("end", "outcome"),
    [(MockServerError("the target is lost"), RunOutcome(error="the target is lost")), (KeyboardInterrupt(), None)],
)
def test_what_was_found_before_the_run_ended_is_kept(
    run_against: RunAgainst, end: BaseException, outcome: RunOutcome | None
) -> None:
    run = run_against(answering(200))
    assert _made(run, _failure("/1"), NotRun("why"), end, _failure("/2")) == (outcome or RunOutcome(interrupted=True))
    assert [one.pointer for one in run.verdicts.findings()] == ["/1"]


def test_a_mistake_of_ours_is_no_result(run_against: RunAgainst) -> None:
    run = run_against(answering(200))
    assert _made(run, None, _failure("/1"), ZeroDivisionError()).error == ""
    assert [one.pointer for one in run.verdicts.findings()] == ["/1"]
    (told,) = run.verdicts.mistakes
    assert told.startswith("an internal error in claim on GET /note: ZeroDivisionError")
    assert exit_code(run, RunOutcome()) == ExitCode.NOT_JUDGED
