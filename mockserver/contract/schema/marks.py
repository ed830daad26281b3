"""Which properties of a schema's values bear a mark: `writeOnly: true`, `x-secret: issued`.

Schemas that refer to each other have more paths than anybody can walk (Stripe's: each object may stand expanded in each
other one). So the schemas are walked once, each a single time, for which of them lead to a mark at all; and paths are
followed through those alone, the shortest first, up to a number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mockserver.contract.schema.secrets import same_value
from mockserver.contract.source.references import lookup
from mockserver.http.pointers import child

#: So many values within a value are looked into for their paths. What is beyond lies deeper than all that was found.
MAX_STEPS = 5000

#: The path in a value, `*` for any index of an array, and the pointer of the mark.
Marked = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class _Place:
    """What a value meets at one schema.

    Attributes:
        places: pointers of all Schema Objects that the very same value meets.
        mark: pointer of the mark, "" for none.
        parts: which of them says so, step and schema of each value within it, in the document's order.
    """

    places: frozenset[str]
    mark: str
    parts: tuple[tuple[str, str, str], ...]


class Marks:
    """The marks of one keyword in a document; what was learnt of a schema is kept."""

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
        """Look at every schema that can be reached and was not yet, and note those that lead to a mark."""
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
        # The mark may stand beside a `$ref`, behind it, or in a branch of `allOf`: the value meets them all.
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
