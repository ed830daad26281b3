"""Lint rule `secret`: properties and headers of responses that look like secrets and are not marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockserver.contract.reading.elements import CHILDREN
from mockserver.http.json import excerpt
from mockserver.http.pointers import child
from mockserver.lint.linted_contract import LintedContract, LintFinding
from mockserver.masking import looks_secret

_REMEDY = "mark it `writeOnly: true`, or `x-secret: issued` if the documentation itself returns it here"
#: Formats of text that is no secret itself: when a secret expires, where to get it.
_HARMLESS_FORMATS = frozenset({"date", "date-time", "duration", "email", "uri", "uri-reference", "url"})


def check_exposure(subject: LintedContract) -> Iterator[LintFinding]:
    """Yield a finding for each property or header of a response that looks secret and is not marked."""
    pending: list[str] = []
    for element in subject.of_kind("media type", "header"):
        if element.direction == "response":
            pending.append(child(element.pointer, "schema"))
            name = element.pointer.rsplit("/", 1)[1]
            if element.kind == "header" and looks_secret(name) and "x-secret" not in element.value:
                yield from _judge(subject, child(element.pointer, "schema"), name)
    seen: set[str] = set()
    while pending:
        found = subject.resolve(pending.pop())
        if found is None or found[1] in seen:
            continue
        schema, pointer = found
        seen.add(pointer)
        properties = schema.get("properties")
        for name in properties if isinstance(properties, dict) else ():
            if looks_secret(name):
                yield from _judge(subject, child(pointer, "properties", name), name)
        pending.extend(_subschemas(schema, pointer))


def _judge(subject: LintedContract, pointer: str, name: str) -> Iterator[LintFinding]:
    """Yield a finding for the secret-looking name at a pointer, unless its schema is marked or allows no secret."""
    found = subject.resolve(pointer)
    if found is None:
        return
    schema = found[0]
    settled = schema.get("writeOnly") is True or "x-secret" in schema or not _can_hold_a_secret(schema)
    if not settled:
        message = f"{excerpt(name)} looks like a secret and can be read in a response"
        yield subject.finding("secret", pointer, message, _REMEDY)


def _can_hold_a_secret(schema: dict[str, Any]) -> bool:
    """Tell whether a schema allows strings that may be secrets, and not only dates, URLs or fixed values."""
    types = schema.get("type", "string" if "properties" not in schema else "object")
    if "string" not in (types if isinstance(types, list) else [types]):
        return False
    return schema.get("format") not in _HARMLESS_FORMATS and "const" not in schema and "enum" not in schema


def _subschemas(schema: dict[str, Any], pointer: str) -> Iterator[str]:
    """Yield the pointers of the schemas in a schema that may describe a part of its values."""
    for keyword, (shape, _) in CHILDREN["schema"].items():
        held = schema.get(keyword)
        place = child(pointer, keyword)
        if keyword in {"not", "$defs", "definitions", "propertyNames"}:
            continue
        if shape == "one" and isinstance(held, dict):
            yield place
        elif shape == "map" and isinstance(held, dict):
            yield from (child(place, name) for name in held)
        elif shape == "list" and isinstance(held, list):
            yield from (child(place, str(index)) for index in range(len(held)))
