"""What is read from paths, methods and schemas, and what is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.contract.resources.collections import infer, inferred_behaviours
from mockserver.contract.resources.identifiers import identifier, words
from mockserver.contract.resources.shapes import ExampleShape, arrays, objects

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("petId", ["pet", "id"]),
        ("pet_id", ["pet", "id"]),
        ("pet-id", ["pet", "id"]),
        ("petID", ["pet", "id"]),
        ("attachmentid", ["attachment", "id"]),
        ("uuid", ["uuid"]),
        ("invalid", ["invalid"]),
        ("HTTPServer2", ["http", "server", "2"]),
        ("", []),
    ],
)
def test_names_are_words(name: str, found: list[str]) -> None:
    assert words(name) == found


@pytest.mark.parametrize(
    ("parameter", "collection", "item", "named"),
    [
        ("petId", "pets", {"name": "x", "id": 1}, "id"),
        ("petId", "pets", {"id": 1, "pet_id": 2}, "pet_id"),
        ("slug", "posts", {"id": 1, "slug": "x"}, "slug"),
        ("username", "users", {"id": 1, "username": "x"}, "username"),
        ("owner", "owners", {"type": "x", "login": "x"}, "login"),
        ("rule_id", "rules", {"receipt_rule_id": 1, "user": 2}, "receipt_rule_id"),
        ("domain", "domains", {"domain_name": "x"}, "domain_name"),
        ("petId", "pets", {"weight": 1}, ""),
        ("petId", "pets", {}, ""),
    ],
)
def test_the_member_that_a_parameter_names(parameter: str, collection: str, item: dict[str, Any], named: str) -> None:
    assert identifier(parameter, ExampleShape(item), frozenset({"string"}), collection)[0] == named


def test_a_member_that_cannot_stand_in_a_path_is_less_sure() -> None:
    plain = identifier("petId", ExampleShape({"id": "a"}), frozenset({"string"}), "pets")
    nested = identifier("petId", ExampleShape({"id": {"a": 1}}), frozenset({"string"}), "pets")
    assert nested[1] < plain[1]


def test_places_of_items() -> None:
    item = {"id": 1}
    assert [pointer for pointer, _ in arrays(ExampleShape([item]))] == [""]
    assert [pointer for pointer, _ in arrays(ExampleShape({"data": {"items": [item]}, "links": [1]}))] == [
        "/data/items"
    ]
    assert [pointer for pointer, _ in objects(ExampleShape({"pet": item, "n": 1}))] == ["", "/pet"]


def _operation(example: Any, **more: Any) -> dict[str, Any]:
    return {"responses": {"200": {"description": "", "content": {"application/json": {"example": example}}}}, **more}


def _item_path(**methods: Any) -> dict[str, Any]:
    return {"parameters": [{"name": "x", "in": "path", "required": True, "schema": {"type": "string"}}], **methods}


ITEM = {"id": "a"}
SENT: dict[str, Any] = {"requestBody": {"content": {"application/json": {"example": {}}}}}


@pytest.mark.parametrize(
    "paths",
    [
        pytest.param({"/a/{x}": _item_path(get=_operation(ITEM))}, id="no collection"),
        pytest.param({"/a": {"get": _operation([ITEM])}}, id="no item"),
        pytest.param(
            {"/a": {"get": _operation([{"n": 1}])}, "/a/{x}": _item_path(get=_operation({"n": 1}))}, id="no identifier"
        ),
        pytest.param(
            {"/a": {"get": _operation([ITEM])}, "/a/{x}": _item_path(get=_operation({"status": "done"}))},
            id="the item's read shows something else",
        ),
        pytest.param(
            {"/a": {"put": _operation(ITEM)}, "/a/{x}": _item_path(get=_operation(ITEM))}, id="nothing lists or creates"
        ),
        pytest.param(
            {"/{x}": _item_path(get=_operation(ITEM)), "/": {"get": _operation([ITEM])}}, id="the root is no collection"
        ),
    ],
)
def test_what_looks_like_a_pair_and_is_none_is_left_alone(write_contract: Write, paths: dict[str, Any]) -> None:
    assert infer(load_contract(write_contract(paths))).behaviours == {}


def test_roles_and_places(write_contract: Write) -> None:
    paths = {
        "/a": {"get": _operation({"rows": [ITEM]}), "post": _operation({"a": ITEM}, **SENT)},
        "/a/{x}": _item_path(
            get=_operation({"a": ITEM}), post=_operation({"a": ITEM}, **SENT), delete=_operation({"ok": True})
        ),
        "/a/{x}/b": {**_item_path(), "get": _operation([ITEM])},
        "/a/{x}/b/{y}": {
            "parameters": [{"name": name, "in": "path", "required": True, "schema": {}} for name in "xy"],
            "get": _operation(ITEM),
        },
    }
    contract = load_contract(write_contract(paths))
    found = {resource.item: resource for resource in infer(contract).resources}
    assert found.keys() == {"/a/{x}", "/a/{x}/b/{y}"}
    roles = {one.role: (one.items, one.value, one.answers) for one in found["/a/{x}"].behaviours.values()}
    assert roles == {
        "list": ("/rows", "", True),
        "create": ("", "/a", True),
        "read": ("", "/a", True),
        "merge": ("", "/a", True),
        "delete": ("", "", False),
    }
    assert {one.resource for one in found["/a/{x}/b/{y}"].behaviours.values()} == {"/a/{x}/b"}
    assert inferred_behaviours(contract) is inferred_behaviours(contract)
