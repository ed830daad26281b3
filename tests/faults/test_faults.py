"""`mockserver check` finds each planted fault, names it, and finds nothing where there is none.

`python -m tests.faults --table` shows the same for `check` and `fuzz`, run as a user runs them.
"""

from __future__ import annotations

import pytest

from tests.faults.catalogue import Fault
from tests.faults.judging import checked
from tests.faults.registry import CLEAN_VARIANTS, FAULTS

#: Faults that `check` misses, and why; each is a task for the suite.
GAPS = {
    "never_settles": "a read's status is not looked at once its value is right",
    "password_read_back": "a secret is looked for in the answer to the request that held it, not in later ones",
    "no_astral_characters": "only two of the contract's examples are written",
    "cut_short": "only two of the contract's examples are written",
    "emoji_crashes": "only two of the contract's examples are written",
    "reset_of_nothing_is_404": "nothing is reset twice",
    "read_consumes": "nothing is read twice; blamed on writes of other settings",
    "rejected_but_stored": "nothing is read after a rejection",
    "acts_before_it_asks": "nothing is read after a refusal",
    "everybody_is_master": "the level that a login tells is compared with nothing",
    "lenient_parser": "malformed content is never a valid value with something behind it",
}


def _parameters() -> list[object]:
    return [
        pytest.param(fault, id=name, marks=[pytest.mark.xfail(strict=True, reason=GAPS[name])] if name in GAPS else [])
        for name, fault in FAULTS.items()
    ]


@pytest.mark.parametrize("fault", _parameters())
def test_check_finds_the_fault_and_names_it(fault: Fault) -> None:
    verdict = checked(fault)
    assert verdict.right(fault), f"found instead: {[one[1:4] for one in verdict.found]}"


@pytest.mark.parametrize("variant", CLEAN_VARIANTS.values(), ids=CLEAN_VARIANTS.keys())
def test_check_finds_no_violation_where_there_is_none(variant: Fault) -> None:
    verdict = checked(variant)
    assert set(verdict.right(variant)) == set(verdict.found)
    assert bool(verdict.found) == bool(variant.checks)
    assert all(one.level == "drift" for one in verdict.found)


def test_gaps_name_faults() -> None:
    assert FAULTS.keys() >= GAPS.keys()
