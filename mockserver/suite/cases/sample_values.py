"""Sample values made from a schema without chance: a valid value, and many that break one keyword each."""

from __future__ import annotations

import copy
import json
import operator
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.schema.validator import SchemaViolation, Validator
from mockserver.contract.source.references import follow
from mockserver.http.pointers import child
from mockserver.suite.verdicts.failures import NotRun

_MAX_DEPTH = 12
_MAX_VARIANTS = 12
#: A longer text is not made up: no server should be sent megabytes by a check that takes seconds.
_MAX_LENGTH = 100_000
#: Spaces around and letters of both cases; composed and decomposed letters; what HTML, URLs and SQL escape.
_TELLING_TEXTS = (" Blanks Before and Behind {0} ", "\u00e9 e\u0301 \ufb01 {0}", "<b>&amp; %41+%2B 'q' \"d\" \\ {0}")
#: Where columns end: 16 and 32 bits, with a sign and without; what a float holds exactly.
_TELLING_NUMBERS = (65535, 2**31 - 1, 2**31, 2**32, 2**53 + 1)
#: A long text that is a host name, too: labels of 62 characters (RFC 1035, section 2.3.4), in both cases.
_LONG = ("Label-" * 10 + "xy.") * 20
#: How long texts are tried, the longest that is valid: what columns and protocols are limited to.
_LENGTHS = (1000, 320, 253, 64)
#: Hostile texts and numbers, valid in JSON but a trap for the code behind the parser, as written in JSON. The last
#: ones are valid in many places, where generated values and examples have them; here they come where they are not.
_HOSTILE_TEXTS = (
    r'"\u0000"',
    r'"a\u0000b"',
    r'"\ud800"',
    r'"\udfff\ud800"',
    r'"\u202e\ufeff"',
    r'''"' OR \"1\"=\"1\" -- ;"''',
    '"' + "x" * 100_000 + '"',
    '""',
    '"\U0001f600"',
)
_HOSTILE_NUMBERS = ("9" * 400, "1e999", str(2**31), str(2**63), str(-(2**63) - 1), "0.1", "-0")
#: A text of each format that is checked (JSON Schema 2020-12, section 7.3), where a schema has no example.
_OF_FORMAT = {
    "date": "2020-02-24",
    "date-time": "2020-02-24T09:20:47Z",
    "duration": "P1D",
    "email": "sample@example.com",
    "hostname": "sample.example",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "09:20:47Z",
    "uri": "https://sample.example/",
    "uuid": "5f0c1b8e-6c1d-4d6a-9d3e-0a4b7c2f9e10",
}
_WRONG_TYPES: tuple[Any, ...] = (None, True, 1, 1.5, "text", [], {})


def sample_value(contract: Contract, schema: str, *, variant: int = 0) -> Any:
    """Return a value that is valid by the schema at a JSON pointer, its own example if it has one.

    Another `variant` gives other examples where a schema has several.

    Raises:
        NotRun: none could be made.
    """
    value = _sample(contract, schema, variant, 0)
    if not contract.validator(schema, "request").is_valid(value):
        raise NotRun(f"no valid value could be made from the schema at {schema}; give it an example")
    return value


def _sample(contract: Contract, pointer: str, variant: int, depth: int, required: frozenset[str] = frozenset()) -> Any:
    """Return a value for a schema; `required` adds member names that an enclosing `allOf` requires."""
    raw, pointer = follow(contract.document.data, pointer)
    if not isinstance(raw, dict) or depth > _MAX_DEPTH:
        return {}
    examples = raw.get("examples") or raw.get("enum") or [raw[key] for key in ("example", "const") if key in raw]
    if isinstance(examples, list) and examples:
        return copy.deepcopy(examples[variant % len(examples)])
    required |= _required(raw)
    if "allOf" in raw:
        places = [child(pointer, "allOf", str(index)) for index in range(len(raw["allOf"]))]
        required = required.union(*(_required(follow(contract.document.data, place)[0]) for place in places))
        parts = [_sample(contract, place, variant, depth + 1, required) for place in places]
        merged: dict[str, Any] = {}
        for part in parts:
            merged.update(part if isinstance(part, dict) else {})
        return merged if "properties" not in raw else merged | _object(contract, raw, pointer, variant, depth, required)
    for keyword in ("oneOf", "anyOf"):
        if raw.get(keyword):
            branch = child(pointer, keyword, "0")
            if "properties" not in raw:
                return _sample(contract, branch, variant, depth + 1, required)
            # A branch may say no more than which of the members beside it are required.
            required |= _required(follow(contract.document.data, branch)[0])
            part = _sample(contract, branch, variant, depth + 1, required)
            whole = _object(contract, raw, pointer, variant, depth, required)
            return whole | part if isinstance(part, dict) else whole
    return _of_type(contract, raw, pointer, variant, depth, required)


def _required(raw: Any) -> frozenset[str]:
    names = raw.get("required") if isinstance(raw, dict) else None
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def _of_type(
    contract: Contract, raw: dict[str, Any], pointer: str, variant: int, depth: int, required: frozenset[str]
) -> Any:
    kind = raw.get("type", "object" if "properties" in raw else "string")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if not isinstance(kind, str):
        return None  # a mistake in the contract, which the validator makes of it what it can
    if kind == "object":
        return _object(contract, raw, pointer, variant, depth, required)
    if kind == "array":
        item = _sample(contract, child(pointer, "items"), variant, depth + 1) if "items" in raw else "item"
        return [copy.deepcopy(item) for _ in range(max(1, raw.get("minItems", 1)))]
    if kind in {"integer", "number"}:
        return raw.get("minimum", raw.get("exclusiveMinimum", 0) + 1 if "exclusiveMinimum" in raw else 1)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    form = raw.get("format")
    if isinstance(form, str) and form in _OF_FORMAT:
        return _OF_FORMAT[form]
    return "sample".ljust(raw.get("minLength", 0), "x")[: max(raw.get("maxLength", 6), 1)]


def _object(
    contract: Contract, raw: dict[str, Any], pointer: str, variant: int, depth: int, required: frozenset[str]
) -> dict[str, Any]:
    properties = raw.get("properties") or {}
    wanted = [name for name in properties if name in required]
    return {name: _sample(contract, child(pointer, "properties", name), variant, depth + 1) for name in wanted}


def variants(contract: Contract, schema: str) -> range:
    """Return the numbers of the variants of `sample_value` that give different values for a schema."""
    raw, pointer = follow(contract.document.data, schema)
    properties = raw.get("properties") if isinstance(raw, dict) else None
    counts = [1]
    for name in properties if isinstance(properties, dict) else ():
        member, _ = follow(contract.document.data, child(pointer, "properties", name))
        if isinstance(member, dict) and isinstance(member.get("examples"), list):
            counts.append(len(member["examples"]))
    return range(min(max(counts), _MAX_VARIANTS) + 1)


def distinctive_values(contract: Contract, schema: str, valid: Any) -> Iterator[Any]:
    """Yield valid objects with texts that reveal if a server trims, folds, normalises, escapes or swaps them.

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
    others = [
        _as_long_as_may_be(valid, validator),
        *(_with_each(valid, int, partial(operator.sub, number), validator) for number in _TELLING_NUMBERS),
        # Items in an order that sorting would change.
        _with_each(valid, list, lambda index: [f"b{index}", "a", f"C{index}"], validator),
    ]
    yield from (other for other in others if other != valid)


def with_fractions(value: Any) -> Any:
    """Return a JSON value with each integer, at any depth, written as a float: 280 as 280.0."""
    if isinstance(value, dict):
        return {name: with_fractions(member) for name, member in value.items()}
    if isinstance(value, list):
        return [with_fractions(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def hostile_contents(valid: Any) -> Iterator[bytes]:
    """Yield JSON texts in which one member is hostile to parsers: NUL, lone surrogate, overflowing number."""
    if not isinstance(valid, dict):
        return
    for name, member in valid.items():
        texts = _HOSTILE_TEXTS if isinstance(member, str) else _HOSTILE_NUMBERS if _is_number(member) else ()
        others = "".join(f", {json.dumps(key)}: {json.dumps(held)}" for key, held in valid.items() if key != name)
        for text in texts:
            yield f"{{{json.dumps(name)}: {text}{others}}}".encode()
    if valid:
        whole = json.dumps(valid)
        name = next(iter(valid))
        yield f"{whole[:-1]}, {json.dumps(name)}: null}}".encode()
        # The same name in other writings: another case, and the Unicode forms of a letter.
        yield f"{whole[:-1]}, {json.dumps(name.upper())}: null}}".encode()
        yield f'{whole[:-1]}, "\u00e9": 1, "e\u0301": 2}}'.encode()
        yield f"{{{json.dumps(name)}: {'[' * 2000}{']' * 2000}}}".encode()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_long_as_may_be(valid: dict[str, Any], validator: Validator) -> dict[str, Any]:
    """Return an object whose texts are as long as its schema allows, up to usual limits of database columns."""
    value = dict(valid)
    for index, (name, member) in enumerate(valid.items()):
        for length in _LENGTHS:
            changed = value | {name: f"{index}{_LONG}"[: length - 1] + "x"}
            if isinstance(member, str) and length > len(member) and validator.is_valid(changed):
                value = changed
                break
    return value


def _with_each(valid: dict[str, Any], kind: type, make: Callable[[int], Any], validator: Validator) -> dict[str, Any]:
    """Return an object whose members of one type are replaced by values made from their index, where valid."""
    value = dict(valid)
    for index, (name, member) in enumerate(valid.items()):
        changed = value | {name: make(index)}
        if type(member) is kind and validator.is_valid(changed):
            value = changed
    return value


def invalid_values(contract: Contract, schema: str, valid: Any) -> Iterator[tuple[Any, tuple[SchemaViolation, ...]]]:
    """Yield values that each break a schema in one place, with the violations of that schema.

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
