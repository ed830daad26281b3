"""The requests that return a documented example: whose they are, and what their parameters are."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mockserver.contract.reading.document import load_contract
from mockserver.stub.examples.example_sequences import sequences
from mockserver.stub.store.seed import Account, Seed, Token


def _answer(**examples: Any) -> dict[str, Any]:
    return {"200": {"description": "d", "content": {"application/json": {"examples": examples}}}}


def _user(fields: tuple[tuple[str, str], ...]) -> str:
    return base64.b64decode(dict(fields)["Authorization"].partition(" ")[2]).decode().partition(":")[0]


def test_each_call_has_its_parameters_and_its_caller(write_contract: Callable[..., Path]) -> None:
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    search = {"name": "search", "in": "query", "schema": {"type": "string"}, "examples": {"all": {"value": "@b&c"}}}
    contract = load_contract(
        write_contract(
            {
                "/share/{name}/": {
                    "put": {
                        "operationId": "share",
                        "parameters": [{**name, "examples": {"x": {"value": "x y"}, "u1": {"value": "u/1"}}}],
                        "responses": _answer(u1={"value": 1, "x-mockserver-presumes": {"identity": "u1"}}),
                    }
                },
                "/list/{name}/": {
                    "parameters": [{**name, "schema": {"type": "string", "enum": ["drawn"]}}, search],
                    "get": {
                        "operationId": "list",
                        "responses": _answer(
                            all={"value": 2, "x-mockserver-presumes": {"calls": ["share/u1", "list"], "identity": "u2"}}
                        ),
                    },
                },
            },
            security=[{"basic": []}],
            components={"securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
        )
    )
    seed = Seed({user: Account(user, tokens=(Token(f"token-of-{user}", 0, 0),)) for user in ("u1", "u2")})
    *_, found = sequences(contract, seed)
    _, share, earlier, last = found.steps
    assert earlier == last
    assert (share.path, _user(share.fields)) == ("/share/u%2F1/", "u1")
    assert (last.path, _user(last.fields)) == ("/list/drawn/?search=@b%26c", "u2")
