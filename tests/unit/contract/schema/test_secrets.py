from __future__ import annotations

from typing import Any

import pytest

from mockserver.contract.schema.marks import marked_names
from mockserver.masking import looks_secret


@pytest.mark.parametrize(
    "name",
    ["password", "Password", "PASSWORD", "user_password", "userPassword", "password2", "auth_token", "authToken",
     "api_key", "apiKey", "APIKey", "X-Api-Key", "private-key", "client_secret", "otp", "totp_secret", "passwd", "pwd",
     "access key", "accessToken"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name",
    ["", "username", "monkey", "key", "keyboard", "tokenizer", "port", "option", "secretary", "api", "\0", "日本"],
)
def test_other_names(name: str) -> None:
    assert not looks_secret(name)


PIN = {"writeOnly": True}
SCHEMAS: list[tuple[Any, set[str]]] = [
    ({"properties": {"pin": PIN, "x": {}}}, {"pin"}),
    ({"properties": {"pin": {"writeOnly": False}}}, set()),
    ({"properties": {"a": {"properties": {"b": {"properties": {"pin": PIN}}}}}}, {"pin"}),
    ({"items": {"properties": {"pin": PIN}}}, {"pin"}),
    ({"prefixItems": [{}, {"properties": {"pin": PIN}}]}, {"pin"}),
    ({"allOf": [{"properties": {"a": PIN}}, {"anyOf": [{"oneOf": [{"properties": {"b": PIN}}]}]}]}, {"a", "b"}),
    (
        {"if": {"properties": {"a": PIN}}, "then": {"properties": {"b": PIN}}, "else": {"properties": {"c": PIN}}},
        set("abc"),
    ),
    ({"additionalProperties": {"properties": {"pin": PIN}}}, {"pin"}),
    ({"dependentSchemas": {"a": {"properties": {"pin": PIN}}}}, {"pin"}),
    ({"$ref": "#/defs/Loop"}, {"pin"}),
    ({"properties": {"a": {"$ref": "#/defs/Pin"}}}, {"a"}),
    ({"properties": {"a": {"$ref": "#/defs/Pin", "description": "x"}}}, {"a"}),
    ({"properties": {"a": {"$ref": "#/defs/Other", "writeOnly": True}}}, {"a"}),
    ({"properties": {"a": {"allOf": [{"$ref": "#/defs/Pin"}]}}}, {"a"}),
    (True, set()),
    ({}, set()),
]
DEFS = {
    "Loop": {"properties": {"child": {"$ref": "#/defs/Loop"}, "pin": PIN}},
    "Pin": {"type": "string", "writeOnly": True},
    "Other": {"type": "string"},
}


def _id(value: Any) -> str:
    return repr(sorted(value) if isinstance(value, set) else value)  # the order of a set is another in each process


@pytest.mark.parametrize(("schema", "names"), SCHEMAS, ids=_id)
def test_write_only_names_are_found_wherever_they_hide(schema: Any, names: set[str]) -> None:
    write_only, issued = marked_names({"s": schema, "defs": DEFS}, "/s")
    assert write_only == names
    assert issued == set()


def test_issued_names_are_found() -> None:
    schema = {"properties": {"a": {"properties": {"token": {"x-secret": "issued"}}}}}
    write_only, issued = marked_names({"s": schema}, "/s")
    assert write_only == set()
    assert issued == {"token"}
