"""Servers that differ from the stub, and are right: no violation; and a few with faults, found among generated cases.

`python -m tests.faults --table` shows each of them alone, for `check` and `fuzz` as a user runs them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.faults.catalogue import Fault, combined
from tests.faults.judging import Found, Verdict, checked, fuzzed
from tests.faults.messages import IMAP, MAILER, RELAY, SETTINGS
from tests.faults.registry import CLEAN_VARIANTS, FAULTS

#: What the variants change.
ONLY = (f"* {SETTINGS}{MAILER}/", f"* {SETTINGS}{IMAP}/", "auth_*")
#: Differences that do not get into each other's way, so that one server has them all.
GROUPS = {
    "silent": (
        *("slow", "other_fields", "unprocessable", "charset_in_capitals", "random_password"),
        *("redirected_to_the_slash", "closes_each_connection"),
    ),
    "far away": ("far_away", "charset"),
    "lagging": ("lagging_reads",),
    "lax": ("accepted", "html_refusals", "another_member", "no_allow_anywhere", "strict_integers"),
    "lax otherwise": ("created", "bad_bodies_not_found", "masked_password", "applied_at_once"),
    "talkative": ("extra_fields",),
}


def _of(group: str) -> Sequence[Fault]:
    return [CLEAN_VARIANTS[name] for name in GROUPS[group]]


def _blamed(verdict: Verdict, variants: Sequence[Fault]) -> set[Found]:
    """Return the findings that none of the variants explains."""
    return set(verdict.found) - {found for variant in variants for found in verdict.right(variant)}


def test_every_variant_is_in_a_group() -> None:
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(CLEAN_VARIANTS.keys() - {"unchanged"})


@pytest.mark.parametrize("group", GROUPS)
def test_check_finds_no_violation_where_there_is_none(group: str) -> None:
    variants = _of(group)
    verdict = checked(combined(variants), ONLY)
    assert _blamed(verdict, variants) == set()
    assert [variant.name for variant in variants if variant.checks and not verdict.right(variant)] == []
    assert verdict.exit_code == 0


@pytest.mark.parametrize("group", ["silent", "lagging", "lax otherwise"])
def test_fuzz_finds_no_violation_where_there_is_none(group: str) -> None:
    variants = _of(group)
    verdict = fuzzed(combined(variants), 1, ONLY)
    assert _blamed(verdict, variants) == set()
    assert verdict.exit_code == 0


def test_fuzz_finds_each_of_several_faults_and_names_it() -> None:
    faults = list(FAULTS.values())
    verdict = fuzzed(combined(faults), 3, (f"* {SETTINGS}{MAILER}/", f"* {SETTINGS}{RELAY}/"))
    assert [fault.name for fault in faults if not verdict.right(fault)] == []
    assert verdict.exit_code == 1
