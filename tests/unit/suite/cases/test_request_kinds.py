from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.suite.cases.request_kinds import VALID, kind_of_request
from mockserver.suite.target.exchange import WireRequest

_SCHEMA = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 5000},
        "size": {"type": "integer", "maximum": 9},
        "kind": {"enum": ["a"]},
        "at": {"type": "string", "pattern": "^x"},
    },
}


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    body = {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}
    page = {"name": "page", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 1}}
    item = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    done = {"200": {"description": "done"}}
    things = {"post": {"requestBody": body, "responses": done}, "get": {"parameters": [page], "responses": done}}
    paths = {"/things": things, "/things/{id}": {"get": {"parameters": [item], "responses": done}}}
    path = tmp_path_factory.mktemp("kinds") / "contract.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}))
    return load_contract(path)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"name": "a"}, VALID),
        ({}, "an object that lacks a member"),
        ({"name": 1}, "a value of another type"),
        ({"name": None}, "null"),
        ({"name": "a", "size": 10}, "a value beyond a limit"),
        ({"name": "a", "kind": "b"}, "a value that is not listed"),
        ({"name": "a", "at": "y"}, "a text of another form"),
        ({"name": "a", "more": 1}, "an unknown member"),
        ({"name": "a\x00"}, "a text with a control character"),
        ({"name": "a" * 3000}, "a very long text"),
        ({"name": "a", "size": 10**30}, "a number beyond 64 bits"),
        (b'{"name": "\\ud800"}', "a text with half of a surrogate pair"),
        (b'{"name": ', "content that is not JSON"),
        (b"", "a request without its content"),
        (b'{"name": "' + b"a" * 300_000 + b'"}', "very long content"),
        (b"[" * 150 + b"]" * 150, "content that is nested deep"),
    ],
)
def test_content(contract: Contract, content: Any, kind: str) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    request = WireRequest("POST", "/things", (("Content-Type", "application/json"),), body)
    assert kind_of_request(contract, contract.by_label["POST /things"], request) == kind


@pytest.mark.parametrize(
    ("label", "path", "kind"),
    [
        ("GET /things", "/things?page=2", VALID),
        ("GET /things", "/things", "a request without a required parameter"),
        ("GET /things", "/things?page=0", "a parameter's value that the contract does not allow"),
        ("GET /things", "/things?page=%00", "a text with a control character"),
        ("GET /things/{id}", "/things/7", VALID),
        ("GET /things/{id}", "/things/a%00", "a text with a control character"),
    ],
)
def test_parameters(contract: Contract, label: str, path: str, kind: str) -> None:
    assert kind_of_request(contract, contract.by_label[label], WireRequest("GET", path, (), None)) == kind


def test_what_the_contract_does_not_have_and_another_media_type(contract: Contract) -> None:
    assert "does not define" in kind_of_request(contract, None, WireRequest("PUT", "/", (), None))
    request = WireRequest("POST", "/things", (("Content-Type", "text/plain"),), b"a")
    kind = kind_of_request(contract, contract.by_label["POST /things"], request)
    assert kind == "content of an undocumented media type"
