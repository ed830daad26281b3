"""Our validator against the reference: equal on generated schemas, and a list of every known disagreement.

The reference is `jsonschema`, which implements JSON Schema in Python and takes its regular expressions, its floats and
most of its formats from there. Where it differs from the standards, they decide: ECMA-262 for `pattern`, exact decimals
for `multipleOf` (JSON Schema Validation 2020-12, sections 6.2.1 and 6.3.3), the RFCs for formats.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mockserver.contract.schema.validator import Schemas, Validator


def _ours(schema: Any, **components: Any) -> Validator:
    return Schemas({"schema": schema, "components": components}).validator("/schema", "request")


def _reference(schema: Any, **components: Any) -> jsonschema.Draft202012Validator:
    document = {**schema, "components": components} if isinstance(schema, dict) else schema
    return jsonschema.Draft202012Validator(document, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


# What both must agree on: ASCII text, numbers that a double holds exactly, formats that the reference knows fully.
names = st.sampled_from(["a", "b", "c", "a/b", "x y", "%"])
plain_text = st.text(st.characters(codec="ascii", exclude_characters="\n\r"), max_size=6)
integers = st.integers(-(2**53), 2**53)
numbers = st.integers(-20, 20) | st.sampled_from([0.5, -1.5, 2.0, 1e300, -0.0]) | integers
formatted = st.sampled_from(
    ["1.2.3.4", "1.2.3", "::1", ":", "2020-02-29", "2020-02-30", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "x"]
)
scalars = st.none() | st.booleans() | numbers | plain_text | formatted
instances = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=8
)
small = st.integers(0, 3)
types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
patterns = st.sampled_from(["^a", "b$", "^[a-c]+$", "^$", "[0-9]{2}", "^(a|bc)*$", "^[^x]", r"\.", r"^\d+$", r"\w-\w"])
formats = st.sampled_from(["ipv4", "ipv6", "date", "uuid", "unknown-format"])


def _keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
            "enum": st.lists(instances, min_size=1, max_size=3),
            "const": instances,
            "minimum": numbers,
            "maximum": numbers,
            "exclusiveMinimum": numbers,
            "exclusiveMaximum": numbers,
            "multipleOf": st.sampled_from([1, 2, 3, 7, 0.5, 0.25]),
            "minLength": small,
            "maxLength": small,
            "pattern": patterns,
            "format": formats,
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "minItems": small,
            "maxItems": small,
            "uniqueItems": st.booleans(),
            "contains": inner,
            "required": st.lists(names, max_size=3, unique=True),
            "properties": st.dictionaries(names, inner, max_size=3),
            "patternProperties": st.dictionaries(patterns, inner, max_size=1),
            "additionalProperties": st.booleans() | inner,
            "propertyNames": st.fixed_dictionaries({"maxLength": small}),
            "minProperties": small,
            "maxProperties": small,
            "dependentRequired": st.dictionaries(names, st.lists(names, max_size=2, unique=True), max_size=1),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
            "$ref": st.just("#/components/Named"),
        },
    ).map(lambda schema: dict(list(schema.items())[:5]))


leaves = _keywords(st.just({}) | st.booleans())
schemas = st.recursive(st.booleans() | leaves, _keywords, max_leaves=4)
named = st.fixed_dictionaries({}, optional={"type": types, "minimum": numbers, "required": st.just(["a"])})


@settings(max_examples=400)
@given(schema=schemas, instance=instances, component=named)
def test_both_agree_on_generated_schemas(schema: Any, instance: Any, component: Any) -> None:
    ours = _ours(schema, Named=component)
    reference = _reference(schema, Named=component)
    assert ours.is_valid(instance) == reference.is_valid(instance)
    assert (not list(ours.violations(instance))) == reference.is_valid(instance)


flat = _keywords(st.just({})).filter(lambda schema: not {"$ref", "if", "then", "else", "contains"} & schema.keys())


@settings(max_examples=300)
@given(schema=flat, instance=instances)
def test_both_find_the_same_violations(schema: Any, instance: Any) -> None:
    """As many, at the same places, of the same keywords: nothing is left out and nothing made up."""
    ours = {(found.instance_path, found.keyword) for found in _ours(schema).violations(instance)}
    reference = {(tuple(error.absolute_path), error.validator) for error in _reference(schema).iter_errors(instance)}
    assert ours == reference


decimals = st.decimals(min_value=-(10**6), max_value=10**6, places=4, allow_nan=False)
factors = st.decimals(min_value=Decimal("0.0001"), max_value=1000, places=4, allow_nan=False)


@settings(max_examples=300)
@given(value=decimals, factor=factors, times=st.integers(-(10**6), 10**6))
def test_multiples_of_decimals_are_exact(value: Decimal, factor: Decimal, times: int) -> None:
    """As the decimals that stand in the JSON text, not as the doubles next to them."""
    validator = _ours({"multipleOf": float(factor)})
    for number in (value, factor * times):
        written = float(number)
        assume(Decimal(repr(written)) == number)
        assert validator.is_valid(written) == (Fraction(number) % Fraction(factor) == 0)


@settings(max_examples=300)
@given(
    limit=st.integers(-(2**70), 2**70) | st.integers(2**63 - 3, 2**63 + 3) | st.integers(2**64 - 3, 2**64 + 3),
    distance=st.integers(-2, 2),
)
def test_limits_are_exact_at_any_size(limit: int, distance: int) -> None:
    value = limit + distance
    assert _ours({"maximum": limit}).is_valid(value) == (value <= limit)
    assert _ours({"minimum": limit}).is_valid(value) == (value >= limit)
    assert _ours({"exclusiveMaximum": limit}).is_valid(value) == (value < limit)
    assert _ours({"exclusiveMinimum": limit}).is_valid(value) == (value > limit)
    assert _ours({"const": limit}).is_valid(value) == (value == limit)
    assert _ours({"enum": [limit]}).is_valid(value) == (value == limit)
    assert _ours({"type": "integer"}).is_valid(value)


#: Schema, value, the right answer; ours is right, the reference is not.
REFERENCE_IS_WRONG: list[tuple[Any, Any, bool]] = [
    # ECMA-262: \d and \w are ASCII, \s is white space and line terminators, `$` is the very end.
    ({"pattern": r"^\d+$"}, "٣", False),
    ({"pattern": r"^\D$"}, "٣", True),
    ({"pattern": r"^\w$"}, "é", False),
    ({"pattern": r"^\W$"}, "é", True),
    ({"pattern": r"^\s$"}, "\ufeff", True),
    ({"pattern": r"^\s$"}, "\x1c", False),
    ({"pattern": r"^\s$"}, "\x85", False),
    ({"pattern": "^a$"}, "a\n", False),
    ({"pattern": "a$"}, "ba\n", False),
    # Exact decimals.
    ({"multipleOf": 0.01}, 0.07, True),
    ({"multipleOf": 0.01}, 19.99, True),
    ({"multipleOf": 0.01}, 4.35, True),
    ({"multipleOf": 0.01}, -0.07, True),
    ({"multipleOf": 0.1}, 0.3, True),
    # Formats that the reference checks loosely, or not at all without further packages.
    ({"format": "date-time"}, "1998-12-31T23:59:60Z", True),
    ({"format": "time"}, "23:59:60Z", True),
    ({"format": "email"}, "@", False),
    ({"format": "email"}, "a@", False),
    ({"format": "email"}, "a b@c", False),
    ({"format": "email"}, "josé@x.de", False),
    ({"format": "email"}, "a..b@c.de", False),
    ({"format": "hostname"}, "", False),
    ({"format": "hostname"}, "a_b", False),
    ({"format": "hostname"}, "-a", False),
    ({"format": "hostname"}, "a..b", False),
    ({"format": "hostname"}, "a" * 64, False),
    ({"format": "hostname"}, "bücher.example", False),
    ({"format": "uri"}, "a", False),
    ({"format": "uri"}, "http:// a", False),
    ({"format": "uri"}, "http://a/%zz", False),
    ({"format": "uri-reference"}, "#a#b", False),
    ({"format": "uri-reference"}, "ä", False),
    ({"format": "duration"}, "P1Y2W", False),
    ({"format": "regex"}, r"\p{L}", True),
    ({"format": "regex"}, "(?<n>a)", True),
    ({"format": "regex"}, r"^\Z", False),
]


@pytest.mark.parametrize(("schema", "value", "right"), REFERENCE_IS_WRONG, ids=repr)
def test_known_mistakes_of_the_reference(schema: Any, value: Any, *, right: bool) -> None:
    assert _ours(schema).is_valid(value) is right
    assert _reference(schema).is_valid(value) is not right


#: Patterns that only ECMA-262 knows: schema, value, the right answer.
REFERENCE_CANNOT: list[tuple[Any, Any, bool]] = [
    ({"pattern": r"^\u{1F600}$"}, "😀", True),
    ({"pattern": r"^\p{L}$"}, "é", True),
    ({"pattern": r"^\p{L}$"}, "1", False),
    ({"pattern": r"^\cA$"}, "\x01", True),
]


@pytest.mark.parametrize(("schema", "value", "right"), REFERENCE_CANNOT, ids=repr)
def test_patterns_that_the_reference_cannot_read(schema: Any, value: Any, *, right: bool) -> None:
    assert _ours(schema).is_valid(value) is right
    with pytest.raises(re.error):
        _reference(schema).is_valid(value)


#: Schema, value, the right answer, which ours does not give: limits of jsonschema-rs, told in docs/contract.md.
OURS_IS_WRONG: list[tuple[Any, Any, bool]] = [
    # ECMA-262, 22.2.2.7: a dot matches no line terminator.
    ({"pattern": "^.$"}, "\r", False),
    ({"pattern": "^.$"}, "\u2028", False),
    ({"pattern": "^.$"}, "\u2029", False),
    # 22.2.2.4: a word boundary is one of ASCII words.
    ({"pattern": r"\bé"}, "aé", True),
    # 22.2.2.9: a back-reference to a group that took no part matches the empty text.
    ({"pattern": r"^(a)|b\1"}, "b", True),
    # Equal numbers, one of them an integer beyond 64 bits.
    ({"enum": [2**64]}, 2.0**64, True),
    ({"const": 2**70}, 2.0**70, True),
    ({"uniqueItems": True}, [2**64, 2.0**64], False),
]


@pytest.mark.parametrize(("schema", "value", "right"), OURS_IS_WRONG, ids=repr)
def test_known_mistakes_of_ours(schema: Any, value: Any, *, right: bool) -> None:
    """Red when an upgrade mends one: then it moves to the other list."""
    assert _ours(schema).is_valid(value) is not right


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (r"^(?<n>a|b)\k<n>$", "aa", "ab"),
        (r"^([xy])(?<n>a|b)\k<n>$", "xaa", "xab"),
        ("^[^]$", "\n", ""),
        ("^a{,2}$", "aa", "aaa"),
        (r"^[\w-.]+$", "a-b.", "a b"),
        (r"^[\d-x]$", "-", "a"),
        (r"^[.-\d]$", "-", "a"),
        (r"^a\Z", "a", "ab"),
    ],
)
def test_patterns_that_ours_cannot_read_are_translated(pattern: str, right: str, wrong: str) -> None:
    """Some are ECMA-262, and some are what people take for it."""
    assert _ours({"pattern": pattern}).is_valid(right)
    assert not _ours({"pattern": pattern}).is_valid(wrong)


@pytest.mark.parametrize("pattern", ["(", "[", "a**", r"\u{110000}"])
def test_patterns_that_are_none_are_ignored_and_noted(pattern: str) -> None:
    schemas = Schemas({"schema": {"pattern": pattern, "maxLength": 1}})
    validator = schemas.validator("/schema", "request")
    assert validator.is_valid("x")
    assert not validator.is_valid("xx")
    assert list(schemas.notes) == ["/schema/pattern"]


@pytest.mark.parametrize(("pattern", "value"), [(r"\Aa", "ba"), ("(?P<n>a)", "a")])
def test_patterns_that_ours_reads_though_they_are_none(pattern: str, value: str) -> None:
    """`\\A` and `(?P<n>...)` are not ECMA-262; ours takes them as Rust and Python do."""
    assert _ours({"pattern": pattern}).is_valid(value) is (value == "a")


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "string", "minLength": 1, "pattern": "^.$"}, "\ud800", True),
        ({"additionalProperties": {"const": "b"}}, {"\ud800": "b"}, True),
        ({"additionalProperties": False}, {"\ud800": "b"}, False),
        ({"properties": {"s": {"enum": ["a"]}}}, {"s": ["\udfff"]}, False),
        ({"items": {"maxLength": 1}}, ["\ud800\ud800", "ab", "\ud800"], False),
    ],
)
def test_lone_surrogates_are_judged_like_other_characters(schema: Any, value: Any, expected: bool) -> None:
    """Servers send them, though they are no UTF-8 (RFC 8259, section 8.2); jsonschema-rs takes none."""
    assert _ours(schema).is_valid(value) is expected
    assert bool(list(_ours(schema).violations(value))) is not expected


def test_each_violation_is_told_once_where_one_of_them_is_of_a_lone_surrogate() -> None:
    found = list(_ours({"items": {"maxLength": 1}}).violations(["ab", "\ud800\ud800", "cd"]))
    assert [violation.instance_path for violation in found] == [(0,), (1,), (2,)]


def test_values_beyond_every_limit_of_levels_are_judged_above_it() -> None:
    value: Any = 1
    for _ in range(2000):
        value = {"a": value}
    found = list(_ours({"required": ["id"]}).violations(value))
    assert [violation.keyword for violation in found] == ["required"]


#: Answers on which both agree and which are easily got wrong.
BOTH: list[tuple[Any, Any, bool]] = [
    ({"type": "integer"}, 1.0, True),
    ({"type": "integer"}, 1e300, True),
    ({"type": "integer"}, -0.0, True),
    ({"type": "integer"}, True, False),
    ({"type": "number"}, False, False),
    ({"type": "boolean"}, 1, False),
    ({"enum": [1]}, 1.0, True),
    ({"enum": [1]}, True, False),
    ({"const": False}, 0, False),
    ({"const": [1]}, [True], False),
    ({"const": {"a": 1}}, {"a": 1.0}, True),
    ({"const": 2**53 + 1}, 2.0**53, False),
    ({"uniqueItems": True}, [1, 1.0], False),
    ({"uniqueItems": True}, [1, True], True),
    ({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2, "a": 1}], False),
    ({"uniqueItems": True}, [[0], [False]], True),
    ({"maxLength": 1}, "😀", True),
    ({"maxLength": 1}, "a\u0301", False),
    ({"minLength": 1}, "\0", True),
    ({"maxLength": 2.0}, "abc", False),
    ({"pattern": r"^\s$"}, "\xa0", True),
    ({"pattern": "b"}, "abc", True),
    ({"format": "ipv4"}, "01.2.3.4", False),
    ({"format": "ipv6"}, "::1%eth0", False),
    ({"format": "date"}, "٢٠٢٠-01-01", False),
    ({"format": "date-time"}, "2020-01-01T24:00:00Z", False),
    ({"format": "uuid"}, "2eb8aa08aa9811eab4aa73b441d16380", False),
    ({"format": "int32"}, 2**31, True),
    ({"format": "ipv4"}, 5, True),
    ({"multipleOf": 0.0001}, 0.0075, True),
    ({"multipleOf": 3}, 10**30 + 2, True),
    ({"multipleOf": 3}, 10**30, False),
    ({"multipleOf": 0.01}, 0.071, False),
]


@pytest.mark.parametrize(("schema", "value", "right"), BOTH, ids=repr)
def test_both_give_the_right_answer(schema: Any, value: Any, *, right: bool) -> None:
    assert _ours(schema).is_valid(value) is right
    assert _reference(schema).is_valid(value) is right
