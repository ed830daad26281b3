"""Members of requests by their schemas: where each is, and what its description shows as an example."""

from __future__ import annotations

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
    rf"(?:one of|set to|either|possible values(?: are)?|valid values(?: are)?|allowed values(?: are)?|must be)"
    rf":?\s*(?:one of )?[{_QUOTES}](?P<first>[^{_QUOTES}]{{1,60}})",
    re.IGNORECASE,
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
    return listed["first"] if listed is not None else None
