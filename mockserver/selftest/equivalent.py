"""Mutants that no client can tell from the clean stub, each with its reason; they are listed, and not judged."""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.contract.roles import ISSUE

_NOBODY = (
    "no account has a name or password of that length, so the login is refused either way: with 422 by the limit, "
    "with 401 without it"
)
#: Class and role of the operation to the reason.
EQUIVALENT: Mapping[tuple[str, str], str] = {
    ("upper_bound_off_by_one", ISSUE): _NOBODY,
    ("lower_bound_off_by_one", ISSUE): _NOBODY,
}
