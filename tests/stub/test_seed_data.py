"""Seed data through the front door: overlays, items of any contract, and next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.http.pointers import blanked

if TYPE_CHECKING:
    from tests.conftest import Client, Serve

AUTH = "/api/v1/auth/"
SEED = """
accounts: [{username: admin, password: p, level: MasterAdmin, tokens: [{token: long-auth_token-here}]}]
overlays:
  other:
    accounts: [{username: bob, password: p, level: MailUser, tokens: [{token: token-of-bob}]}]
    issue: {auth_token: [first-of-bob]}
"""


@pytest.fixture
def client(make_stub: Callable[..., Client], tmp_path: Path) -> Client:
    (tmp_path / "seed.yaml").write_text(SEED, encoding="utf-8")
    return make_stub(seed_data=tmp_path / "seed.yaml")


def test_a_reset_puts_a_world_to_an_overlay_and_back(client: Client) -> None:
    client.set_clock(now=5)
    assert client.control("POST", "/reset", {"overlay": "other"}) == {"status": "reset", "world": "default"}
    assert client.control("GET", "/clock")["standing"] is False
    assert client.journal() == []
    assert client.call("GET", AUTH).status == 401
    login = client.call("POST", AUTH, user=None, json={"username": "bob", "password": "p"})
    assert login.json()["auth"]["auth_token"] == "first-of-bob"
    client.control("POST", "/reset", {"overlay": None})
    assert client.call("GET", AUTH).status == 200
    client.control("POST", "/reset", {"overlay": "other"})
    client.control("POST", "/reset")
    assert client.call("GET", AUTH).status == 200


def test_a_world_can_begin_with_an_overlay(client: Client) -> None:
    other = client.in_world("new")
    other.control("POST", "/reset", {"overlay": "other"})
    assert other.call("GET", AUTH, user=("bob", "token-of-bob")).status == 200
    assert client.call("GET", AUTH, user=("bob", "token-of-bob")).status == 401


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (b'{"overlay": "others"}', 422, 'no overlay "others"; they have other'),
        (b'{"overlay": 5}', 422, "name of an overlay"),
        (b'{"overlay": ["other"]}', 422, "name of an overlay"),
        (b'{"seed": "other"}', 422, "one or more of overlay"),
        (b"{}", 422, "one or more of overlay"),
        (b"{", 400, "not JSON"),
    ],
)
def test_what_is_no_overlay_changes_nothing(client: Client, content: bytes, status: int, detail: str) -> None:
    client.call("DELETE", AUTH)
    answer = client.call("POST", "/__mock__/reset", user=None, content=content)
    assert (answer.status, answer.fields["content-type"]) == (status, "application/problem+json")
    assert detail in answer.json()["detail"]
    assert client.call("GET", AUTH).status == 401


def test_an_overlay_lasts_as_long_as_its_store(make_stub: Callable[..., Client], tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(SEED, encoding="utf-8")
    state = f"sqlite:///{tmp_path}/state.db"
    make_stub(seed_data=tmp_path / "seed.yaml", state=state).control("POST", "/reset", {"overlay": "other"})
    again = make_stub(seed_data=tmp_path / "seed.yaml", state=state)
    login = again.call("POST", AUTH, user=None, json={"username": "bob", "password": "p"})
    assert login.json()["auth"]["auth_token"] == "first-of-bob"


def test_items_of_any_contract_are_seeded(
    make_stub: Callable[..., Client], write_contract: Callable[..., Path], tmp_path: Path
) -> None:
    pet = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}

    def answers(schema: object) -> dict[str, object]:
        return {"200": {"description": "d", "content": {"application/json": {"schema": schema}}}}

    parameter = {"name": "petId", "in": "path", "required": True, "schema": {"type": "integer"}}
    contract = write_contract(
        {
            "/pets": {"get": {"responses": answers({"type": "array", "items": pet})}},
            "/pets/{petId}": {
                "parameters": [parameter],
                "get": {"responses": answers(pet)},
                "delete": {"responses": {"204": {"description": "gone"}}},
            },
        }
    )
    (tmp_path / "seed.yaml").write_text("resources: {/pets: {'70': {id: 70, name: Rex}}}", encoding="utf-8")
    client = make_stub(contract, seed_data=tmp_path / "seed.yaml")
    assert client.call("GET", "/pets/70").json() == {"id": 70, "name": "Rex"}
    assert {"id": 70, "name": "Rex"} in client.call("GET", "/pets").json()
    client.call("DELETE", "/pets/70")
    assert client.call("GET", "/pets/70").status == 404
    client.control("POST", "/reset")
    assert client.call("GET", "/pets/70").status == 200


def test_empty_leaves_one_account_that_may_do_everything(make_stub: Callable[..., Client]) -> None:
    client = make_stub(empty=True)
    state = client.control("GET", "/state")
    assert state["accounts"] == {"admin": {"level": "MasterAdmin", "tokens": 1}}
    assert client.call("GET", AUTH).json()["auth"]["perm_level"] == "MasterAdmin"
    assert client.call("GET", AUTH, user=("u2@vonmail.com", "long-auth_token-of-mailuser")).status == 401
    login = {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"}
    token = client.call("POST", AUTH, user=None, json=login).json()["auth"]["auth_token"]
    assert token != "Woy1D6tHXVc1heFmzDnSZ5svoR81IbW5fxbA2lZq"


def test_serve_empty(serve: Serve, tmp_path: Path) -> None:
    for server in (serve("--empty"), serve(MOCKSERVER_EMPTY="1")):
        assert list(server.client.control("GET", "/state")["accounts"]) == ["admin"]
    (tmp_path / "mockserver.toml").write_text("empty = true", encoding="utf-8")
    (tmp_path / "own.yaml").write_text("accounts: [{username: u}, {username: m, level: MasterAdmin}]", encoding="utf-8")
    server = serve("--seed-data", "own.yaml")
    assert list(server.client.control("GET", "/state")["accounts"]) == ["m"]


JSON = st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(JSON, st.lists(st.text(), min_size=1))
def test_what_is_blanked_is_null_and_nothing_else_changes(value: object, names: list[str]) -> None:
    pointer = "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
    before = repr(value)
    blank = blanked({"a": value, "b": 1}, [f"/a{pointer}", "/c"])
    assert blank["b"] == 1
    assert set(blank) == {"a", "b"}
    assert blanked(blank, [f"/a{pointer}"]) == blank
    assert repr(value) == before
    assert blanked({"a": value}, ["/a"]) == {"a": None}
