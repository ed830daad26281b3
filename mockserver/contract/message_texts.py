"""String members of requests and responses: their paths, found in examples or else in schemas.

A place is a path: the names of members that lead to a value, the outermost first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.schema.marks import same_value
from mockserver.http.pointers import child, lookup
from mockserver.masking import looks_secret

Place = tuple[str, ...]

#: Limit of nested objects that are searched: `{"user": {"login": {"name": ...}}}`.
_MAX_DEPTH = 3


class MessageText(NamedTuple):
    """Member of a message that may hold a string: its path, whether it is required or a secret, and its `enum`."""

    place: Place
    required: bool = False
    secret: bool = False
    values: frozenset[str] = frozenset()


def required_members(contract: Contract, schema: str | None) -> frozenset[str]:
    """Return the names of the members that the schema at a pointer requires of an object."""
    data = contract.document.data
    places = same_value(data, schema) if schema is not None else ()
    return frozenset(name for one in places for name in lookup(data, one).get("required") or ())


def shown_texts(contract: Contract, operation: Operation) -> Mapping[Place, frozenset[str]]:
    """Return the string members of an operation's 2xx responses, with their values in examples, else in schemas."""
    content = list(success_content(operation))
    found: dict[Place, frozenset[str]] = {}
    for place, value in (
        leaf for one in content for example in one.examples.values() for leaf in text_leaves(example.value)
    ):
        found[place] = found.get(place, frozenset()) | {value}
    if found:
        return found
    schemas = (one.schema for one in content if one.schema is not None)
    return {text.place: text.values for schema in schemas for text in texts(contract, schema)}


def success_content(operation: Operation) -> Iterator[MediaType]:
    """Yield the documented media types of an operation's 2xx responses."""
    for status, response in operation.responses.items():
        yield from response.content.values() if status.startswith("2") else ()


def text_leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield the path and the value of each string inside the objects of a JSON value."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from text_leaves(member, (*place, name))
    elif isinstance(value, str) and place:
        yield place, value


def texts(contract: Contract, schema: str, place: Place = ()) -> Iterator[MessageText]:
    """Yield each member that may hold a string, of the objects that a schema describes."""
    data = contract.document.data
    required = required_members(contract, schema)
    for name, pointer in _properties(data, schema):
        meanings = [lookup(data, one) for one in same_value(data, pointer)]
        here = (*place, name)
        if any("properties" in one for one in meanings):
            yield from texts(contract, pointer, here) if len(here) < _MAX_DEPTH else ()
        elif all("string" in _listed(one.get("type", "string")) for one in meanings):
            yield MessageText(here, name in required, _is_secret(name, meanings), _values(meanings))


def _properties(data: Any, schema: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the schema pointer of each property that a schema describes, each name once."""
    found: dict[str, str] = {}
    for pointer in same_value(data, schema):
        for name in lookup(data, pointer).get("properties") or ():
            found.setdefault(name, child(pointer, "properties", name))
    yield from found.items()


def _is_secret(name: str, meanings: Collection[Mapping[str, Any]]) -> bool:
    return looks_secret(name) or any(
        one.get("writeOnly") is True or one.get("format") == "password" for one in meanings
    )


def _values(meanings: Collection[Mapping[str, Any]]) -> frozenset[str]:
    listed = [*(one.get("enum") or () for one in meanings), [one["const"] for one in meanings if "const" in one]]
    return frozenset(value for values in listed for value in values if isinstance(value, str))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
