"""Harm of findings: open doors and lost data, then crashes, then what contradicts the contract, then the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Harm(IntEnum):
    """What a finding does to users of the server, the worst first."""

    OPEN_DOOR = 0
    LOST_DATA = 1
    CRASH = 2
    NOT_THERE = 3
    CONTRADICTION = 4
    OTHER = 5


#: Words in the names of checks that find who gets in, or learns, what is not theirs.
_DOORS = re.compile(
    "credential|token|password|secret|auth|levels_not|foreign_objects_are_refused|own_objects_alone"
    "|door|refused_callers|forwarded|forged|spellings|overridden|session|of_others"
)
#: Checks of doors that a contradiction of the contract is enough for: somebody sees what is not theirs.
_SHOWN = re.compile("own_objects_alone")
#: Words in the names of checks that find what was written and is not kept, or changed without a write.
_DATA = re.compile(
    "state|change_nothing|others_alone|last_write|writes_echo|repeated|resets|never_set|generated_values"
    "|links_show|use_after_free|ensure_resource|created|deleted|listed|lost|kept|gone|written|identifiers|stale_writes"
    "|items_alone|leave_other_items|make_nothing|nor_lose_items|belong_to_their_parent"
)
_CRASHES = frozenset({"no_server_error", "the_server_answers", "not_a_server_error"})
_THERE = frozenset({"valid_requests_are_accepted"})


def harm_of(finding: Mapping[str, Any]) -> Harm:
    """Return the harm of a finding of the JSON report, by its check and what decided its level."""
    check, rule = finding["check"], finding["rule"]
    if _DOORS.search(check) and (rule == "universal" or _SHOWN.search(check)):
        return Harm.OPEN_DOOR  # who is refused, but with another status code than documented, did not get in
    if check in _CRASHES:
        return Harm.CRASH
    if _DATA.search(check):
        return Harm.LOST_DATA
    if check in _THERE:
        return Harm.NOT_THERE
    return Harm.CONTRADICTION if rule in {"universal", "contract", "own"} else Harm.OTHER
