"""Values from schemas: valid by the reference validator, the same every time, never without end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import build
from mockserver.contract.source.loading import Document
from mockserver.contract.values.generator import CannotGenerate, Generator
from mockserver.messages import NO_CONTENT

POINTER = "/components/schemas/Root"


def contract_with(schemas: dict[str, Any], version: str = "3.1.0") -> Contract:
    data = {"openapi": version, "info": {"title": "t", "version": "1"}, "paths": {}, "components": {"schemas": schemas}}
    return build(Document(Path("contract.json"), "{}", data, ""))


def generated(schema: Any, key: str = "", **others: Any) -> Any:
    return Generator(contract_with({"Root": schema, **others}), 0).generate(POINTER, "response", key)


def judge(schema: Any, value: Any) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(value)


_LEAVES = st.one_of(
    st.builds(
        lambda low, width: {"type": "integer", "minimum": low, "maximum": low + width},
        st.integers(-1000, 1000),
        st.integers(0, 50),
    ),
    st.builds(lambda step: {"type": "integer", "multipleOf": step}, st.integers(1, 9)),
    st.builds(
        lambda low, width: {"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + width},
        st.floats(-100, 100),
        st.floats(0.01, 10),
    ),
    st.builds(
        lambda low, width: {"type": "string", "minLength": low, "maxLength": low + width},
        st.integers(0, 40),
        st.integers(0, 9),
    ),
    st.sampled_from(
        [
            {"type": "string", "pattern": pattern}
            for pattern in ("^[A-Z]{2}[0-9]{3}$", "x+y", r"^\d{4}-\d{2}$", "^(a|bc)*$")
        ]
    ),
    st.sampled_from(
        [{"type": "string", "format": name} for name in ("date", "date-time", "email", "ipv4", "ipv6", "uuid", "uri")]
    ),
    st.just({"type": "boolean"}),
    st.just({"type": ["null", "integer"]}),
    st.builds(lambda items: {"enum": items}, st.lists(st.integers() | st.text(), min_size=1, max_size=3)),
)
_NAMES = st.sampled_from(["id", "name", "email", "size", "items", "ä"])


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(_NAMES, inner, max_size=4)
    closed = properties.flatmap(
        lambda named: st.builds(
            lambda required, more: {
                "type": "object",
                "properties": named,
                "required": required,
                "additionalProperties": more,
            },
            st.lists(st.sampled_from(sorted(named)), unique=True) if named else st.just([]),
            st.booleans(),
        )
    )
    arrays = st.builds(
        lambda item, low, width: {"type": "array", "items": item, "minItems": low, "maxItems": low + width},
        inner,
        st.integers(0, 4),
        st.integers(0, 3),
    )
    both = st.builds(
        lambda first, second: {
            "allOf": [{"type": "object", "properties": {"a": first}}, {"required": ["b"], "properties": {"b": second}}]
        },
        inner,
        inner,
    )
    return st.one_of(closed, arrays, both, st.builds(lambda branches: {"anyOf": branches}, st.lists(inner, min_size=1)))


SCHEMAS = st.recursive(_LEAVES, _objects, max_leaves=8)


@given(schema=SCHEMAS, key=st.sampled_from(["", "a", "b"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_generated_is_valid(schema: Any, key: str) -> None:
    judge(schema, generated(schema, key))


@given(schema=SCHEMAS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_same_every_time(schema: Any) -> None:
    assert generated(schema, "key") == generated(schema, "key")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 5}, "minItems": 5, "uniqueItems": True},
        {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3},
        {"patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": False, "minProperties": 1},
        {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["a", "b"]}},
         "if": {"properties": {"kind": {"const": "a"}}}, "then": {"required": ["x"]}, "else": {"required": ["y"]}},
        {"oneOf": [{"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]}]},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
        {"type": "array", "contains": {"const": 7}, "items": {"type": "integer"}},
        {"type": "object", "properties": {"a": {}}, "required": ["a"], "dependentRequired": {"a": ["b"]}},
        {"allOf": [{"type": "number", "minimum": 2}, {"type": "integer", "maximum": 3}]},
        {"type": "integer", "example": "no number", "minimum": 40},
        {"type": "string", "format": "email", "maxLength": 60, "pattern": "@example"},
        {"not": {"type": "object"}},
    ],
)  # fmt: skip
def test_keywords_that_take_more_than_one_look(schema: Any) -> None:
    judge(schema, generated(schema))
    judge(schema, generated(schema, "key"))


def test_a_condition_costs_no_optional_member() -> None:
    schema = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": ["a", "b"]}, "note": {"type": "string"}},
        "if": {"properties": {"kind": {"const": "a"}}},
        "then": {"required": ["x"]},
        "else": {"required": ["y"]},
    }
    value = generated(schema)
    judge(schema, value)
    assert value.keys() == {"kind", "note", "x"}


def test_recursive_schemas_end() -> None:
    node = {
        "type": "object",
        "required": ["id", "children"],
        "properties": {
            "id": {"type": "integer"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Root"}},
            "parent": {"$ref": "#/components/schemas/Root"},
            "either": {"anyOf": [{"$ref": "#/components/schemas/Root"}, {"type": "null"}]},
        },
    }
    assert len(str(generated(node))) < 1000


@pytest.mark.parametrize(
    "impossible", [{"allOf": [{"type": "string"}, {"type": "null"}]}, {"$ref": "#/components/schemas/No"}]
)
def test_an_optional_member_that_cannot_be_is_left_out(impossible: Any) -> None:
    no = {"allOf": [{"enum": [1]}, {"enum": [2]}]}
    schema = {"type": "object", "properties": {"no": impossible, "yes": {"type": "string"}}, "required": ["yes"]}
    assert generated(schema, No=no).keys() == {"yes"}
    with pytest.raises(CannotGenerate):
        generated({**schema, "required": ["no", "yes"]}, No=no)


def test_a_schema_that_needs_itself_has_no_value() -> None:
    node = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Root"}}}
    with pytest.raises(CannotGenerate, match=POINTER):
        generated(node)


def test_what_contradicts_itself_has_a_closest_value() -> None:
    both = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"pattern": "^x", "format": "date"}}}
    with pytest.raises(CannotGenerate) as raised:
        generated({**both, "required": ["a", "b"]})
    assert isinstance(raised.value.closest["a"], int)
    with pytest.raises(CannotGenerate) as raised:
        generated(False)
    assert raised.value.closest is NO_CONTENT


def test_the_schema_s_own_example_comes_first() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string", "example": "Rex"}, "age": {"default": 7}}}
    assert generated(schema) == {"name": "Rex", "age": 7}


def test_names_say_what_stands_there() -> None:
    value = generated({"properties": {"email": {"type": "string"}, "created_at": {"type": "string"}}})
    assert value["email"].endswith("@example.com")
    assert value["created_at"].startswith("2024-")


def test_write_only_members_are_not_answered() -> None:
    schema = {"properties": {"name": {"type": "string"}, "password": {"type": "string", "writeOnly": True}}}
    assert set(generated(schema)) == {"name"}


def test_the_discriminator_names_the_branch() -> None:
    pet = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    root = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}],
        "discriminator": {"propertyName": "kind", "mapping": {"miau": "#/components/schemas/Cat"}},
    }
    assert generated(root, Cat=pet)["kind"] == "miau"


def test_a_default_of_null_is_a_default_where_null_is_allowed() -> None:
    assert generated({"type": ["string", "null"], "default": None}) is None
    assert generated({"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}) is None
    assert isinstance(generated({"type": "string", "default": None}), str)
    assert generated({"type": ["string", "null"], "default": None, "example": "Rex"}) == "Rex"
