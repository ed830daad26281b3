"""Which part of a list is asked for, where a page documents `limit` and `start`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

#: Records at most in one answer, which is also what comes without `limit` (accounts_get, aliases_get, stats_quota_get).
MAX_RECORDS = 50

Item = TypeVar("Item")


def page(query: Mapping[str, Any], items: Sequence[Item]) -> Sequence[Item]:
    """Return `limit` items from the offset `start` on; beyond the end there are none."""
    start = query.get("start", 0)
    return items[start : start + query.get("limit", MAX_RECORDS)]
