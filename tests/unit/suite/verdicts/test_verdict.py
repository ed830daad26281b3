"""The verdict of a run: exit code and first line never differ in what they say."""

from __future__ import annotations

import pytest

from mockserver.suite.run.internal_errors import BEGINNING
from mockserver.suite.verdicts.failures import Rule
from mockserver.suite.verdicts.graded_findings import Finding, Level
from mockserver.suite.verdicts.reach import Reached
from mockserver.suite.verdicts.verdict import ExitCode, Grounds, RunOutcome, decide

GOOD = Reached("GET /note", 200, 3)
NEVER = Reached("GET /note", 401, 3, "answered with 401")
NOT_CALLED = Reached("PUT /note", None, 0, "not called, because no writes")


def finding(
    level: Level, *, title: str = "t", check: str = "claim", rule: Rule = "contract", known: str = ""
) -> Finding:
    return Finding("1", level, check, "GET /note", title, "", "", "/paths", rule, known=known)


BROKEN, DRIFT, BANNED = finding("violation"), finding("drift"), finding("environment", title="we are banned")
REFUSED = finding("drift", check="valid_requests_are_accepted")


@pytest.mark.parametrize(
    ("grounds", "code", "line"),
    [
        (Grounds(cases=1), 0, "KEPT: 0 violations, 0 drift"),
        (Grounds(cases=1, reach=(GOOD, NOT_CALLED)), 0, "KEPT: 0 violations, 0 drift; 2xx on 1 of 2 operations"),
        (Grounds((DRIFT,), cases=1), 0, "KEPT, with 1 drift"),
        (Grounds((DRIFT,), cases=1, fail_on_drift=True), 1, "BROKEN: 1 drift"),
        (Grounds((BROKEN, BROKEN, DRIFT), cases=1), 1, "BROKEN: 2 violations, 1 drift"),
        (Grounds((BROKEN,), cases=0, outcome=RunOutcome("lost")), 1, "BROKEN: 1 violation; stopped early: lost"),
        (
            Grounds((BROKEN,), cases=1, outcome=RunOutcome(f"{BEGINNING} in x")),
            1,
            f"BROKEN: 1 violation; not everything could be judged: {BEGINNING} in x",
        ),
        (Grounds((BROKEN, BANNED), cases=1), 1, "BROKEN: 1 violation, 1 environment"),
        (Grounds((DRIFT,), cases=1, outcome=RunOutcome("lost")), 2, "NOT JUDGED: lost (1 drift)"),
        (Grounds((BANNED,), cases=1), 2, "NOT JUDGED: we are banned (1 environment)"),
        (
            Grounds((BANNED, finding("environment", title="full")), cases=1),
            2,
            "NOT JUDGED: we are banned and 1 more (2 environment)",
        ),
        (Grounds(), 2, "NOT JUDGED: nothing was tested"),
        (Grounds(cases=1, reach=(NEVER,)), 2, "NOT JUDGED: no operation ever succeeded; 2xx on 0 of 1 operations"),
        (
            Grounds(cases=1, reach=(NOT_CALLED,), partly=True),
            0,
            "KEPT: 0 violations, 0 drift; 2xx on 0 of 1 operations",
        ),
        (Grounds((REFUSED,), cases=1), 2, "NOT JUDGED: GET /note refused every valid request (1 drift)"),
        (
            Grounds((finding("drift", check="valid_requests_are_accepted", rule="oracle"),), cases=1),
            0,
            "KEPT, with 1 drift",
        ),
        (Grounds((BROKEN,), outcome=RunOutcome(interrupted=True)), 130, "INTERRUPTED, 1 violation"),
        (Grounds(outcome=RunOutcome("lost", interrupted=True)), 130, "INTERRUPTED, nothing found so far"),
    ],
)
def test_the_verdict_in_a_code_and_in_a_line(grounds: Grounds, code: int, line: str) -> None:
    verdict = decide(grounds)
    assert (verdict.code, verdict.line) == (ExitCode(code), line)


@pytest.mark.parametrize(
    ("level", "check"),
    [("violation", "claim"), ("drift", "claim"), ("environment", "claim"), ("drift", "valid_requests_are_accepted")],
)
def test_what_is_known_decides_nothing(level: Level, check: str) -> None:
    known = finding(level, check=check, known="ticket 7")
    verdict = decide(Grounds((known,), cases=1, fail_on_drift=True))
    assert (verdict.code, verdict.line) == (ExitCode.CLEAN, "KEPT, with 1 known")


def test_that_nothing_succeeded_counts_whatever_is_known() -> None:
    known = finding("environment", known="ticket 7")
    assert decide(Grounds((known,), cases=1, reach=(NEVER,))).code is ExitCode.NOT_JUDGED


@pytest.mark.parametrize(
    ("level", "owner"), [("violation", "server"), ("drift", "contract"), ("environment", "environment")]
)
def test_who_has_to_mend_it_follows_from_the_level(level: Level, owner: str) -> None:
    assert finding(level).owner == owner
