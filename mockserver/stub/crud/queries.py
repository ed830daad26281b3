"""Query parameters of list operations: which items are listed, in what order, and which page of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NamedTuple

from mockserver.contract.model import Contract, Operation
from mockserver.errors import ContractError
from mockserver.http import json

Item = dict[str, Any]

#: Query parameters by what they mean, in lower case without `_` and `-`.
_SIZES = frozenset({"limit", "perpage", "pagesize", "maxresults", "first", "top", "itemsperpage"})
_PAGES = frozenset({"page", "pagenumber", "pageno", "pageindex"})
_OFFSETS = frozenset({"offset", "skip", "start", "startindex", "from"})
_AFTER = frozenset(
    {
        *("startingafter", "startafter", "after", "cursor", "nextcursor", "pagecursor", "searchafter"),
        *("pagetoken", "nextpagetoken", "nexttoken", "continuationtoken", "marker"),
    }
)
_BEFORE = frozenset({"endingbefore", "before"})
_SORTS = frozenset({"sort", "sortby", "orderby", "ordering"})
_DIRECTIONS = frozenset({"order", "direction", "sortorder", "sortdirection", "sortdir", "descending"})
_CONTROLS = _SIZES | _PAGES | _OFFSETS | _AFTER | _BEFORE | _SORTS | _DIRECTIONS


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace("[", "").replace("]", "").replace("$", "")


def is_size(name: str) -> bool:
    """Tell whether a query parameter asks for a number of items."""
    return _plain(name) in _SIZES


def is_place(name: str) -> bool:
    """Tell whether a query parameter asks for a page or for what comes behind an item."""
    return _plain(name) in _PAGES | _OFFSETS | _AFTER


def is_filter(name: str) -> bool:
    """Tell whether a query parameter may name a member that items are chosen by."""
    return _plain(name) not in _CONTROLS


def as_text(value: Any) -> str:
    """Return the text form that a value has in a path or query."""
    if isinstance(value, str):
        return value
    return f"{value}" if type(value) is int else json.encode(value).decode()


class Paging(NamedTuple):
    """How the query of a list operation selects a page of items.

    Attributes:
        first_page: number of the first page.
        by_cursor: whether it takes a cursor.
        defaults: by parameter, the value that it has where the client says nothing, which chooses no items.
    """

    first_page: int = 1
    by_cursor: bool = False
    defaults: Mapping[str, Any] = MappingProxyType({})


class Page(NamedTuple):
    """One page of a list of items.

    Attributes:
        items: those on it.
        total: how many there are on all pages.
        more: whether there are more in the direction of reading.
        last: identifier of the last item on it, None without one.
        start: how many there are before it.
        size: how many it may have.
    """

    items: list[Item]
    total: int
    more: bool
    last: Any
    start: int = 0
    size: int = 0


def paging(contract: Contract, operation: Operation) -> Paging:
    """Return how a list operation's query selects a page: number of the first page, and whether it uses cursors."""
    first, by_cursor = 1, False
    defaults: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.location != "query":
            continue
        by_cursor = by_cursor or _plain(parameter.name) in _AFTER
        if parameter.schema is not None:
            with suppress(ContractError, LookupError):
                schema, _ = contract.schema(parameter.schema)
                if isinstance(schema, dict) and "default" in schema:
                    defaults[parameter.name] = schema["default"]
        if _plain(parameter.name) in _PAGES and parameter.schema is not None:
            with suppress(ContractError, LookupError):  # a broken one says nothing
                schema, _ = contract.schema(parameter.schema)
                first = 0 if isinstance(schema, dict) and schema.get("default", schema.get("minimum")) == 0 else 1
    return Paging(first, by_cursor, defaults)


def paging_parameters(operation: Operation) -> tuple[str, str, str]:
    """Return the query parameters of a list operation that choose a page, an offset and a cursor; "" for none."""
    found = ["", "", ""]
    for parameter in operation.parameters:
        for index, names in enumerate((_PAGES, _OFFSETS, _AFTER)):
            if parameter.location == "query" and _plain(parameter.name) in names:
                found[index] = found[index] or parameter.name
    return found[0], found[1], found[2]


def choose(
    items: Sequence[Item],
    query: Mapping[str, Any],
    identifier: str,
    how: Paging = Paging(),  # noqa: B008 -- a frozen value
    ends: Collection[str] = (),
) -> Page:
    """Return the page of items that a query selects, after removing other items and sorting.

    Args:
        items: all that there are.
        query: by the names of parameters.
        identifier: the member of an item by which cursors name it.
        how: how the query counts.
        ends: cursors behind which there is nothing.
    """
    controls = {_plain(name): value for name, value in query.items() if _plain(name) in _CONTROLS}
    asked = {
        name: value
        for name, value in query.items()
        if _plain(name) not in _CONTROLS and (name not in how.defaults or how.defaults[name] != value)
    }
    found = [item for item in items if _matches(item, asked)] if asked else items
    found = _sorted(found, controls)
    size = _integer_control(controls, _SIZES)
    size = len(found) if size is None or size <= 0 else size
    before = _cursor_index(found, controls, _BEFORE, identifier)
    if before is not None:  # read backwards, so that more are those in front
        start, end = max(before - size, 0), before
        more = start > 0
    else:
        start = _start_index(found, controls, identifier, how, ends, size)
        end = start + size
        more = end < len(found)
    page = list(found[start:end])
    return Page(page, len(found), more, page[-1].get(identifier) if page else None, start, size)


def _matches(item: Item, query: Mapping[str, Any]) -> bool:
    """Tell whether an item has the values that a query asks for in members of the same names."""
    for name, wanted in query.items():
        if name not in item or isinstance(item[name], dict | list):
            continue
        allowed = wanted if isinstance(wanted, list) else [wanted]
        if not isinstance(wanted, dict) and as_text(item[name]) not in [as_text(one) for one in allowed]:
            return False
    return True


def _sorted(items: Sequence[Item], controls: Mapping[str, Any]) -> Sequence[Item]:
    asked = next((controls[name] for name in controls if name in _SORTS), None)
    if isinstance(asked, list):
        asked = asked[0] if asked else None
    if not isinstance(asked, str) or not asked:
        return items
    field, _, direction = asked.replace(",", ":").replace(" ", ":").partition(":")
    direction = direction or next((as_text(controls[name]) for name in controls if name in _DIRECTIONS), "")
    backwards = field.startswith("-") or direction.lower().startswith("desc")
    field = field.lstrip("+-")
    if not any(field in item for item in items):
        return items
    return sorted(items, key=lambda item: _rank(item.get(field)), reverse=backwards)


def _rank(value: Any) -> tuple[int, float, str]:
    if isinstance(value, bool) or value is None:
        return (0, float(bool(value)), "")
    return (1, float(value), "") if isinstance(value, int | float) else (2, 0.0, as_text(value))


def _start_index(
    items: Sequence[Item],
    controls: Mapping[str, Any],
    identifier: str,
    how: Paging,
    ends: Collection[str],
    size: int,
) -> int:
    offset = _integer_control(controls, _OFFSETS)
    if offset is not None:
        return min(max(offset, 0), len(items))
    page = _integer_control(controls, _PAGES)
    if page is not None:
        return min(max(page - how.first_page, 0) * size, len(items))
    after = _cursor_index(items, controls, _AFTER, identifier)
    if after is not None:
        return after + 1
    return len(items) if any(as_text(controls[name]) in ends for name in controls if name in _AFTER) else 0


def _cursor_index(
    items: Sequence[Item], controls: Mapping[str, Any], names: frozenset[str], identifier: str
) -> int | None:
    """Return the index of the item that a cursor identifies, None if there is no cursor or no such item."""
    known = [as_text(item.get(identifier)) for item in items] if names & controls.keys() else []
    places = (
        known.index(as_text(controls[name])) for name in controls if name in names and as_text(controls[name]) in known
    )
    return next(places, None)


def _integer_control(controls: Mapping[str, Any], names: frozenset[str]) -> int | None:
    for name, value in controls.items():
        if name in names and isinstance(value, int) and not isinstance(value, bool):
            return value
    return None
