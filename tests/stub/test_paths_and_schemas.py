"""Paths and schemas of any contract, through the front door."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Client

MakeStub = Callable[..., "Client"]
Write = Callable[..., Path]


def _answers(example: Any) -> dict[str, Any]:
    return {"responses": {"200": {"description": "", "content": {"application/json": {"example": example}}}}}


def test_paths_are_found_with_and_without_the_base_path_of_their_servers(
    make_stub: MakeStub, write_contract: Write
) -> None:
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    paths = {
        "/pets/{id}": {"parameters": [identifier], "get": _answers("pet")},
        "/health": {"servers": [{"url": "/internal"}], "get": _answers("well")},
    }
    client = make_stub(write_contract(paths, servers=[{"url": "https://example.com/v{n}/"}]))
    for path, status in [
        ("/pets/1", 200),
        ("/vn/pets/1", 200),
        ("/health", 200),
        ("/internal/health", 200),
        ("/vn/health", 404),
        ("/v2/pets/1", 404),
    ]:
        assert client.call("GET", path).status == status, path


@pytest.mark.parametrize(("query", "expected"), [("", "all"), ("?kind=x", "kind"), ("?since=5", "since")])
def test_operations_that_differ_by_their_query_are_told_apart(
    make_stub: MakeStub, write_contract: Write, query: str, expected: str
) -> None:
    paths = {
        "/log": {"get": _answers("all")},
        "/log?kind=x": {"get": _answers("kind")},
        "/log?since={since}": {"get": _answers("since")},
    }
    client = make_stub(write_contract(paths))
    assert client.call("GET", f"/log{query}").json() == expected


def test_bodies_of_3_0_are_judged_as_they_are_meant(make_stub: MakeStub, write_contract: Write) -> None:
    schema = {
        "type": "object",
        "required": ["id", "name"],
        "properties": {
            "id": {"type": "integer", "readOnly": True},
            "name": {"type": "string", "nullable": True},
            "size": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "format": "int32"},
            "odd": {"required": True, "type": "any"},
        },
    }
    body = {"content": {"application/json": {"schema": schema}}}
    contract = write_contract({"/a": {"post": {"requestBody": body, **_answers("ok")}}}, openapi="3.0.3")
    client = make_stub(contract)
    for value, status in [
        ({"name": None}, 200),
        ({"name": "x", "size": 1, "odd": []}, 200),
        ({}, 422),
        ({"name": 1}, 422),
        ({"name": "x", "id": 1}, 200),  # `readOnly`: ignored
        ({"name": "x", "size": 0}, 422),
        ({"name": "x", "size": 2**31}, 422),
    ]:
        assert client.call("POST", "/a", json=value).status == status, value
