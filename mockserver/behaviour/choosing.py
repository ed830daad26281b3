"""Which items a list answers: filtered by what the query names, sorted, a page of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mockserver import documents

Item = dict[str, Any]

#: Query parameters by what they mean, in lower case without `_` and `-`.
_SIZES = frozenset({"limit", "perpage", "pagesize", "maxresults", "first", "top", "itemsperpage"})
_PAGES = frozenset({"page", "pagenumber", "pageno", "pageindex"})
_OFFSETS = frozenset({"offset", "skip", "start", "startindex", "from"})
_AFTER = frozenset({"startingafter", "after", "cursor", "searchafter", "pagetoken"})
_BEFORE = frozenset({"endingbefore"})
_SORTS = frozenset({"sort", "sortby", "orderby", "ordering"})
_DIRECTIONS = frozenset({"order", "direction", "sortorder", "sortdirection", "sortdir", "descending"})
_CONTROLS = _SIZES | _PAGES | _OFFSETS | _AFTER | _BEFORE | _SORTS | _DIRECTIONS


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace("[", "").replace("]", "").replace("$", "")


def text(value: Any) -> str:
    """Return a value as it stands in a path or query."""
    return value if isinstance(value, str) else documents.encode(value).decode()


def choose(items: Sequence[Item], query: Mapping[str, Any], identifier: str) -> tuple[list[Item], dict[str, Any]]:
    """Return the items that a query asks for, and how many there are in all (`total`) and whether there are `more`."""
    controls = {_plain(name): value for name, value in query.items() if _plain(name) in _CONTROLS}
    found = [item for item in items if _matches(item, query)]
    found = _sorted(found, controls)
    total = len(found)
    start = _start(found, controls, identifier)
    size = _whole(controls, _SIZES)
    rest = found[start:]
    page = rest if size is None or size <= 0 else rest[:size]
    return page, {"total": total, "more": len(page) < len(rest)}


def _matches(item: Item, query: Mapping[str, Any]) -> bool:
    """Tell whether an item has what the query asks of the members that it names."""
    for name, wanted in query.items():
        if _plain(name) in _CONTROLS or name not in item or isinstance(item[name], dict | list):
            continue
        allowed = wanted if isinstance(wanted, list) else [wanted]
        if not isinstance(wanted, dict) and text(item[name]) not in [text(one) for one in allowed]:
            return False
    return True


def _sorted(items: list[Item], controls: Mapping[str, Any]) -> list[Item]:
    asked = next((controls[name] for name in controls if name in _SORTS), None)
    if isinstance(asked, list):
        asked = asked[0] if asked else None
    if not isinstance(asked, str) or not asked:
        return items
    field, _, direction = asked.replace(",", ":").replace(" ", ":").partition(":")
    direction = direction or next((text(controls[name]) for name in controls if name in _DIRECTIONS), "")
    backwards = field.startswith("-") or direction.lower().startswith("desc")
    field = field.lstrip("+-")
    if not any(field in item for item in items):
        return items
    return sorted(items, key=lambda item: _rank(item.get(field)), reverse=backwards)


def _rank(value: Any) -> tuple[int, float, str]:
    if isinstance(value, bool) or value is None:
        return (0, float(bool(value)), "")
    return (1, float(value), "") if isinstance(value, int | float) else (2, 0.0, text(value))


def _start(items: Sequence[Item], controls: Mapping[str, Any], identifier: str) -> int:
    offset = _whole(controls, _OFFSETS)
    if offset is not None:
        return max(offset, 0)
    page, size = _whole(controls, _PAGES), _whole(controls, _SIZES)
    if page is not None and size:
        return max(page - 1, 0) * max(size, 0)
    for name in controls:
        if name in _AFTER:
            known = [text(item.get(identifier)) for item in items]
            wanted = text(controls[name])
            return known.index(wanted) + 1 if wanted in known else 0
    return 0


def _whole(controls: Mapping[str, Any], names: frozenset[str]) -> int | None:
    for name, value in controls.items():
        if name in names and isinstance(value, int) and not isinstance(value, bool):
            return value
    return None
