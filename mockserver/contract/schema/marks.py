"""Search for the properties of a schema that are marked `writeOnly: true` or `x-secret: issued`.

Schemas that refer to each other have too many paths to walk (Stripe's: each object may be expanded in each other one).
So each schema is read once, to find those that lead to a mark at all; then paths are followed through these only, the
shortest first, up to a limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.pointers import child, lookup
from mockserver.masking import looks_secret

#: Limit on the values searched; those beyond the limit are nested deeper than all that were found.
MAX_STEPS = 5000

#: The path in a value, `*` for any index of an array, and the pointer of the mark.
Marked = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class _Place:
    """Mark of one schema, if any, and the schemas of its members and items.

    Attributes:
        places: pointers of all Schema Objects that apply to the value.
        mark: pointer of the mark, "" for none.
        parts: schema in `places`, member name or `*`, and schema pointer of each member or items, in order.
    """

    places: frozenset[str]
    mark: str
    parts: tuple[tuple[str, str, str], ...]


class Marks:
    """Finder of the properties marked with one keyword in a document; results are cached."""

    def __init__(self, data: dict[str, Any], keyword: str) -> None:
        self._data = data
        self._keyword = keyword
        self._found: dict[str, tuple[Marked, ...]] = {}
        self._known: dict[str, _Place] = {}
        self._leading: set[str] = set()

    def below(self, schema: str) -> tuple[Marked, ...]:
        """Return the path and the pointer of each marked property below a schema, the shortest path first.

        A schema is entered once on each path, and a property that is marked is not looked into.
        """
        if schema not in self._found:
            self._learn(schema)
            self._found[schema] = tuple(self._paths(schema)) if schema in self._leading else ()
        return self._found[schema]

    def _paths(self, schema: str) -> Iterator[Marked]:
        pending: deque[tuple[str, tuple[str, ...], frozenset[str]]] = deque([(schema, (), frozenset())])
        steps = 0
        while pending:
            pointer, path, seen = pending.popleft()
            place = self._known[pointer]
            within = seen | place.places
            for origin, step, part in place.parts:
                if origin in seen or part not in self._leading:
                    continue
                if self._known[part].mark:
                    yield (*path, step), self._known[part].mark
                elif steps < MAX_STEPS:
                    steps += 1
                    pending.append((part, (*path, step), within))

    def _learn(self, schema: str) -> None:
        """Read all schemas reachable from one that were not read before, and note which of them lead to a mark."""
        new, pending = [], [schema]
        while pending:
            pointer = pending.pop()
            if pointer not in self._known:
                self._known[pointer] = self._look(pointer)
                new.append(pointer)
                pending.extend(part for *_, part in self._known[pointer].parts)
        leads_here: dict[str, list[str]] = {}
        for pointer in new:
            for *_, part in self._known[pointer].parts:
                leads_here.setdefault(part, []).append(pointer)
        leading = [one for one in {*new, *leads_here} if self._known[one].mark or one in self._leading]
        while leading:
            pointer = leading.pop()
            self._leading.add(pointer)
            leading.extend(one for one in leads_here.get(pointer, ()) if one not in self._leading)

    def _look(self, pointer: str) -> _Place:
        # The mark may be beside a `$ref`, behind it, or in a branch of `allOf`: all of these apply to the value.
        places = list(same_value(self._data, pointer))
        mark = next((child(one, self._keyword) for one in places if lookup(self._data, one).get(self._keyword)), "")
        parts: list[tuple[str, str, str]] = []
        for place in places:
            raw = lookup(self._data, place)
            properties = raw.get("properties")
            for name in properties if isinstance(properties, dict) else ():
                parts.append((place, name, child(place, "properties", name)))
            if "items" in raw:
                parts.append((place, "*", child(place, "items")))
        return _Place(frozenset(places), mark, tuple(parts))


__all__ = ["looks_secret", "marked_names", "same_value"]

_BRANCHES = ("allOf", "anyOf", "oneOf", "prefixItems")
_SUBSCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "unevaluatedProperties", "contains")
_NAMED = ("properties", "patternProperties", "dependentSchemas")


def marked_names(data: dict[str, Any], schema: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of the properties below a schema that are `writeOnly`, and of those with `x-secret`."""
    write_only: set[str] = set()
    issued: set[str] = set()
    for pointer in _reachable(data, schema):
        properties = lookup(data, pointer).get("properties")
        for name in properties if isinstance(properties, dict) else ():
            # A mark counts wherever it can be for a property: beside a `$ref`, behind it, in a branch of `allOf`.
            marks = [lookup(data, place) for place in same_value(data, child(pointer, "properties", name))]
            if any(mark.get("writeOnly") is True for mark in marks):
                write_only.add(name)
            if any("x-secret" in mark for mark in marks):
                issued.add(name)
    return frozenset(write_only), frozenset(issued)


def _reachable(data: dict[str, Any], schema: str) -> Iterator[str]:
    """Yield the pointer of every Schema Object that applies to a value or to any part of it, each once."""
    return _walk(data, schema, (*_BRANCHES, *_SUBSCHEMAS, *_NAMED))


def same_value(data: dict[str, Any], schema: str) -> Iterator[str]:
    """Yield the pointer of each Schema Object that applies to a value itself, through `$ref`, `allOf` and the like."""
    return _walk(data, schema, ("allOf", "anyOf", "oneOf"))


def _walk(data: dict[str, Any], schema: str, keywords: tuple[str, ...]) -> Iterator[str]:
    seen: set[str] = set()
    pending = [schema]
    while pending:
        pointer = pending.pop()
        if pointer in seen:
            continue
        seen.add(pointer)
        raw = lookup(data, pointer)
        if not isinstance(raw, dict):
            continue
        yield pointer
        if "$ref" in raw:
            # A broken or remote reference is reported when the schema is compiled.
            with suppress(ContractError):
                pending.append(follow(data, pointer)[1])
        for keyword in keywords:
            below = raw.get(keyword)
            if keyword in _SUBSCHEMAS and isinstance(below, dict):
                pending.append(child(pointer, keyword))
            elif isinstance(below, dict | list):
                names = below if isinstance(below, dict) else map(str, range(len(below)))
                pending.extend(child(pointer, keyword, name) for name in names)
