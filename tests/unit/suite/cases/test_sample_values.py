"""A valid value is made of a schema without examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.cases.sample_values import sample_value

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


def _sample(write_contract: Callable[..., Path], schema: Any) -> Any:
    """Return the sample of a schema, which must be valid: else it raises."""
    body = {"content": {"application/json": {"schema": schema}}}
    path = write_contract({"/a": {"post": {"requestBody": body, "responses": {"200": {"description": ""}}}}})
    return sample_value(load_contract(path), "/paths/~1a/post/requestBody/content/application~1json/schema")
