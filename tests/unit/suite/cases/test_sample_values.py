"""A valid value is made of a schema without examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.cases.sample_values import invalid_values, sample_value

NAMED = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object", "properties": {"a": {"type": "boolean"}, "b": {}}, "required": ["a"]}, {"a": bool}),
        ({"allOf": [NAMED], "required": ["name"]}, {"name": str}),
        ({"allOf": [{"allOf": [NAMED]}, {"required": ["age"]}], "required": ["name"]}, {"name": str, "age": int}),
        ({**NAMED, "anyOf": [{"required": ["name"]}, {"required": ["age"]}]}, {"name": str}),
        ({**NAMED, "required": ["age"], "oneOf": [NAMED]}, {"age": int}),
        ({"oneOf": [NAMED], "required": ["age"]}, {"age": int}),
    ],
)
def test_members_that_are_required_elsewhere_are_there(
    write_contract: Callable[..., Path], schema: Any, expected: Any
) -> None:
    assert {name: type(value) for name, value in _sample(write_contract, schema).items()} == expected


@pytest.mark.parametrize(
    "form", ["date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid", "fancy"]
)
def test_texts_have_their_format(write_contract: Callable[..., Path], form: str) -> None:
    assert isinstance(_sample(write_contract, {"type": "string", "format": form}), str)


def test_null_is_tried_within_lists_and_nested_objects(write_contract: Callable[..., Path]) -> None:
    """A list of objects with a null in it is what crashes many a server that checks no more than the list."""
    rule = {"type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}}
    schema = {"type": "array", "items": {"type": "object", "properties": {"rules": {"type": "array", "items": rule}}}}
    contract = load_contract(write_contract(_posted(schema)))
    tried = [value for value, _ in invalid_values(contract, _SCHEMA, [{"rules": [{"to": "a"}]}])]
    for expected in ([None], [{"rules": [None]}], [{"rules": None}], [{"rules": [{"to": None}]}]):
        assert expected in tried


_SCHEMA = "/paths/~1a/post/requestBody/content/application~1json/schema"


def _posted(schema: Any) -> Any:
    body = {"content": {"application/json": {"schema": schema}}}
    return {"/a": {"post": {"requestBody": body, "responses": {"200": {"description": ""}}}}}


def _sample(write_contract: Callable[..., Path], schema: Any) -> Any:
    """Return the sample of a schema, which must be valid: else it raises."""
    return sample_value(load_contract(write_contract(_posted(schema))), _SCHEMA)
