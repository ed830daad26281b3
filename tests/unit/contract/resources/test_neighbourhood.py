"""State that is inferred around one path is what is inferred from the whole contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import build
from mockserver.contract.resources import neighbourhood
from mockserver.contract.resources.neighbourhood import Neighbourhoods
from mockserver.contract.resources.state_roles import served_behaviours
from mockserver.contract.source.loading import Document


def _thing(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}, **members}}


def _operation(schema: Any, *, body: bool = False) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    request = {"requestBody": {"content": content}} if body else {}
    return {"responses": {"200": {"description": "", "content": content}}, **request}


def _resource(path: str, name: str = "id", **members: Any) -> dict[str, Any]:
    one = _thing(**members)
    return {
        path: {"get": _operation({"type": "array", "items": one}), "post": _operation(one, body=True)},
        f"{path}/{{{name}}}": {
            "get": _operation(one),
            "put": _operation(one, body=True),
            "delete": {"responses": {"204": {"description": ""}}},
        },
    }


def _contract(others: int = 0) -> Contract:
    pet = _thing()
    paths = {
        **_resource("/v1/shops", shop_owner_id={"type": "integer"}),
        **_resource("/v1/owners", "ownerId"),
        **_resource("/v1/shops/{id}/pets", "pet_id", owner_id={"type": "integer"}),
        **_resource("/v1/shops/{id}/pets/{pet_id}/toys", "toy_id"),
        "/v1/shops/{id}/pets/{pet_id}/sell": {"post": _operation(_thing(owner_id={"type": "integer"}))},
        "/v1/shops/{id}/design": {"get": _operation(pet), "put": _operation(pet, body=True)},
        "/v1/settings": {"get": _operation(pet), "put": _operation(pet, body=True)},
        "/v1/silences": {"get": _operation({"type": "array", "items": pet}), "post": _operation(pet, body=True)},
        "/v1/silence/{id}": {"get": _operation(pet), "delete": {"responses": {"204": {"description": ""}}}},
        "/v1/shops/{id}/tickets": {
            "get": _operation({"type": "array", "items": pet}),
            "post": _operation(pet, body=True),
        },
        "/v1/shops/{id}/ticket/{ticket_id}": {
            "get": _operation(pet),
            "delete": {"responses": {"204": {"description": ""}}},
        },
        "/packages/{owner}/{type}/{name}": {
            "get": _operation(pet),
            "delete": {"responses": {"204": {"description": ""}}},
        },
        "/packages/{owner}": {"get": _operation({"type": "array", "items": pet})},
    }
    for number in range(others):
        paths |= _resource(f"/v1/group{number}/{{a}}/x{number}")
    data = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
    return build(Document(Path("contract.json"), "", data, ""))


def test_what_is_inferred_around_a_path_is_what_is_inferred_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbourhood, "_SMALL", 0)
    contract = _contract()
    around, whole = Neighbourhoods(contract).around, served_behaviours(contract)
    assert len(whole) > 20
    for operation in contract.operations:
        assert around(operation).get(operation.id) == whole.get(operation.id), operation.label


def test_what_has_nothing_to_do_with_a_path_is_not_read() -> None:
    contract = _contract(others=100)
    found = Neighbourhoods(contract)
    pets = contract.by_label["GET /v1/shops/{id}/pets"]
    part = found._part("/v1/shops/{id}/pets")
    assert pets in part.operations
    assert len(part.operations) < 40
    assert found.around(pets)[pets.id].role == "list"
    assert found.around(pets) is found.around(contract.by_label["GET /v1/shops/{id}/pets/{pet_id}"])
