"""Schema Objects of every version, sound or not, as what they mean in JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.contract.schema.direction import Direction
from mockserver.contract.schema.validator import Schemas

PLACE = "/components/schemas/S"


def _schemas(schema: Any, /, version: str = "3.1.0", **others: Any) -> Schemas:
    return Schemas({"openapi": version, "components": {"schemas": {"S": schema, **others}}})


def _accepts(schemas: Schemas, value: Any, direction: Direction = "request") -> bool:
    answer: bool = schemas.validator(PLACE, direction).is_valid(value)
    return answer


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"type": "string", "nullable": True}, [None, "x"], [1]),
        ({"type": "string", "nullable": True, "enum": ["a"]}, [None, "a"], ["b"]),
        ({"nullable": True, "allOf": [{"$ref": "#/components/schemas/T"}]}, [None, {}], [1]),
        ({"nullable": True, "oneOf": [{"$ref": "#/components/schemas/T"}]}, [None, {}], [1]),
        ({"nullable": True, "anyOf": [{"type": "string"}, {"type": "object"}]}, [None, "", {}], [1]),
        ({"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}, [{"a": None}], [{"a": 1}]),
        ({"minimum": 1, "exclusiveMinimum": True}, [2], [1]),
        ({"maximum": 1, "exclusiveMaximum": False}, [1], [2]),
        ({"$ref": "#/components/schemas/T", "maxProperties": 0}, [{"x": 1}], [1]),
        ({"type": "file"}, ["x"], [1]),
    ],
    ids=repr,
)
def test_openapi_3_0(schema: Any, right: list[Any], wrong: list[Any]) -> None:
    schemas = _schemas(schema, "3.0.3", T={"type": "object"})
    assert [_accepts(schemas, value) for value in right] == [True] * len(right)
    assert [_accepts(schemas, value) for value in wrong] == [False] * len(wrong)
    assert schemas.notes == {}


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(("nullable", "accepted"), [(True, True), (False, False)])
def test_nullable_is_heeded_in_every_version(version: str, nullable: bool, accepted: bool) -> None:
    schemas = _schemas({"type": "string", "nullable": nullable}, version)
    assert _accepts(schemas, None) is accepted
    assert not _accepts(schemas, 1)


def test_members_beside_a_reference_count_from_3_1_on() -> None:
    schemas = _schemas({"$ref": "#/components/schemas/T", "maxProperties": 0}, T={"type": "object"})
    assert _accepts(schemas, {})
    assert not _accepts(schemas, {"x": 1})
    assert not _accepts(schemas, 1)
    value, place = schemas.schema(PLACE)
    assert (value, place) == ({"maxProperties": 0, "allOf": [{"$ref": "#/components/schemas/T"}]}, PLACE)
    assert schemas.schema(f"{PLACE}/allOf/0") == ({"type": "object"}, "/components/schemas/T")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("type", "any"),
        ("type", []),
        ("required", True),
        ("minimum", "1"),
        ("maxLength", -1),
        ("multipleOf", 0),
        ("items", []),
        ("items", [{}]),
        ("allOf", {}),
        ("oneOf", []),
        ("enum", []),
        ("enum", "a"),
        ("properties", []),
        ("additionalProperties", "no"),
        ("format", 1),
        ("pattern", "("),
        ("exclusiveMinimum", True),
        ("$ref", "#/components/schemas/Nobody"),
        ("$ref", "other.yaml#/X"),
        ("$ref", 5),
    ],
    ids=repr,
)
def test_a_keyword_that_cannot_be_used_is_left_out_and_noted(keyword: str, value: Any) -> None:
    schemas = _schemas({keyword: value, "const": 7})
    assert _accepts(schemas, 7)
    assert not _accepts(schemas, 8)
    assert list(schemas.notes) == [f"{PLACE}/{keyword}"]


@pytest.mark.parametrize(
    ("others", "right", "wrong"),
    [
        ({"S": {"$ref": "#/components/schemas/S"}}, [1], []),
        ({"S": {"$ref": "#/components/schemas/T"}, "T": {"$ref": "#/components/schemas/S"}}, [1], []),
        ({"S": {"allOf": [{"$ref": "#/components/schemas/S"}, {"type": "object"}]}}, [{}], [1]),
        (
            {
                "S": {"type": "object", "oneOf": [{"$ref": "#/components/schemas/T"}]},
                "T": {"allOf": [{"$ref": "#/components/schemas/S"}, {"required": ["x"]}]},
            },
            [{}, {"x": 1}],
            [1],
        ),
        ({"S": {"type": "object", "not": {"$ref": "#/components/schemas/S"}}}, [{}], [1]),
    ],
    ids=repr,
)
def test_what_the_same_value_would_meet_without_end_is_cut(
    others: dict[str, Any], right: list[Any], wrong: list[Any]
) -> None:
    schemas = _schemas(True, **others)
    assert [_accepts(schemas, value) for value in right] == [True] * len(right)
    assert [_accepts(schemas, value) for value in wrong] == [False] * len(wrong)
    assert schemas.notes
    for name in others:
        schemas.schema(f"/components/schemas/{name}")


def test_a_parent_that_lists_its_children_keeps_them_whole() -> None:
    """What is cut is the way from the parent to its children, never a child's `allOf` of the parent."""
    schemas = _schemas(
        {"type": "object", "required": ["kind"], "oneOf": [{"$ref": "#/components/schemas/T"}]},
        T={"allOf": [{"$ref": PLACE.replace("/", "#/", 1)}, {"required": ["x"]}]},
    )
    child = schemas.validator("/components/schemas/T", "request")
    assert child.is_valid({"kind": 1, "x": 1})
    assert not child.is_valid({"x": 1})
    assert not child.is_valid({"kind": 1})


def test_values_may_be_nested_as_deep_as_a_recursive_schema_allows() -> None:
    schemas = _schemas({"type": "object", "properties": {"below": {"$ref": "#/components/schemas/S"}}})
    value: Any = {}
    for _ in range(100):
        value = {"below": value}
    assert _accepts(schemas, value)
    for _ in range(3):
        value = {"below": value}
    value["below"]["below"]["below"]["below"]["below"] = 1
    assert not _accepts(schemas, value)
    assert schemas.notes == {}


def test_identifiers_and_anchors() -> None:
    schemas = _schemas(
        {
            "properties": {
                "a": {"$ref": "#name"},
                "b": {"$ref": "https://example.com/t"},
                "c": {"$ref": "https://example.com/t#/$defs/inner"},
                "d": {"$ref": "https://example.com/t#deep"},
            }
        },
        A={"$anchor": "name", "type": "integer"},
        T={
            "$id": "https://example.com/t",
            "type": "object",
            "properties": {"x": {"$ref": "#/$defs/inner"}, "y": {"$ref": "#/components/schemas/A"}},
            "$defs": {"inner": {"$anchor": "deep", "type": "string"}},
        },
    )
    assert _accepts(schemas, {"a": 1, "b": {"x": "", "y": 1}, "c": "", "d": ""})
    for wrong in ({"a": ""}, {"b": 1}, {"b": {"x": 1}}, {"b": {"y": ""}}, {"c": 1}, {"d": 1}):
        assert not _accepts(schemas, wrong)
    assert schemas.notes == {}


def test_dynamic_references_mean_what_the_outermost_schema_says() -> None:
    page = {
        "$id": "page",
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"$dynamicRef": "#item"}}},
        "$defs": {"item": {"$dynamicAnchor": "item", "type": "integer"}},
    }
    texts = {"$id": "texts", "$defs": {"item": {"$dynamicAnchor": "item", "type": "string"}}, "$ref": "page"}
    schemas = _schemas(texts, Page=page)
    assert _accepts(schemas, {"items": ["x"]})
    assert not _accepts(schemas, {"items": [1]})
    plain = schemas.validator("/components/schemas/Page", "request")
    assert plain.is_valid({"items": [1]})
    assert not plain.is_valid({"items": ["x"]})


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("int32", -(2**31), 2**31 - 1), ("int64", -(2**63), 2**63 - 1), ("uint8", 0, 255)],
)
def test_formats_of_integers_have_bounds(name: str, low: int, high: int) -> None:
    schemas = _schemas({"type": "integer", "format": name})
    assert [_accepts(schemas, value) for value in (low, high, low - 1, high + 1)] == [True, True, False, False]
    narrower = _schemas({"type": "integer", "format": name, "minimum": 1, "maximum": 2})
    assert [_accepts(narrower, value) for value in (0, 1, 2, 3)] == [False, True, True, False]


def test_formats_of_text() -> None:
    assert [_accepts(_schemas({"format": "byte"}), value) for value in ("aGk=", "a b!", 5)] == [True, False, True]
    assert _accepts(_schemas({"format": "nobody-knows"}), "x")
    assert not _accepts(_schemas({"format": "uuid"}), "x")


DIRECTED = {
    "type": "object",
    "required": ["id", "secret", "name"],
    "properties": {
        "id": {"$ref": "#/components/schemas/Id"},
        "secret": {"type": "string", "writeOnly": True},
        "name": {"type": "string"},
    },
}


@pytest.mark.parametrize(
    ("value", "request_ok", "response_ok"),
    [
        ({"secret": "", "name": ""}, True, False),
        ({"id": 1, "name": ""}, False, True),
        ({"name": ""}, False, False),
        ({"id": 1, "secret": "", "name": ""}, False, False),
    ],
)
def test_what_must_not_travel_is_not_required(value: Any, *, request_ok: bool, response_ok: bool) -> None:
    identifier = {"type": "integer", "readOnly": True}
    spread = {"allOf": [{"properties": DIRECTED["properties"]}, {"required": DIRECTED["required"]}]}
    for schema in (DIRECTED, spread):
        schemas = _schemas(schema, Id=identifier)
        assert _accepts(schemas, value, "request") is request_ok
        assert _accepts(schemas, value, "response") is response_ok


def test_readonly_means_nothing_but_at_a_property() -> None:
    """OpenAPI 3.0, section 4.7.24.1: relevant only for properties."""
    schemas = _schemas({"type": "array", "readOnly": True, "items": {"readOnly": True}})
    assert _accepts(schemas, [1])


PETS = {
    "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
    "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat", "dog": "Dog"}},
}
CAT = {"type": "object", "required": ["kind", "claws"]}
DOG = {"type": "object", "required": ["kind", "tail"]}


def test_a_discriminator_names_the_schema_that_counts() -> None:
    schemas = _schemas(PETS, Cat=CAT, Dog=DOG)
    assert _accepts(schemas, {"kind": "cat", "claws": 1})
    assert not _accepts(schemas, {"kind": "cat", "tail": 1})
    assert not _accepts(schemas, {"kind": "bird", "tail": 1})
    broken = list(schemas.validator(PLACE, "request").violations({"kind": "cat", "tail": 1}))
    assert ("claws",) in [violation.missing for violation in broken]


def test_a_mapping_that_is_broken_refuses_nothing() -> None:
    mapping = {"cat": "#/components/schemas/Nobody"}
    schemas = _schemas(PETS | {"discriminator": {"propertyName": "kind", "mapping": mapping}}, Cat=CAT, Dog=DOG)
    assert _accepts(schemas, {"kind": "bird", "tail": 1})


def test_no_more_is_compiled_than_is_reached() -> None:
    """Compiling what is not reached would take all memory: each of the others is a schema of its own size."""
    others: dict[str, Any] = {f"Other{number}": {"enum": [number] * 10} for number in range(1000)}
    schemas = _schemas({"properties": {"a": {"$ref": "#/components/schemas/Other7"}}}, **others)
    assert _accepts(schemas, {"a": 7})
    assert set(schemas._translation._done) <= {PLACE, f"{PLACE}/properties/a", "/components/schemas/Other7"}
