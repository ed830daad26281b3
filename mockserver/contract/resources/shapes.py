"""What a value looks like: names of members and items, from its schema or from an example of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.schema.dialect import type_of
from mockserver.errors import ContractError
from mockserver.http.media_types import concrete, is_json
from mockserver.http.pointers import child

#: Schemas that one value is described by; more of them, and it is not looked at further.
_MAX_PARTS = 24


class Shape(Protocol):
    """What a value looks like."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its members, none where it is no object or nothing is known of them."""

    def member(self, name: str) -> Shape | None:
        """Return the shape of a member, None where nothing is known of it."""

    @property
    def item(self) -> Shape | None:
        """Shape of its items, None where it is no array."""

    @property
    def kinds(self) -> frozenset[str]:
        """Its types in JSON Schema's words, none where nothing is known."""

    @property
    def gives_value(self) -> bool:
        """Whether the contract itself gives its value, or some of them."""


#: Keywords that give a value of a schema.
_GIVING = frozenset({"example", "examples", "default", "const", "enum"})


class SchemaShape:
    """What the schemas at some pointers say of one value."""

    def __init__(self, contract: Contract, pointers: Sequence[str]) -> None:
        self._contract = contract
        self._parts: list[tuple[dict[str, Any], str]] = []
        self._take(pointers)

    def _take(self, pointers: Sequence[str]) -> None:
        seen: set[str] = set()
        pending = list(pointers)
        while pending and len(seen) < _MAX_PARTS:
            try:
                schema, place = self._contract.schema(pending.pop(0))
            except (ContractError, LookupError):
                continue
            if place in seen or not isinstance(schema, dict):
                continue
            seen.add(place)
            self._parts.append((schema, place))
            if "$ref" in schema:
                pending.append(child(place, "$ref"))
            for keyword in ("allOf", "oneOf", "anyOf"):
                pending.extend(child(place, keyword, str(index)) for index in range(len(schema.get(keyword) or ())))

    @property
    def names(self) -> tuple[str, ...]:
        """Names under `properties`."""
        return tuple(dict.fromkeys(name for schema, _ in self._parts for name in schema.get("properties") or ()))

    def member(self, name: str) -> SchemaShape | None:
        """Return what `properties` says of a member."""
        places = [
            child(place, "properties", name)
            for schema, place in self._parts
            if name in (schema.get("properties") or ())
        ]
        return SchemaShape(self._contract, places) if places else None

    @property
    def item(self) -> Shape | None:
        """What `items` says."""
        places = [child(place, "items") for schema, place in self._parts if isinstance(schema.get("items"), dict)]
        return SchemaShape(self._contract, places) if places else None

    @property
    def chooses(self) -> bool:
        """Whether exactly one of several schemas must hold, so that a missing member can let a second one hold."""
        return any("oneOf" in schema for schema, _ in self._parts)

    @property
    def read_only(self) -> bool:
        """Whether the server alone sets it."""
        return any(schema.get("readOnly") is True for schema, _ in self._parts)

    @property
    def gives_value(self) -> bool:
        """Whether the schema gives values."""
        return any(not _GIVING.isdisjoint(schema) for schema, _ in self._parts)

    @property
    def kinds(self) -> frozenset[str]:
        """What `type` says."""
        found: set[str] = set()
        for schema, _ in self._parts:
            kinds = schema.get("type", ())
            found.update([kinds] if isinstance(kinds, str) else kinds)
        return frozenset(found - {"null"})


class ExampleShape:
    """What an example shows of a value."""

    gives_value = True

    def __init__(self, value: Any) -> None:
        self._value = value

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members."""
        return tuple(self._value) if isinstance(self._value, dict) else ()

    def member(self, name: str) -> Shape | None:
        """Return the shape of a member."""
        return ExampleShape(self._value[name]) if name in self.names else None

    @property
    def item(self) -> Shape | None:
        """Shape of the first item."""
        return ExampleShape(self._value[0]) if isinstance(self._value, list) and self._value else None

    @property
    def kinds(self) -> frozenset[str]:
        """Type of the value."""
        return frozenset({type_of(self._value)} - {"null"})


def json_content(operation: Operation) -> MediaType | None:
    """Return the content of an operation's success that can show items, None where it has none in JSON."""
    documented = operation.success()
    for media_type in documented.content.values() if documented is not None else ():
        if is_json(concrete(media_type.name)):
            return media_type
    return None


def shape_of(contract: Contract, media_type: MediaType) -> Shape | None:
    """Return what content of a media type looks like: by its schema, else by its first example."""
    if media_type.schema is not None:
        shape = SchemaShape(contract, [media_type.schema])
        if shape.names or shape.item is not None:
            return shape
    example = next(iter(media_type.examples.values()), None)
    return None if example is None else ExampleShape(example.value)


def arrays(shape: Shape, depth: int = 2) -> Iterator[tuple[str, Shape]]:
    """Yield pointer and items of the arrays of objects in a value, the outermost first."""
    if shape.item is not None and shape.item.names:
        yield "", shape.item
    if depth:
        for name in shape.names:
            member = shape.member(name)
            if member is not None:
                for pointer, item in arrays(member, depth - 1):
                    yield child("", name) + pointer, item


def objects(shape: Shape) -> Iterator[tuple[str, Shape]]:
    """Yield pointer and shape of what may be the item in an answer: the whole, a member of it, the only item of it."""
    if shape.names:
        yield "", shape
    elif shape.item is not None and shape.item.names:
        yield "/0", shape.item
    for name in shape.names:
        member = shape.member(name)
        if member is not None and member.names:
            yield child("", name), member
