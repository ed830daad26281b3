"""Members of requests by their schemas: where each is, and what its description shows as an example."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.pointers import child

#: A member's place in a value; `ITEM` stands for each item of an array.
Place = tuple[str, ...]
ITEM = "*"
#: Stands for a member that is not there.
MISSING: Any = object()
_DEPTH, _MOST = 5, 400
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
#: What a description shows as an example: `(e.g. "example.com.")`, `for example: 42`, ``such as `a` ``.
_SHOWN = re.compile(
    rf"(?:e\.\s?g\.|for example|example:|such as)[,:]?\s*"
    rf"(?:[{_QUOTES}](?P<quoted>[^{_QUOTES}]{{1,80}})[{_QUOTES}]"
    r"|(?P<bare>[\w./:@+-]{1,80}))",
    re.IGNORECASE,
)
#: What a description says are the only values: `one of "Native", "Master"`, `set to "Zone"`.
_LISTED = re.compile(
    rf"(?i:one of|set to|either|possible values(?: are)?|valid values(?: are)?|allowed values(?: are)?|must be)"
    rf":?\s*(?:one of )?(?:[{_QUOTES}](?P<first>[^{_QUOTES}]{{1,60}})|(?P<capitals>[A-Z][A-Z0-9_-]{{2,40}})\b)"
)


def schema_at(contract: Contract, pointer: str) -> tuple[dict[str, Any], str]:
    """Return the Schema Object at a pointer and its own pointer, after its `$ref`s; ({}, pointer) if there is none."""
    try:
        raw, place = follow(contract.document.data, pointer)
    except (ContractError, LookupError, ValueError):
        return {}, pointer
    return (raw, place) if isinstance(raw, dict) else ({}, place)


def members(contract: Contract, pointer: str, depth: int = 0) -> dict[str, str]:
    """Return the pointer of each property's schema by name, those of `allOf` and of all branches included."""
    raw, place = schema_at(contract, pointer)
    found: dict[str, str] = {}
    properties = raw.get("properties")
    for name in properties if isinstance(properties, dict) else ():
        found[str(name)] = child(place, "properties", str(name))
    for keyword in ("allOf", "oneOf", "anyOf"):
        branches = raw.get(keyword)
        for index in range(len(branches) if isinstance(branches, list) and depth < _DEPTH else 0):
            for name, one in members(contract, child(place, keyword, str(index)), depth + 1).items():
                found.setdefault(name, one)
    return found


def item(contract: Contract, pointer: str) -> str | None:
    """Return the pointer of the schema of an array's items, None if it has none."""
    raw, place = schema_at(contract, pointer)
    if "items" in raw:
        return child(place, "items")
    for index, _ in enumerate(raw["allOf"] if isinstance(raw.get("allOf"), list) else ()):
        if (found := item(contract, child(place, "allOf", str(index)))) is not None:
            return found
    return None


def places(contract: Contract, pointer: str) -> Iterator[tuple[Place, str]]:
    """Yield the place and the schema's pointer of each member of a value, the outermost first."""
    pending: list[tuple[Place, str]] = [((), pointer)]
    seen = 0
    while pending and seen < _MOST:
        place, schema = pending.pop(0)
        seen += 1
        if place and place[-1] != ITEM:
            yield place, schema
        if len(place) >= _DEPTH:
            continue
        below = item(contract, schema)
        if below is not None:
            pending.append(((*place, ITEM), below))
        pending.extend(((*place, name), one) for name, one in members(contract, schema).items())


def is_read_only(contract: Contract, pointer: str) -> bool:
    """Tell whether a member is for responses alone."""
    own = schema_at(contract, pointer)[0]
    return own.get("readOnly") is True


def described(contract: Contract, pointer: str) -> Any:
    """Return a text that the description of a string shows as an example, None if it shows none or has a better one."""
    raw, _ = schema_at(contract, pointer)
    kind = raw.get("type", "string")
    if kind != "string" or not {"example", "examples", "default", "enum", "const", "format"}.isdisjoint(raw):
        return None
    text = raw.get("description")
    return shown_in(text) if isinstance(text, str) else None


def shown_in(description: str) -> str | None:
    """Return a text that a description shows as an example, or names first among the only values; None for neither."""
    shown = _SHOWN.search(description)
    if shown is not None:
        return shown["quoted"] or shown["bare"].rstrip(".,;:")
    listed = _LISTED.search(description)
    return (listed["first"] or listed["capitals"]) if listed is not None else None


def with_descriptions(contract: Contract, schema: str, value: Any) -> Any:
    """Return a generated value with texts that descriptions show as examples, where it stays valid."""
    is_valid = contract.validator(schema, "request").is_valid
    for place, pointer in places(contract, schema):
        shown = described(contract, pointer) if isinstance(value_at(value, place), str) else None
        changed = MISSING if shown is None else with_member(value, place, shown)
        if changed is not MISSING and is_valid(changed):
            value = changed
    return value


def value_at(value: Any, place: Place) -> Any:
    """Return the member at a place, in the first item of arrays; `MISSING` if it is not there."""
    for part in place:
        if part == ITEM:
            value = value[0] if isinstance(value, list) and value else MISSING
        else:
            value = value.get(part, MISSING) if isinstance(value, dict) else MISSING
        if value is MISSING:
            return MISSING
    return value


def with_member(value: Any, place: Place, member: Any) -> Any:
    """Return a value with a member set at a place, in each item of arrays; `MISSING` if what holds it is not there."""
    if not place:
        return member
    first, rest = place[0], place[1:]
    if first == ITEM:
        if not isinstance(value, list) or not value:
            return MISSING
        changed = [with_member(one, rest, copy.deepcopy(member)) for one in value]
        return MISSING if any(one is MISSING for one in changed) else changed
    if not isinstance(value, dict):
        return MISSING
    inner = with_member(value.get(first, {} if rest and rest[0] != ITEM else MISSING), rest, member) if rest else member
    return MISSING if inner is MISSING else {**value, first: inner}


def without_member(value: Any, place: Place) -> Any:
    """Return a value without the member at a place, in each item of arrays."""
    if not place:
        return value
    first, rest = place[0], place[1:]
    if first == ITEM:
        return [without_member(one, rest) for one in value] if isinstance(value, list) else value
    if not isinstance(value, dict) or first not in value:
        return value
    if not rest:
        return {name: member for name, member in value.items() if name != first}
    return {**value, first: without_member(value[first], rest)}
