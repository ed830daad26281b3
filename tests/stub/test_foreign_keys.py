"""Made-up items name one another: a `customerId` names a customer that is there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client

Command = Callable[..., subprocess.CompletedProcess[str]]
MakeStub = Callable[..., Client]
Write = Callable[..., Path]

UUID = {"type": "string", "format": "uuid"}
CUSTOMER = {"type": "object", "required": ["id"], "properties": {"id": UUID, "name": {"type": "string"}}}


def _order(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", *properties],
        "properties": {"id": {"type": "integer", "readOnly": True}, **properties},
    }


def _collection(schema: Any, of_id: Any, example: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
    def answer(schema: Any, example: Any) -> dict[str, Any]:
        content = {"schema": schema, **({} if example is None else {"example": example})}
        return {"description": "", "content": {"application/json": content}}

    listed = answer({"type": "array", "minItems": 3, "items": schema}, None if example is None else [example] * 3)
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    path_id = {"name": "id", "in": "path", "required": True, "schema": of_id}
    missing = {"404": {"description": "none"}}
    return (
        {
            "get": {"responses": {"200": listed}},
            "post": {"requestBody": body, "responses": {"201": answer(schema, example)}},
        },
        {
            "parameters": [path_id],
            "get": {"responses": {"200": answer(schema, example), **missing}},
            "delete": {"responses": {"204": {"description": ""}, **missing}},
        },
    )


def _paths(order: Any, example: Any = None) -> dict[str, Any]:
    customers, customer = _collection(CUSTOMER, UUID)
    orders, one = _collection(order, {"type": "integer"}, example)
    return {"/customers": customers, "/customers/{id}": customer, "/orders": orders, "/orders/{id}": one}


@pytest.mark.parametrize("name", ["customerId", "customer_id"])
def test_made_up_items_name_what_is_there(make_stub: MakeStub, write_contract: Write, name: str) -> None:
    client = make_stub(write_contract(_paths(_order(**{name: UUID}))))
    orders = client.call("GET", "/orders").json()
    assert len(orders) >= 3
    for order in orders:
        assert client.call("GET", f"/customers/{order[name]}").status == 200
        assert client.call("GET", f"/orders/{order['id']}").json()[name] == order[name]
    client.call("DELETE", f"/orders/{orders[0]['id']}")  # from now on the list is this world's
    for order in client.call("GET", "/orders").json():
        assert client.call("GET", f"/customers/{order[name]}").status == 200


def test_an_unknown_foreign_key_is_taken_as_before(make_stub: MakeStub, write_contract: Write) -> None:
    client = make_stub(write_contract(_paths(_order(customerId=UUID))))
    unknown = "00000000-0000-4000-a000-000000000000"
    client.call("DELETE", f"/customers/{client.call('GET', '/customers').json()[0]['id']}")
    created = client.call("POST", "/orders", json={"id": 1, "customerId": unknown})
    if created.status == 422:  # `id` is the server's
        created = client.call("POST", "/orders", json={"customerId": unknown})
    assert (created.status, created.json()["customerId"]) == (201, unknown)
    assert client.call("GET", created.fields["location"]).json()["customerId"] == unknown


SAID = "11111111-1111-4111-a111-111111111111"


@pytest.mark.parametrize(
    ("order", "example"),
    [
        pytest.param(_order(customerId=UUID), {"id": 5, "customerId": SAID}, id="example"),
        pytest.param(_order(customerId={**UUID, "example": SAID}), None, id="example in the schema"),
        pytest.param(_order(customerId={**UUID, "default": SAID}), None, id="default"),
        pytest.param(_order(customerId={"enum": [SAID]}), None, id="enum"),
    ],
)
def test_what_the_contract_says_stays(make_stub: MakeStub, write_contract: Write, order: Any, example: Any) -> None:
    client = make_stub(write_contract(_paths(order, example)))
    assert {one["customerId"] for one in client.call("GET", "/orders").json()} == {SAID}


def test_inspect_tells_them_and_the_line_says_the_same(
    command: Command, make_stub: MakeStub, write_contract: Write
) -> None:
    paths = _paths(_order(customerId=UUID))
    path = write_contract(paths)
    report = json.loads(command("inspect", "--contract", str(path), "--json").stdout)
    by_path = {resource["collection"]: resource for resource in report["resources"]}
    assert by_path["/customers"]["keys"] == []
    (key,) = by_path["/orders"]["keys"]
    assert (key["member"], key["collection"]) == ("customerId", "/customers")
    assert 0.5 < key["sure"] <= 1
    assert "`customerId`" in key["why"]
    text = command("inspect", "--contract", str(path)).stdout
    assert "key: customerId names an item of /customers" in text
    assert 'keys: {"customerId":"/customers"}' in text
    for operation in by_path["/orders"]["operations"]:
        method, _, where = operation["operation"].partition(" ")
        behaviour = {name: value for name, value in operation["behaviour"].items() if name != "keys"}
        paths[where][method.lower()]["x-mockserver-behaviour"] = behaviour
    client = make_stub(write_contract(paths))  # the line without `keys` turns them off
    orders = client.call("GET", "/orders").json()
    assert any(client.call("GET", f"/customers/{one['customerId']}").status == 404 for one in orders)


@pytest.mark.parametrize("keys", ["/customers", {"customerId": 1}])
def test_keys_that_say_nothing_are_refused(command: Command, write_contract: Write, keys: Any) -> None:
    paths = _paths(_order(customerId=UUID))
    behaviour = {"handler": "resource", "role": "list", "resource": "/orders", "identifier": "id", "keys": keys}
    paths["/orders"]["get"]["x-mockserver-behaviour"] = behaviour
    done = command("inspect", "--contract", str(write_contract(paths)))
    assert done.returncode != 0
    assert "/x-mockserver-behaviour/keys: must be an object that maps members" in done.stderr
