"""What findings say that a schema demands, and what came instead."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.contract.schema.validator import SchemaViolation
from mockserver.suite.cases.expectations import expectation, shortcoming


def violation(keyword: str, value: Any, **more: Any) -> SchemaViolation:
    return SchemaViolation((), keyword, f"/{keyword}", "", value, **more)


@pytest.mark.parametrize(
    ("found", "limit", "expected", "got"),
    [
        (violation("type", "1449"), "integer", "integer", '"1449"'),
        (violation("type", None), ["string", "integer"], "string or integer", "null"),
        (violation("enum", "c"), ["a", "b"], 'one of "a", "b"', '"c"'),
        (violation("const", 1), None, "null", "1"),
        (violation("maximum", 6), 5, "at most 5", "6"),
        (violation("x-odd", True), {"a": 1}, 'x-odd {"a":1}', "true"),
        (violation("required", {}, missing=("n",)), ["n"], 'the property "n"', 'an object without "n"'),
        (
            violation("additionalProperties", {}, unknown=("x", "y")),
            False,
            "only documented properties",
            'undocumented properties "x", "y"',
        ),
        (violation("maximum", 6), None, "a value that is valid by maximum", "6"),
        (violation("writeOnly", "secret"), True, "no value, since it is writeOnly", '"secret"'),
    ],
)
def test_expectations_are_words_and_values_are_json(
    found: SchemaViolation, limit: Any, expected: str, got: str
) -> None:
    assert (expectation(found, limit), shortcoming(found)) == (expected, got)


def test_a_lone_surrogate_is_shown_as_its_escape() -> None:
    assert shortcoming(violation("type", "\ud800")) == r'"\ud800"'
