"""`x-mockserver-objects`: who may act on what, for any contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client

SEED = """
accounts:
  - {username: root, level: chief, tokens: [{token: t-root}]}
  - {username: boss@a.example, level: head, owns: [a.example], tokens: [{token: t-boss}]}
  - {username: deputy@a.example, level: head, tokens: [{token: t-deputy}]}
  - {username: ann@a.example, level: staff, tokens: [{token: t-ann}]}
  - {username: bob@b.example, level: staff, tokens: [{token: t-bob}]}
"""
TOKENS = {
    "root": "t-root",
    "boss@a.example": "t-boss",
    "deputy@a.example": "t-deputy",
    "ann@a.example": "t-ann",
    "bob@b.example": "t-bob",
}
LEVELS = ["chief", "head", "staff"]


def operation(own: str, at: str = "$request.path.name") -> dict[str, Any]:
    return {
        "x-mockserver-levels": LEVELS,
        "x-mockserver-objects": {"at": at, "own": own, "foreign": ["chief"]},
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}},
    }


@pytest.fixture
def company(make_stub: Callable[..., Client], write_contract: Callable[..., Path], tmp_path: Path) -> Client:
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED, encoding="utf-8")
    parameter = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"domain": {}}}}}}
    paths = {
        **{
            f"/{own}/{{name}}": {"parameters": [parameter], "get": operation(own)}
            for own in ("self", "account", "name")
        },
        "/domains": {"post": {**operation("name", "$request.body#/domain"), "requestBody": body}},
    }
    contract = write_contract(
        paths,
        security=[{"basic": []}],
        components={"securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
        **{"x-mockserver-levels": LEVELS},
    )
    return make_stub(contract, seed_data=seed)


@pytest.mark.parametrize(
    ("own", "caller", "name", "allowed"),
    [
        ("self", "ann@a.example", "ann@a.example", True),
        ("self", "boss@a.example", "ann@a.example", False),
        ("self", "root", "ann@a.example", True),
        ("account", "boss@a.example", "ann@a.example", True),
        ("account", "boss@a.example", "ann@A.EXAMPLE", True),
        ("account", "boss@a.example", "nobody@a.example", True),
        ("account", "boss@a.example", "deputy@a.example", False),
        ("account", "boss@a.example", "bob@b.example", False),
        ("account", "boss@a.example", "root", False),
        ("account", "deputy@a.example", "ann@a.example", False),
        ("account", "ann@a.example", "boss@a.example", False),
        ("name", "boss@a.example", "a.example", True),
        ("name", "boss@a.example", "A.Example", True),
        ("name", "boss@a.example", "sub.a.example", False),
        ("name", "boss@a.example", "a.example@b.example", False),
        ("name", "boss@a.example", "sales@a.example", True),
        ("name", "ann@a.example", "a.example", False),
        ("name", "root", "nowhere.example", True),
    ],
)
def test_an_object_is_open_to_its_owner(company: Client, own: str, caller: str, name: str, *, allowed: bool) -> None:
    answer = company.call("GET", f"/{own}/{name}", user=(caller, TOKENS[caller]))
    assert answer.status == (200 if allowed else 403), answer.json()
    if not allowed:
        assert name in answer.json()["detail"]


def test_the_request_body_names_an_object_too(company: Client) -> None:
    user = ("boss@a.example", "t-boss")
    assert company.call("POST", "/domains", user=user, json={"domain": "a.example"}).status == 200
    assert company.call("POST", "/domains", user=user, json={"domain": "b.example"}).status == 403
    assert company.call("POST", "/domains", user=user, json={}).status == 200
    assert company.call("POST", "/domains", user=("root", "t-root"), json={"domain": "b.example"}).status == 200


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"at": "$request.path.name", "own": "self"}, "at`, `own` and `foreign"),
        ({"at": "name", "own": "self", "foreign": []}, "runtime expression"),
        ({"at": "$request.path.name", "own": "mine", "foreign": []}, "self, account, name"),
        ({"at": "$request.path.name", "own": "self", "foreign": ["king"]}, '"king"'),
    ],
)
def test_a_mistake_in_it_stops_the_start(
    make_stub: Callable[..., Client], write_contract: Callable[..., Path], objects: dict[str, Any], message: str
) -> None:
    contract = write_contract(
        {"/a/{name}": {"get": {**operation("self"), "x-mockserver-objects": objects}}},
        **{"x-mockserver-levels": LEVELS},
    )
    with pytest.raises(Exception, match="x-mockserver-objects") as raised:
        make_stub(contract)
    assert message in str(raised.value)
