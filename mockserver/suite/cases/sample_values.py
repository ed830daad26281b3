"""Sample values made from a schema without chance: a valid value, and many that break one keyword each."""

from __future__ import annotations

import copy
import json
import operator
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

from mockserver import sources
from mockserver.contract.model import Contract
from mockserver.contract.schema.validator import SchemaViolation, Validator
from mockserver.contract.source.references import follow
from mockserver.contract.values.generator import CannotGenerate, Generator
from mockserver.http.pointers import child
from mockserver.suite.verdicts.failures import NotRun

_MAX_VARIANTS = 12
#: So many copies of a value get null within them, and at most so deep.
_MAX_NULLS, _NULLS_DEPTH = 12, 6
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
_WRONG_TYPES: tuple[Any, ...] = (None, True, 1, 1.5, "text", [], {})


def sample_value(
    contract: Contract, schema: str, *, variant: int = 0, whole: bool = False, key: str = "", examples: bool = True
) -> Any:
    """Return a value that is valid by the schema at a JSON pointer, its own example if it has one.

    Args:
        contract: where the schema is.
        schema: its JSON pointer.
        variant: another one takes other examples where a schema has several.
        whole: whether members that are not required are there, too.
        key: another one gives another value where the schema leaves room.
        examples: whether the schema's own examples and defaults may be taken.

    Raises:
        NotRun: none could be made.
    """
    try:
        made = _generator(contract).generate(
            schema, "request", key, minimal=not whole, variant=variant, examples=examples
        )
    except CannotGenerate as reason:
        raise NotRun(f"no valid value could be made from the schema at {schema}; give it an example") from reason
    return copy.deepcopy(made)


def sample_argument(contract: Contract, schema: str, *, examples: bool = True) -> Any:
    """Return a valid value for a parameter: a text where its schema takes any value, since it is one when it is sent.

    Raises:
        NotRun: none could be made.
    """
    value = sample_value(contract, schema, examples=examples)
    if value is not None and value not in ({}, []):
        return value
    if contract.validator(schema, "request").is_valid("sample"):
        return "sample"
    return sample_value(contract, schema, whole=True, examples=examples)  # without members nothing would be sent


def _generator(contract: Contract) -> Generator:
    """Return the generator of a contract's requests; what is planned there is planned from today on."""
    known = contract.generators.get("requests")
    if not isinstance(known, Generator):
        today = datetime.fromtimestamp(sources.wall_clock(), UTC).date()
        known = contract.generators["requests"] = Generator(contract, 0, today=today)
    return known


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
    yield from islice(_nulls_within(valid), _MAX_NULLS)
    if not isinstance(valid, dict):
        return
    yield valid | {"mockserver_undocumented": "text"}
    for name in valid:
        yield {key: value for key, value in valid.items() if key != name}
        for wrong in (*_WRONG_TYPES, *_beyond_limits(contract, schema, name)):
            yield valid | {name: wrong}


def _nulls_within(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yield copies of a JSON value with null for one item of a list, or one member of an object within it.

    Code that takes a list of objects checks the list, and reads the members of null.
    """
    if depth > _NULLS_DEPTH:
        return
    if isinstance(value, list) and value:
        yield [None, *value[1:]]
        yield from ([changed, *value[1:]] for changed in _nulls_within(value[0], depth + 1))
    if isinstance(value, dict):
        for name, member in value.items():
            if depth:
                yield {**value, name: None}
            yield from ({**value, name: changed} for changed in _nulls_within(member, depth + 1))


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
