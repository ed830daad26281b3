from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.suite.checks.secret_leaks import sent_secrets
from mockserver.suite.secrets.known_secrets import (
    Canaries,
    Secrets,
    is_distinctive,
    marked,
    mask_paths,
    values_at,
    visible_text,
)
from mockserver.suite.target.exchange import WireRequest, WireResponse
from tests import defaults

SECRET = 'T0p"secret/wörd'


@pytest.fixture
def secrets() -> Secrets:
    known = Secrets()
    known.add("ADMIN_TOKEN", SECRET)
    return known


@pytest.mark.parametrize(
    "text",
    [
        f"x {SECRET} y",
        json.dumps({"a": SECRET}),
        json.dumps({"a": SECRET}, ensure_ascii=False),
        SECRET.upper(),
        "T0p%22secret%2Fw%C3%B6rd",
        base64.b64encode(SECRET.encode()).decode(),
        SECRET.encode().hex(),
        "T0p&quot;secret/wörd",
    ],
)
def test_a_leak_is_found_however_it_is_written(secrets: Secrets, text: str) -> None:
    assert list(secrets.leaked(text)) == [SECRET]


def test_short_secrets_are_masked_but_not_taken_for_leaks() -> None:
    secrets = Secrets()
    secrets.add("PIN", "123456")
    assert not list(secrets.leaked("order 123456"))
    assert secrets.mask("pin=123456") == "pin=$PIN"


def test_output_shows_names(secrets: Secrets) -> None:
    assert secrets.mask(f"a {SECRET} b {json.dumps(SECRET)}") == 'a $ADMIN_TOKEN b "$ADMIN_TOKEN"'


def test_canaries_are_long_different_and_reproducible() -> None:
    one, other = Canaries(1), Canaries(1)
    made = [one.make("x", 5) for _ in range(100)]
    assert made == [other.make("x", 5) for _ in range(100)]
    assert len(set(made)) == 100
    assert all(len(canary) >= 12 for canary in made)


def test_issued_secrets_are_no_leak_where_they_are_issued() -> None:
    response = WireResponse(
        200, (("Content-Type", "application/json"),), json.dumps({"auth": {"token": SECRET}}).encode()
    )
    assert SECRET in visible_text(response, ())
    assert SECRET not in visible_text(response, (("auth", "token"),))


def test_paths() -> None:
    value = {"a": [{"b": 1}, {"b": 2}], "c": "Master"}
    assert list(values_at(value, ("a", "*", "b"))) == [1, 2]
    assert mask_paths(value, (("a", "*", "b"),))["a"] == [{"b": "********"}, {"b": "********"}]


@pytest.mark.parametrize(
    ("text", "distinctive"),
    [("7Hp5jQ3GMNyLuwkAlDb3", True), ("0" * 40, False), ("correct horse battery", False), ("short", False)],
)
def test_distinctive(text: str, distinctive: bool) -> None:
    assert is_distinctive(text) is distinctive


def _sent(password: str) -> list[str]:
    """Return what of a request with a password counts as secret."""
    contract = load_contract(defaults.CONTRACT)
    operation = contract.by_id["setting_post_postfix_relayhost"]
    body = {"server_hostname": "host", "server_port": 1, "username": "user", "password": password}
    request = WireRequest("POST", operation.path, (), json.dumps(body).encode())
    return [secret for secret, _ in sent_secrets(contract, operation, request)]


@pytest.mark.parametrize("word", ["application/json", "Content-Type", "additionalProperties", "imap_master_password"])
def test_a_password_that_is_a_word_of_http_or_the_contract_is_no_leak(word: str) -> None:
    assert _sent(word) == []


def test_the_documented_sample_password_is_a_secret_all_the_same() -> None:
    assert _sent("secure-relay-user-password") == ["secure-relay-user-password"]


def test_a_mark_is_found_beside_a_reference_behind_it_and_in_a_branch(tmp_path: Path) -> None:
    secret = {"type": "string", "writeOnly": True}
    schema = {
        "properties": {
            "beside": {"$ref": "#/components/schemas/Text", "writeOnly": True},
            "behind": {"$ref": "#/components/schemas/Pin"},
            "branch": {"allOf": [{"$ref": "#/components/schemas/Pin"}]},
            "list": {"items": {"properties": {"deep": secret}}},
            "shown": {"$ref": "#/components/schemas/Text"},
            "again": {"$ref": "#/components/schemas/All"},
        }
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {},
        "components": {"schemas": {"All": schema, "Text": {"type": "string"}, "Pin": secret}},
    }
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(document))
    found = {place for place, _ in marked(load_contract(path), "/components/schemas/All", "writeOnly")}
    assert found == {("beside",), ("behind",), ("branch",), ("list", "*", "deep")}


def _entangled(tmp_path: Path, schemas: dict[str, Any]) -> Contract:
    """Return a contract of 40 objects, each of which may stand within each other one, and some schemas more."""
    names = [f"E{number}" for number in range(40)]
    within = {name.lower(): {"$ref": f"#/components/schemas/{name}"} for name in names}
    entangled = {name: {"type": "object", "properties": within} for name in names}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "entangled", "version": "1"},
        "paths": {},
        "components": {"schemas": entangled | schemas},
    }
    path = tmp_path / "entangled.json"
    path.write_text(json.dumps(document))
    return load_contract(path)


def test_objects_that_stand_in_each_other_without_a_mark_are_walked_once(tmp_path: Path) -> None:
    assert marked(_entangled(tmp_path, {}), "/components/schemas/E0", "writeOnly") == ()


def test_of_more_marked_paths_than_can_be_walked_the_shortest_are_found(tmp_path: Path) -> None:
    within = {"e7": {"$ref": "#/components/schemas/E7"}, "key": {"type": "string", "writeOnly": True}}
    contract = _entangled(tmp_path, {"E3": {"type": "object", "properties": within}})
    found = [path for path, _ in marked(contract, "/components/schemas/E0", "writeOnly")]
    assert found[0] == ("e3", "key")
    assert {path for path in found if len(path) == 3} == {(f"e{one}", "e3", "key") for one in range(1, 40) if one != 3}
