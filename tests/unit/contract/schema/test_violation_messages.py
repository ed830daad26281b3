"""The words for a violation: what was expected and what was found, the same whichever library finds it."""

from __future__ import annotations

from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from mockserver.contract.schema.violation_messages import python_message, rust_message

BOTH: list[tuple[Any, Any, str]] = [
    ({"type": "integer"}, "1449", 'expected integer; got "1449"'),
    ({"enum": ["a", 1]}, "c", 'expected one of "a", 1; got "c"'),
    ({"enum": ["a"]}, None, 'expected "a"; got null'),
    ({"const": "x"}, True, 'expected "x"; got true'),
    ({"pattern": "^a"}, 'b"', 'expected text that matches ^a; got "b\\""'),
    ({"minLength": 1}, "", 'expected at least 1 character; got ""'),
    ({"maxLength": 3}, "bbbb", 'expected at most 3 characters; got "bbbb"'),
    ({"minimum": 3}, 1, "expected at least 3; got 1"),
    ({"maximum": 3}, 4, "expected at most 3; got 4"),
    ({"exclusiveMinimum": 3}, 3, "expected more than 3; got 3"),
    ({"exclusiveMaximum": 3}, 3, "expected less than 3; got 3"),
    ({"multipleOf": 3}, 4, "expected a multiple of 3; got 4"),
    ({"minItems": 2}, [1], "expected at least 2 items; got [1]"),
    ({"maxItems": 1}, [1, 2], "expected at most 1 item; got [1,2]"),
    ({"uniqueItems": True}, [1, 1], "expected items that are all different; got [1,1]"),
    ({"minProperties": 2}, {"a": 1}, 'expected at least 2 properties; got {"a":1}'),
    ({"maxProperties": 1}, {"a": 1, "b": 2}, 'expected at most 1 property; got {"a":1,"b":2}'),
    ({"required": ["a"]}, {}, 'the property "a" is missing'),
    ({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1, "b": 1}, 'unknown property "b"'),
    ({"unevaluatedProperties": False}, {"b": 1, "c": 2}, 'unknown properties "b", "c"'),
    ({"not": {"type": "string"}}, "x", 'expected a value that is not valid against the schema in not; got "x"'),
    ({"oneOf": [{}, {}]}, 1, "expected a value that is valid against exactly one schema in oneOf; got 1"),
    ({"anyOf": [{"type": "null"}]}, 1, "expected a value that is valid against a schema in anyOf; got 1"),
    ({"contains": {"type": "null"}}, [1], "expected an item that is valid against the schema in contains; got [1]"),
    (False, 1, "expected no value; got 1"),
    ({"type": "integer"}, "x" * 500, 'expected integer; got "' + "x" * 199 + "…"),
]
RUST: list[tuple[Any, Any, str]] = [
    ({"type": ["string", "null"]}, 5, "expected null or string; got 5"),
    ({"format": "date"}, "x", 'expected text of the format date; got "x"'),
    (
        {"propertyNames": {"maxLength": 1}},
        {"ab": 1},
        'the name of a property is wrong: expected at most 1 character; got "ab"',
    ),
    ({"unevaluatedItems": False}, [1], "items beyond those that the schema describes are not allowed; got [1]"),
]


@pytest.mark.parametrize(("schema", "value", "message"), [*BOTH, *RUST])
def test_a_violation_is_told_by_expectation_and_value(schema: Any, value: Any, message: str) -> None:
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    assert [rust_message(error) for error in validator.iter_errors(value)] == [message]


@pytest.mark.parametrize(("schema", "value", "message"), BOTH)
def test_the_other_library_has_the_same_words(schema: Any, value: Any, message: str) -> None:
    validator = jsonschema.Draft202012Validator(schema)
    assert [python_message(error) for error in validator.iter_errors(value)] == [message]
