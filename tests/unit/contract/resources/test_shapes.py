"""What a value looks like: by its schema where that says something, else by an example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.contract.resources.shapes import ExampleShape, Shape, arrays, objects, shape_of

Write = Callable[..., Path]
PET = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": ["string", "null"]}}}


@pytest.fixture
def shaped(write_contract: Write) -> Callable[..., Shape | None]:
    """Make the shape of what `GET /x` answers."""

    def make(media_type: dict[str, Any], **schemas: Any) -> Shape | None:
        answer = {"200": {"description": "", "content": {"application/json": media_type}}}
        path = write_contract({"/x": {"get": {"responses": answer}}}, components={"schemas": schemas})
        contract = load_contract(path)
        success = contract.operations[0].success()
        assert success is not None
        return shape_of(contract, success.content["application/json"])

    return make


def _of(shape: Shape | None) -> Shape:
    assert shape is not None
    return shape


@pytest.mark.parametrize(
    "schema",
    [
        PET,
        {"$ref": "#/components/schemas/Pet"},
        {"allOf": [{"$ref": "#/components/schemas/Id"}, {"properties": {"name": {"type": "string"}}}]},
        {"anyOf": [{"type": "null"}, PET]},
        {"oneOf": [{"properties": {"id": {"type": "integer"}}}, {"properties": {"name": {"type": "string"}}}]},
        {"properties": {"id": {"type": "integer"}}, "allOf": [{"properties": {"name": {"type": "string"}}}]},
    ],
    ids=repr,
)
def test_members_and_types_however_they_are_put_together(shaped: Callable[..., Shape | None], schema: Any) -> None:
    shape = _of(shaped({"schema": schema}, Pet=PET, Id={"properties": {"id": {"type": "integer"}}}))
    assert sorted(shape.names) == ["id", "name"]
    assert _of(shape.member("id")).kinds == {"integer"}
    assert _of(shape.member("name")).kinds == {"string"}  # null is a type of none
    assert shape.member("other") is None
    assert shape.item is None


def test_a_schema_that_names_itself_has_an_end(shaped: Callable[..., Shape | None]) -> None:
    node = {
        "allOf": [{"$ref": "#/components/schemas/Node"}],
        "properties": {"next": {"$ref": "#/components/schemas/Node"}, "all": {"items": PET}},
    }
    shape = _of(shaped({"schema": {"$ref": "#/components/schemas/Node"}}, Node=node))
    assert _of(shape.member("next")).names == shape.names == ("next", "all")
    assert [pointer for pointer, _ in arrays(shape)] == ["/next/all", "/all"]


def test_an_example_speaks_where_the_schema_says_nothing(shaped: Callable[..., Shape | None]) -> None:
    assert _of(shaped({"schema": {"type": "object"}, "example": {"id": 1}})).names == ("id",)
    assert _of(shaped({"schema": PET, "example": {"other": 1}})).names == ("id", "name")
    assert shaped({"schema": {"type": "object"}}) is None
    assert shaped({}) is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, "boolean"), (1, "integer"), (1.5, "number"), ("1", "string"), ([], "array"), ({}, "object")],
)
def test_types_of_examples(value: Any, kind: str) -> None:
    assert ExampleShape(value).kinds == {kind}


def test_null_has_no_type() -> None:
    assert ExampleShape(None).kinds == frozenset()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"id": 1}], [""]),
        ({"items": [{"id": 1}], "total": 1}, ["/items"]),
        ({"data": {"rows": [{"id": 1}]}, "links": [{"rel": "next"}]}, ["/data/rows", "/links"]),
        ({"a/b": [{"id": 1}]}, ["/a~1b"]),
        ({"a": {"b": {"c": [{"id": 1}]}}}, []),  # too deep for an envelope
        ([1, 2], []),
        ([], []),
        ({"tags": ["a"]}, []),
        ("text", []),
    ],
    ids=repr,
)
def test_where_items_of_a_list_may_be(value: Any, expected: list[str]) -> None:
    assert [pointer for pointer, _ in arrays(ExampleShape(value))] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"id": 1}, [""]),
        ({"data": {"id": 1}, "ok": True}, ["", "/data"]),
        ([{"id": 1}], ["/0"]),
        ({"data": {}, "tags": [{"id": 1}]}, [""]),
        ([1], []),
        (5, []),
    ],
    ids=repr,
)
def test_where_one_item_may_be(value: Any, expected: list[str]) -> None:
    assert [pointer for pointer, _ in objects(ExampleShape(value))] == expected
