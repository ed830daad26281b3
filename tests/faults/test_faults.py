"""`mockserver check` finds each planted fault, names it, and finds nothing where there is none.

`python -m tests.faults --table` shows the same for `check` and `fuzz`, run as a user runs them.
"""

from __future__ import annotations

import pytest

from tests.faults.catalogue import Fault
from tests.faults.judging import Verdict, checked, fuzzed
from tests.faults.registry import CLEAN_VARIANTS, FAULTS

#: Two of each theme; a run of `fuzz` takes seconds, and the table makes all of them.
GENERATED = (
    *("port_as_text", "never_set_is_404"),
    *("password_read_back", "password_in_an_error"),
    *("mojibake", "cut_short"),
    *("lost_write", "cross_talk"),
    *("token_prefix", "mail_user_admitted"),
    *("emoji_crashes", "port_70000"),
    *("put_as_post", "unknown_setting"),
)


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


@pytest.mark.parametrize("name", GENERATED)
def test_fuzz_finds_the_fault_and_names_it(name: str) -> None:
    fault = FAULTS[name]
    verdict = fuzzed(fault, max_examples=3)
    assert verdict.right(fault), f"found instead: {[one[1:4] for one in verdict.found]}"


def test_fuzz_finds_nothing_where_there_is_nothing() -> None:
    verdict = fuzzed(CLEAN_VARIANTS["unchanged"], max_examples=3)
    assert verdict == Verdict(exit_code=0, found=())
