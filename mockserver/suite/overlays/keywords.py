"""JSON Schema keywords: how a schema is changed to allow values that were observed to break the keyword."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from mockserver.contract.schema.dialect import type_of
from mockserver.contract.schema.direction import Direction
from mockserver.contract.schema.validator import SchemaViolation

#: More new values or members than this, and there is no list of them to be had.
_MAX_LISTED = 12
#: A longer text in place of a listed one may be anything, also a secret.
_MAX_TEXT = 60
_MARKS = ("x-source", "x-assumed", "x-observed")


def refute(
    schema: dict[str, Any],
    keyword: str,
    violations: Sequence[SchemaViolation],
    *,
    direction: Direction,
    stamp: str,
    again: bool,
) -> None:
    """Change a schema so that one of its keywords allows the values that were observed.

    Args:
        schema: the Schema Object that holds the keyword; changed in place.
        keyword: what was broken.
        violations: how, each with its value.
        direction: whether the values were taken or given.
        stamp: when and where that was seen.
        again: whether the keyword has been changed so before; what was seen then was not the end of it.
    """
    if keyword not in schema:
        return
    loosen = None if again else _LOOSEN.get((keyword, direction), _LOOSEN.get((keyword, None)))
    if keyword == "additionalProperties" and again:
        loosen = _allow_all
    if loosen is None or not loosen(schema, keyword, violations, stamp):
        drop(schema, keyword, stamp)
    elif keyword in schema:
        mark(schema, keyword, stamp)


def mark(holder: dict[str, Any], keyword: str, stamp: str) -> None:
    """Mark a keyword of a schema as observed, with `x-observed`."""
    observed = holder.get("x-observed")
    if not isinstance(observed, str):
        holder["x-observed"] = {**(observed or {}), keyword: stamp}


def mark_whole(holder: dict[str, Any], stamp: str) -> None:
    """Mark a whole object as observed, replacing the mark that it was assumed."""
    if isinstance(holder.get("x-assumed"), str):
        del holder["x-assumed"]
    holder["x-observed"] = stamp


def drop(schema: dict[str, Any], keyword: str, stamp: str) -> None:
    """Remove a keyword from a schema, with the marks about the keyword."""
    schema.pop(keyword, None)
    for name in _MARKS:
        reasons = schema.get(name)
        if isinstance(reasons, dict):
            reasons.pop(keyword, None)
            if not reasons:
                del schema[name]
    if not any(isinstance(schema.get(name), str) for name in _MARKS):
        schema["x-observed"] = stamp


_Loosen = Callable[[dict[str, Any], str, Sequence[SchemaViolation], str], bool]


def _limit(
    extreme: Callable[[Iterable[Any]], Any],
    measure: Callable[[Any], Any],
    schema: dict[str, Any],
    keyword: str,
    violations: Sequence[SchemaViolation],
    _stamp: str,
) -> bool:
    schema[keyword] = extreme([schema[keyword], *(measure(violation.value) for violation in violations)])
    return True


def _itself(value: Any) -> Any:
    return value


def _require_less(schema: dict[str, Any], keyword: str, violations: Sequence[SchemaViolation], _stamp: str) -> bool:
    missing = {name for violation in violations for name in violation.missing}
    schema[keyword] = [name for name in schema[keyword] if name not in missing]
    return True


def _allow_all(schema: dict[str, Any], keyword: str, _violations: Sequence[SchemaViolation], _stamp: str) -> bool:
    schema[keyword] = True
    return True


def _add_members(schema: dict[str, Any], keyword: str, violations: Sequence[SchemaViolation], stamp: str) -> bool:
    """Add the unknown members that were observed to the schema, with the types of their values."""
    types: dict[str, set[str]] = {}
    for violation in violations:
        for name in violation.unknown:
            value = violation.value.get(name) if isinstance(violation.value, dict) else None
            types.setdefault(name, set()).add(type_of(value))
    # Of a schema that allows no member at all, a violation does not name them.
    if not 0 < len(types) <= _MAX_LISTED or schema[keyword] is not False:
        schema[keyword] = True
        return True
    properties = schema.setdefault("properties", {})
    for name, kinds in sorted(types.items()):
        properties[name] = {"type": _type(kinds), "x-observed": stamp}
    return True


def _widen_type(schema: dict[str, Any], keyword: str, violations: Sequence[SchemaViolation], _stamp: str) -> bool:
    known = schema[keyword] if isinstance(schema[keyword], list) else [schema[keyword]]
    seen = {type_of(violation.value) for violation in violations}
    kinds = {*known, *seen}
    if "number" in kinds:
        kinds.discard("integer")
    schema[keyword] = _type(kinds)
    return True


def _list_more(schema: dict[str, Any], keyword: str, violations: Sequence[SchemaViolation], stamp: str) -> bool:
    known = schema[keyword] if keyword == "enum" else [schema[keyword]]
    seen = list({repr(one.value): one.value for one in violations}.values())
    if len(seen) > _MAX_LISTED or not all(_is_plain(value) for value in seen):
        return False
    if keyword == "const":
        drop(schema, "const", stamp)
    schema["enum"] = [*known, *seen]
    if keyword == "const":
        mark(schema, "enum", stamp)
    return True


def _is_plain(value: Any) -> bool:
    return (
        value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= _MAX_TEXT)
    )


def _type(kinds: Iterable[str]) -> Any:
    names = sorted(kinds)
    return names[0] if len(names) == 1 else names


_LOWER = partial(_limit, min)
_UPPER = partial(_limit, max)
#: Keyword, and direction of the values where that matters -> what becomes of it; any other keyword is taken away.
_LOOSEN: Mapping[tuple[str, Direction | None], _Loosen] = {
    ("minimum", None): partial(_LOWER, _itself),
    ("maximum", None): partial(_UPPER, _itself),
    **{(name, None): partial(_LOWER, len) for name in ("minLength", "minItems", "minProperties")},
    **{(name, None): partial(_UPPER, len) for name in ("maxLength", "maxItems", "maxProperties")},
    ("required", None): _require_less,
    ("additionalProperties", "request"): _allow_all,
    ("additionalProperties", "response"): _add_members,
    ("type", None): _widen_type,
    ("enum", None): _list_more,
    # Sent values are made up; values returned in place of a constant are the server's own.
    ("const", "response"): _list_more,
}
