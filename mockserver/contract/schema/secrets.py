"""Which properties a schema marks as secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from mockserver.contract.source.references import follow, lookup
from mockserver.errors import ContractError
from mockserver.http.pointers import child
from mockserver.masking import looks_secret

__all__ = ["looks_secret", "marked_names", "same_value"]

_BRANCHES = ("allOf", "anyOf", "oneOf", "prefixItems")
_SUBSCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "unevaluatedProperties", "contains")
_NAMED = ("properties", "patternProperties", "dependentSchemas")


def marked_names(data: dict[str, Any], schema: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the property names below a schema that are `writeOnly`, and those that are `x-secret`."""
    write_only: set[str] = set()
    issued: set[str] = set()
    for pointer in _reachable(data, schema):
        properties = lookup(data, pointer).get("properties")
        for name in properties if isinstance(properties, dict) else ():
            # A mark counts wherever it can stand for a property: beside a `$ref`, behind it, in a branch of `allOf`.
            marks = [lookup(data, place) for place in same_value(data, child(pointer, "properties", name))]
            if any(mark.get("writeOnly") is True for mark in marks):
                write_only.add(name)
            if any("x-secret" in mark for mark in marks):
                issued.add(name)
    return frozenset(write_only), frozenset(issued)


def _reachable(data: dict[str, Any], schema: str) -> Iterator[str]:
    """Yield the pointer of every Schema Object that a value's parts can meet, each once."""
    return _walk(data, schema, (*_BRANCHES, *_SUBSCHEMAS, *_NAMED))


def same_value(data: dict[str, Any], schema: str) -> Iterator[str]:
    """Yield the pointer of every Schema Object that the very same value meets: through `$ref`, `allOf` and the like."""
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
            # A broken or remote reference is told when the schema is compiled.
            with suppress(ContractError):
                pending.append(follow(data, pointer)[1])
        for keyword in keywords:
            below = raw.get(keyword)
            if keyword in _SUBSCHEMAS and isinstance(below, dict):
                pending.append(child(pointer, keyword))
            elif isinstance(below, dict | list):
                names = below if isinstance(below, dict) else map(str, range(len(below)))
                pending.extend(child(pointer, keyword, name) for name in names)
