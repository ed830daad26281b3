"""`mockserver check` finds each planted fault, names it, and finds nothing where there is none.

`python -m tests.faults --table` shows the same for `check` and `fuzz`, run as a user runs them.
"""

from __future__ import annotations

import pytest

from mockserver.suite.identities.identities import seeded_identities
from mockserver.suite.run.check_run import check
from mockserver.suite.run.preparation import prepare
from mockserver.suite.target.targets import WsgiTarget
from tests import defaults
from tests.faults.catalogue import Fault
from tests.faults.judging import Verdict, checked, fuzzed
from tests.faults.messages import OPERATIONS
from tests.faults.registry import CLEAN_VARIANTS, FAULTS
from tests.faults.server import FaultyServer, clean_contract
from tests.unit.suite.test_docs import documented

#: Two of each theme; a run of `fuzz` takes seconds, and the table makes all of them.
GENERATED = (
    *("port_as_text", "never_set_is_404"),
    *("password_read_back", "password_in_an_error"),
    *("mojibake", "cut_short"),
    *("lost_write", "cross_talk"),
    *("token_prefix", "mail_user_admitted"),
    *("emoji_crashes", "port_70000"),
    "put_as_post",
)
#: Harmless differences that generated sequences could trip over; the table makes all of them.
HARMLESS = ("accepted", "bad_bodies_not_found", "lagging_reads", "strict_integers")
#: What these try is told as a crash or a silence; what breaks HTTP itself no WSGI server can plant (test_hostile.py).
TOLD_BY_OTHERS = {"hostile_bodies_do_no_harm", "large_bodies_do_no_harm", "answers_keep_to_http"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_check_finds_the_fault_and_names_it(fault: Fault) -> None:
    verdict = checked(fault)
    assert verdict.right(fault), f"found instead: {[one[1:4] for one in verdict.found]}"


@pytest.mark.parametrize("variant", CLEAN_VARIANTS.values(), ids=CLEAN_VARIANTS.keys())
def test_check_finds_no_violation_where_there_is_none(variant: Fault) -> None:
    verdict = checked(variant)
    assert set(verdict.right(variant)) == set(verdict.found)
    assert bool(verdict.found) == bool(variant.checks)
    assert all(one.level == "drift" for one in verdict.found)
    assert verdict.exit_code == 0


@pytest.mark.parametrize("name", GENERATED)
def test_fuzz_finds_the_fault_and_names_it(name: str) -> None:
    fault = FAULTS[name]
    verdict = fuzzed(fault, max_examples=3)
    assert verdict.right(fault), f"found instead: {[one[1:4] for one in verdict.found]}"


@pytest.mark.parametrize("name", HARMLESS)
def test_fuzz_finds_no_violation_where_there_is_none(name: str) -> None:
    variant = CLEAN_VARIANTS[name]
    verdict = fuzzed(variant, max_examples=1)
    assert verdict.exit_code == 0
    assert set(verdict.right(variant)) == set(verdict.found)


def test_every_check_has_a_fault_that_it_finds() -> None:
    found = {check for fault in FAULTS.values() for check in fault.checks}
    assert documented() - found == TOLD_BY_OTHERS


def test_fuzz_finds_nothing_where_there_is_nothing() -> None:
    verdict = fuzzed(CLEAN_VARIANTS["unchanged"], max_examples=3)
    assert verdict == Verdict(exit_code=0, found=())


def test_what_a_read_gives_away_is_one_finding_with_the_write_before_it() -> None:
    server = FaultyServer(FAULTS["password_read_back"])
    identities = seeded_identities(defaults.SEED_DATA)
    run = prepare(clean_contract(), WsgiTarget(server), identities, only=OPERATIONS, settle_seconds=0.0)
    check(run)
    (finding,) = run.verdicts.findings()
    assert finding.evidence is not None
    assert [step.request.method for step in (*finding.evidence.history, finding.evidence)] == ["POST", "GET"]
