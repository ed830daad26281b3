"""Pagination members of list responses: totals, whether more items follow, and the cursor of the next page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from mockserver.stub.crud.queries import Page, as_text

#: Members by what they mean, in lower case without `_` and `-`.
_TOTALS = frozenset({"total", "totalcount", "count", "totalresults", "totalitems", "totalelements", "results"})
_MORE = frozenset({"hasmore", "hasnext", "hasnextpage", "more"})
_NEXT = frozenset({"next", "nextcursor", "nextpagetoken", "nexttoken", "nextmarker", "nextpage", "continuationtoken"})
_ENDS = frozenset({"cursor", "endcursor", "after"})
_CURSORS = _NEXT | _ENDS
#: Objects beside the items that hold such members.
_ABOUT = frozenset({"meta", "metadata", "pagination", "paging", "page", "pageinfo", "cursors", "responsemetadata"})
_DEPTH = 2

Envelope = Mapping[str, Any]
#: What a member becomes, nothing where it goes.
_Change = Callable[[str, Any], tuple[Any, ...]]


def cursors(around: Any) -> Iterator[str]:
    """Yield the values of a list response's members that hold a cursor of the next page."""
    for name, value in _members(around):
        if _plain(name) in _CURSORS and isinstance(value, str) and value:
            yield value


def envelopes(around: Envelope, chosen: Page, *, by_cursor: bool) -> Iterator[Envelope]:
    """Yield versions of a list response's envelope with pagination members for a page, best first.

    Args:
        around: the envelope of the operation's example.
        chosen: the page of items that it contains.
        by_cursor: whether the operation takes a cursor, so that clients send what is written here.
    """
    counted = _changed(around, lambda name, value: (_total(name, value, chosen),))
    if chosen.more:
        if by_cursor and chosen.last is not None:
            yield _changed(counted, lambda name, value: (_next_cursor(name, value, as_text(chosen.last)),))
    else:
        # Schemas do not say how the end of a list is written.
        yield from (_changed(counted, partial(_last_cursor, ending=ending)) for ending in ((None,), (), ("",)))
    yield counted


def _total(name: str, value: Any, chosen: Page) -> Any:
    plain = _plain(name)
    if plain in _TOTALS and isinstance(value, int) and not isinstance(value, bool):
        return chosen.total
    return chosen.more if plain in _MORE and isinstance(value, bool) else value


def _next_cursor(name: str, value: Any, last: str) -> Any:
    """Return the cursor of the next page for a pagination member; members that hold a URL are unchanged."""
    replaceable = value is None or (isinstance(value, str) and "/" not in value)
    return last if _plain(name) in _CURSORS and replaceable else value


def _last_cursor(name: str, value: Any, ending: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the value of a pagination member on the last page: empty for a cursor, unchanged for other members."""
    goes_on = _plain(name) in _CURSORS and isinstance(value, str | int) and not isinstance(value, bool)
    return ending if goes_on else (value,)


def _changed(around: Envelope, change: _Change, depth: int = _DEPTH) -> dict[str, Any]:
    """Return an envelope with a function applied to its members, and to members of nested pagination objects."""
    result: dict[str, Any] = {}
    for name, value in around.items():
        if depth > 1 and _plain(name) in _ABOUT and isinstance(value, dict):
            result[name] = _changed(value, change, depth - 1)
        else:
            result.update((name, new) for new in change(name, value))
    return result


def _members(around: Any, depth: int = _DEPTH) -> Iterator[tuple[str, Any]]:
    for name, value in around.items() if isinstance(around, dict) else ():
        yield name, value
        if depth > 1 and _plain(name) in _ABOUT:
            yield from _members(value, depth - 1)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
