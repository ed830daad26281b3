"""A small company and its contract, with objects of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

LEVELS = ["chief", "head", "staff"]
SEED = """
accounts:
  - {username: root, level: chief, tokens: [{token: token-of-root}]}
  - {username: boss@a.example, level: head, owns: [a.example], tokens: [{token: token-of-boss}]}
  - {username: ann@a.example, level: staff, tokens: [{token: token-of-ann}]}
  - {username: chef@b.example, level: head, owns: [b.example], tokens: [{token: token-of-chef}]}
  - {username: bob@b.example, level: staff, tokens: [{token: token-of-bob}]}
"""


def operation(name: str, at: str, own: str, levels: list[str], foreign: list[str]) -> dict[str, Any]:
    return {
        "operationId": name,
        "x-mockserver-levels": levels,
        "x-mockserver-objects": {"at": at, "own": own, "foreign": foreign},
        "responses": {
            "200": {"description": "done", "content": {"application/json": {"schema": {"type": "object"}}}},
            **{
                status: {"description": "refused", "content": {"application/problem+json": {}}}
                for status in ("401", "403", "422")
            },
        },
    }


def parameter(example: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "examples": [example]}
    return [{"name": "name", "in": "path", "required": True, "schema": schema}]


PATHS: dict[str, Any] = {
    "/self/{name}": {
        "parameters": parameter("ann@a.example"),
        "post": operation("self", "$request.path.name", "self", LEVELS, []),
    },
    "/accounts/{name}": {
        "parameters": parameter("ann@a.example"),
        "get": operation("account", "$request.path.name", "account", LEVELS, ["chief"]),
    },
    "/domains/{name}": {
        "parameters": parameter("a.example"),
        "get": operation("domain", "$request.path.name", "name", LEVELS[:2], ["chief"]),
    },
    "/addresses": {
        "post": {
            **operation("address", "$request.body#/mail/address", "name", LEVELS[:2], ["chief"]),
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"type": "object"},
                        "examples": {"one": {"value": {"mail": {"address": "sales@a.example"}}}},
                    }
                },
            },
        }
    },
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("matrix")
    contract, seed = folder / "openapi.json", folder / "seed.yaml"
    document = {
        "openapi": "3.1.0",
        "info": {"title": "small", "version": "1"},
        "x-mockserver-levels": LEVELS,
        "components": {"securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
        "security": [{"basic": []}],
        "paths": PATHS,
    }
    contract.write_text(json.dumps(document), encoding="utf-8")
    seed.write_text(SEED.replace("}]}", ", expires: false}]}"), encoding="utf-8")
    return contract, seed
