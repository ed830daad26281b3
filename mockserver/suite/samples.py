"""Values made from schemas: one that is valid, and many that break one keyword each. No chance in it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.references import follow
from mockserver.contract.schemas import SchemaViolation
from mockserver.pointers import child
from mockserver.suite.verdicts import NotRun

_MAX_DEPTH = 12
_MAX_VARIANTS = 12
#: A longer text is not made up: no server should be sent megabytes by a check that takes seconds.
_MAX_LENGTH = 100_000
#: Spaces around and letters of both cases; composed and decomposed letters; what HTML, URLs and SQL escape.
_TELLING_TEXTS = (" Blanks Before and Behind {0} ", "\u00e9 e\u0301 \ufb01 {0}", "<b>&amp; %41+%2B 'q' \"d\" \\ {0}")
_WRONG_TYPES: tuple[Any, ...] = (None, True, 1, 1.5, "text", [], {})


def sample(contract: Contract, schema: str, *, variant: int = 0) -> Any:
    """Return a value that is valid by the schema at a pointer, its own examples first.

    Another `variant` gives other examples where a schema has several.

    Raises:
        NotRun: none could be made.
    """
    value = _sample(contract, schema, variant, 0)
    if not contract.validator(schema, "request").is_valid(value):
        raise NotRun(f"no valid value could be made from the schema at {schema}; give it an example")
    return value


def _sample(contract: Contract, pointer: str, variant: int, depth: int) -> Any:
    raw, pointer = follow(contract.document.data, pointer)
    if not isinstance(raw, dict) or depth > _MAX_DEPTH:
        return {}
    examples = raw.get("examples") or raw.get("enum") or [raw[key] for key in ("example", "const") if key in raw]
    if isinstance(examples, list) and examples:
        return copy.deepcopy(examples[variant % len(examples)])
    if "allOf" in raw:
        parts = [
            _sample(contract, child(pointer, "allOf", str(index)), variant, depth + 1)
            for index in range(len(raw["allOf"]))
        ]
        merged: dict[str, Any] = {}
        for part in parts:
            merged.update(part if isinstance(part, dict) else {})
        return merged if "properties" not in raw else merged | _object(contract, raw, pointer, variant, depth)
    for keyword in ("oneOf", "anyOf"):
        if raw.get(keyword):
            return _sample(contract, child(pointer, keyword, "0"), variant, depth + 1)
    return _of_type(contract, raw, pointer, variant, depth)


def _of_type(contract: Contract, raw: dict[str, Any], pointer: str, variant: int, depth: int) -> Any:
    kind = raw.get("type", "object" if "properties" in raw else "string")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object":
        return _object(contract, raw, pointer, variant, depth)
    if kind == "array":
        item = _sample(contract, child(pointer, "items"), variant, depth + 1) if "items" in raw else "item"
        return [copy.deepcopy(item) for _ in range(max(1, raw.get("minItems", 1)))]
    if kind in {"integer", "number"}:
        return raw.get("minimum", raw.get("exclusiveMinimum", 0) + 1 if "exclusiveMinimum" in raw else 1)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    return "sample".ljust(raw.get("minLength", 0), "x")[: max(raw.get("maxLength", 6), 1)]


def _object(contract: Contract, raw: dict[str, Any], pointer: str, variant: int, depth: int) -> dict[str, Any]:
    properties = raw.get("properties") or {}
    wanted = [name for name in properties if name in (raw.get("required") or ())]
    return {name: _sample(contract, child(pointer, "properties", name), variant, depth + 1) for name in wanted}


def variants(contract: Contract, schema: str) -> range:
    """Return the variants of `sample` that give other values, as many as the member with most examples has."""
    raw, pointer = follow(contract.document.data, schema)
    properties = raw.get("properties") if isinstance(raw, dict) else None
    counts = [1]
    for name in properties if isinstance(properties, dict) else ():
        member, _ = follow(contract.document.data, child(pointer, "properties", name))
        if isinstance(member, dict) and isinstance(member.get("examples"), list):
            counts.append(len(member["examples"]))
    return range(min(max(counts), _MAX_VARIANTS) + 1)


def telling(contract: Contract, schema: str, valid: Any) -> Iterator[Any]:
    """Yield valid objects whose texts show what a server does to them: trim, fold, normalise, escape, swap.

    Each text member gets another text, so that two members that are swapped are told apart.
    """
    if not isinstance(valid, dict):
        return
    validator = contract.validator(schema, "request")
    for texts in _TELLING_TEXTS:
        value = dict(valid)
        for number, (name, member) in enumerate(valid.items()):
            changed = value | {name: texts.format(number)}
            if isinstance(member, str) and validator.is_valid(changed):
                value = changed
        if value != valid:
            yield value


def broken(contract: Contract, schema: str, valid: Any) -> Iterator[tuple[Any, tuple[SchemaViolation, ...]]]:
    """Yield values that break a schema in one place each, with what they break.

    Besides values of another type as a whole, each member of a valid object is left out, given another type
    and pushed over its limits, and a member is added that no contract knows.
    """
    validator = contract.validator(schema, "request")
    candidates: Iterator[Any] = _mutations(contract, schema, valid)
    for candidate in candidates:
        violations = tuple(validator.violations(candidate))
        if violations:
            yield candidate, violations


def _mutations(contract: Contract, schema: str, valid: Any) -> Iterator[Any]:
    yield from _WRONG_TYPES
    if not isinstance(valid, dict):
        return
    yield valid | {"mockserver_undocumented": "text"}
    for name in valid:
        yield {key: value for key, value in valid.items() if key != name}
        for wrong in (*_WRONG_TYPES, *_beyond_limits(contract, schema, name)):
            yield valid | {name: wrong}


def _beyond_limits(contract: Contract, schema: str, name: str) -> Iterator[Any]:
    raw, pointer = follow(contract.document.data, schema)
    if not isinstance(raw, dict) or name not in (raw.get("properties") or {}):
        return
    limits, _ = follow(contract.document.data, child(pointer, "properties", name))
    if not isinstance(limits, dict):
        return
    if "minimum" in limits:
        yield limits["minimum"] - 1
    if "maximum" in limits:
        yield limits["maximum"] + 1
    if limits.get("minLength", 0) > 0:
        yield "x" * (limits["minLength"] - 1)
    if limits.get("maxLength", _MAX_LENGTH) < _MAX_LENGTH:
        yield "x" * (limits["maxLength"] + 1)
    if "enum" in limits or "const" in limits:
        yield "mockserver_undocumented"
