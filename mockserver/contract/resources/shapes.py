"""Shapes of values: names and types of members and items, from a schema or from an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Protocol

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.schema.dialect import type_of
from mockserver.errors import ContractError
from mockserver.http.media_types import concrete, is_json
from mockserver.http.pointers import child

#: Limit on the schemas read for one value.
_MAX_PARTS = 24


class Shape(Protocol):
    """Shape of a JSON value: the names and types of its members, or the shape of its items."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the value's members, empty if it is no object or its members are unknown."""

    def member(self, name: str) -> Shape | None:
        """Return the shape of the value's member of a name, None if it is unknown."""

    @property
    def item(self) -> Shape | None:
        """Shape of the value's items, None if it is no array."""

    @property
    def kinds(self) -> frozenset[str]:
        """JSON Schema types that the value may have, empty if unknown."""

    @property
    def gives_value(self) -> bool:
        """Whether the contract itself gives a value: an example, a default, a constant or an `enum`."""


#: Keywords that give a value of a schema.
_GIVING = frozenset({"example", "examples", "default", "const", "enum"})


class SchemaShape:
    """Shape of a value as the schemas at some pointers describe it, `$ref` and `allOf` included."""

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
    def schemas(self) -> tuple[dict[str, Any], ...]:
        """The schemas that describe the value, as they stand in the document."""
        return tuple(schema for schema, _ in self._parts)

    @property
    def pointers(self) -> tuple[str, ...]:
        """Pointers of the schemas that describe the value, the whole one first."""
        return tuple(place for _, place in self._parts)

    @property
    def names(self) -> tuple[str, ...]:
        """Names in `properties` of all the schemas."""
        return tuple(dict.fromkeys(name for schema, _ in self._parts for name in schema.get("properties") or ()))

    def member(self, name: str) -> SchemaShape | None:
        """Return the shape of a member that `properties` describes, None if no schema names it."""
        places = [
            child(place, "properties", name)
            for schema, place in self._parts
            if name in (schema.get("properties") or ())
        ]
        return SchemaShape(self._contract, places) if places else None

    @property
    def item(self) -> Shape | None:
        """Shape of the items that `items` describes, None without `items`."""
        places = [child(place, "items") for schema, place in self._parts if isinstance(schema.get("items"), dict)]
        return SchemaShape(self._contract, places) if places else None

    @property
    def chooses(self) -> bool:
        """Whether a schema has `oneOf`, so that leaving out a member may make a second branch valid."""
        return any("oneOf" in schema for schema, _ in self._parts)

    @property
    def open(self) -> bool:
        """Whether the value is an object whose schema says that it may have any members, or names none."""
        objects = [schema for schema, _ in self._parts if "object" in (schema.get("type") or ())]
        return self.takes_any or (bool(objects) and not self.names)

    @property
    def takes_any(self) -> bool:
        """Whether a schema says that the value may have members of any name."""
        return any(schema.get("additionalProperties", False) is not False for schema, _ in self._parts)

    @property
    def read_only(self) -> bool:
        """Whether a schema is `readOnly`, so that only the server sets the value."""
        return any(schema.get("readOnly") is True for schema, _ in self._parts)

    @property
    def writable(self) -> tuple[str, ...]:
        """Names of the members that are not `readOnly`, so that a request may set them."""
        return tuple(name for name in self.names if (held := self.member(name)) is None or not held.read_only)

    @property
    def write_only(self) -> bool:
        """Whether a schema is `writeOnly`, so that no response shows the value."""
        return any(schema.get("writeOnly") is True for schema, _ in self._parts)

    @property
    def gives_value(self) -> bool:
        """Whether a schema has an example, a default, a constant or an `enum`."""
        return any(not _GIVING.isdisjoint(schema) for schema, _ in self._parts)

    @property
    def kinds(self) -> frozenset[str]:
        """Types in the keyword `type` of all the schemas, without null."""
        found: set[str] = set()
        for schema, _ in self._parts:
            kinds = schema.get("type", ())
            found.update([kinds] if isinstance(kinds, str) else kinds)
        return frozenset(found - {"null"})


class ExampleShape:
    """Shape of a value as an example shows it."""

    gives_value = True

    def __init__(self, value: Any) -> None:
        self._value = value

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the example's members, empty if it is no object."""
        return tuple(self._value) if isinstance(self._value, dict) else ()

    def member(self, name: str) -> Shape | None:
        """Return the shape of the example's member of a name, None if it has none."""
        return ExampleShape(self._value[name]) if name in self.names else None

    @property
    def item(self) -> Shape | None:
        """Shape of the example's first item, None if it is no array or empty."""
        return ExampleShape(self._value[0]) if isinstance(self._value, list) and self._value else None

    @property
    def kinds(self) -> frozenset[str]:
        """JSON Schema type of the example, empty for null."""
        return frozenset({type_of(self._value)} - {"null"})


def json_content(operation: Operation) -> MediaType | None:
    """Return the first JSON media type of an operation's success, None if there is none."""
    documented = operation.success()
    for media_type in documented.content.values() if documented is not None else ():
        if is_json(concrete(media_type.name)):
            return media_type
    return None


def request_shape(contract: Contract, operation: Operation) -> Shape | None:
    """Return the shape of an operation's request content, that in JSON first; None without content or members."""
    content = operation.request_body.content if operation.request_body is not None else {}
    for media_type in sorted(content.values(), key=lambda one: not is_json(concrete(one.name))):
        shape = shape_of(contract, media_type)
        if shape is not None and (shape.names or shape.item is not None):
            return shape
    return None


def response_validity(contract: Contract, media_type: MediaType | None) -> Callable[[Any], bool]:
    """Return what tells whether a value is valid content of a response; without a schema that can be used any is."""
    if media_type is not None and media_type.schema is not None:
        with suppress(ContractError):
            return contract.validator(media_type.schema, "response").is_valid
    return lambda _value: True


def shape_of(contract: Contract, media_type: MediaType) -> Shape | None:
    """Return the shape of content in a media type: from its schema, else from its first example; None without both."""
    if media_type.schema is not None:
        shape = SchemaShape(contract, [media_type.schema])
        if shape.names or shape.item is not None:
            return shape
    example = next(iter(media_type.examples.values()), None)
    return None if example is None else ExampleShape(example.value)


def arrays(shape: Shape, depth: int = 2) -> Iterator[tuple[str, Shape]]:
    """Yield the pointer and the shape of the items of each array of objects in a value, the outermost first."""
    if shape.item is not None and shape.item.names:
        yield "", shape.item
    if depth:
        for name in shape.names:
            member = shape.member(name)
            if member is not None:
                for pointer, item in arrays(member, depth - 1):
                    yield child("", name) + pointer, item


def open_parts(shape: Shape, *, items: bool) -> Iterator[tuple[str, Shape]]:
    """Yield pointer and shape of each object in a response whose schema takes members of any name: the whole, a member.

    With `items`, those of the items of a list that is the whole or a member.
    """
    found = [("", shape), *((child("", name), member) for name in shape.names if (member := shape.member(name)))]
    for pointer, inner in found:
        one = inner.item if items else inner
        if isinstance(one, SchemaShape) and one.takes_any:
            yield pointer, one


def objects(shape: Shape) -> Iterator[tuple[str, Shape]]:
    """Yield pointer and shape of each object in a response that may be the item: the whole, its only item, a member."""
    if shape.names:
        yield "", shape
    elif shape.item is not None and shape.item.names:
        yield "/0", shape.item
    for name in shape.names:
        member = shape.member(name)
        if member is not None and member.names:
            yield child("", name), member
