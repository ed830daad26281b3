"""What is a collection with items, and what only looks like one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.contract.resources.collections import Inference, infer

Write = Callable[..., Path]
PET = {"id": 1, "name": "Rex"}


def _operation(example: Any = None, *, status: str = "200", body: bool = False) -> dict[str, Any]:
    content = {} if example is None else {"content": {"application/json": {"example": example}}}
    sent = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}} if body else {}
    return {"responses": {status: {"description": "", **content}}, **sent}


def _item(**methods: Any) -> dict[str, Any]:
    return {"parameters": [{"name": "x", "in": "path", "required": True, "schema": {}}], **methods}


@pytest.fixture
def inferred(write_contract: Write) -> Callable[[dict[str, Any]], Inference]:
    """Infer from paths."""
    return lambda paths: infer(load_contract(write_contract(paths)))


@pytest.mark.parametrize(
    ("collection", "item"),
    [
        ("/pets", "/pets/{x}"),
        ("/pets/", "/pets/{x}/"),
        ("/pets/", "/pets/{x}"),
        ("/v1/a-b/pets", "/v1/a-b/pets/{x}"),
    ],
)
def test_pairs(inferred: Callable[[Any], Inference], collection: str, item: str) -> None:
    found = inferred({collection: {"get": _operation([PET])}, item: _item(get=_operation(PET))})
    (resource,) = found.resources
    assert (resource.collection, resource.item, resource.parameter) == (collection, item, "x")
    assert resource.identifier == "id"
    assert sorted(behaviour.role for behaviour in resource.behaviours.values()) == ["list", "read"]
    assert found.behaviours == resource.behaviours


LIST = {"get": _operation([PET])}


@pytest.mark.parametrize(
    "paths",
    [
        pytest.param({"/pets/{x}": _item(get=_operation(PET))}, id="no collection"),
        pytest.param({"/pets": LIST, "/pets/mine": {"get": _operation(PET)}}, id="no parameter"),
        pytest.param({"/pets": LIST, "/pets/{x}.json": _item(get=_operation(PET))}, id="part of a segment"),
        pytest.param({"/pets": LIST, "/pets/{x}/photo": _item(get=_operation(PET))}, id="below an item"),
        pytest.param({"/pets": LIST, "/dogs/{x}": _item(get=_operation(PET))}, id="another collection"),
        pytest.param({"/pets": {"delete": _operation(PET)}, "/pets/{x}": _item(get=_operation(PET))}, id="no list"),
        pytest.param({"/pets": LIST, "/pets/{x}": _item(get=_operation({"total": 1}))}, id="a total of items"),
        pytest.param({"/pets": LIST, "/pets/{x}": _item(get=_operation("Rex"))}, id="an answer of text"),
        pytest.param({"/pets": {"get": _operation([1])}, "/pets/{x}": _item(get=_operation(1))}, id="numbers"),
        pytest.param({"/{y}": LIST, "/{y}/{x}": _item(get=_operation(PET))}, id="parameter upon parameter"),
        pytest.param({"/pets": LIST, "/pets/{x}": _item()}, id="an item without methods"),
    ],
)
def test_what_looks_like_a_pair_and_is_not(inferred: Callable[[Any], Inference], paths: dict[str, Any]) -> None:
    for methods in paths.values():
        for name, operation in methods.items():
            if name != "parameters":
                operation.setdefault("parameters", [{"name": "y", "in": "path", "required": True, "schema": {}}])
    found = inferred(paths)
    assert found.resources == ()
    assert not found.behaviours


def test_pairs_without_a_name_are_told(inferred: Callable[[Any], Inference]) -> None:
    found = inferred({"/odd": {"get": _operation([{"a": 1}])}, "/odd/{x}": _item(get=_operation({"a": 1}))})
    assert found.resources == ()
    assert found.passed_over == (("/odd", "/odd/{x}", "x"),)


def test_an_operation_that_does_not_show_an_item_has_no_role(inferred: Callable[[Any], Inference]) -> None:
    item = _item(
        get=_operation({"data": PET}),
        patch=_operation({"queued": True}, body=True),
        post=_operation(),
        delete=_operation(status="204"),
    )
    found = inferred({"/pets": {"get": _operation({"rows": [PET]}), "post": _operation(body=True)}, "/pets/{x}": item})
    (resource,) = found.resources
    told = {
        behaviour.role: (behaviour.items, behaviour.value, behaviour.answers)
        for behaviour in resource.behaviours.values()
    }
    assert told == {
        "list": ("/rows", "", True),
        "read": ("", "/data", True),
        "create": ("", "", False),
        "delete": ("", "", False),
    }


@pytest.mark.parametrize("answer", [{"action": {"id": 7}, "pet": PET}, {"pet": PET, "action": {"id": 7}}])
def test_of_several_members_with_an_id_the_item_is_the_one_that_looks_like_it(
    inferred: Callable[[Any], Inference], answer: dict[str, Any]
) -> None:
    created = {"get": _operation({"pets": [PET]}), "post": _operation(answer, body=True)}
    found = inferred({"/pets": created, "/pets/{x}": _item(get=_operation({"pet": PET}))})
    (resource,) = found.resources
    places = {behaviour.role: behaviour.value for behaviour in resource.behaviours.values()}
    assert places["create"] == "/pet"
