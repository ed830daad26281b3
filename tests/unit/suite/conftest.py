"""Small contracts and servers for the suite's own tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Run
from tests.wsgi_target import WsgiTarget

ADMIN = Identity("admin", token="admin-token-of-16", password="admin-password-16", level="Master")
GUEST = Identity("guest", token="guest-token-of-16", level="Guest")

NOTE = {
    "openapi": "3.1.0",
    "info": {"title": "Notes", "version": "1"},
    "x-mockserver-levels": ["Master", "Guest"],
    "components": {"securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
    "security": [{"basic": []}],
    "paths": {
        "/note": {
            "get": {
                "operationId": "note_get",
                "x-mockserver-levels": ["Master"],
                "x-mockserver-behaviour": {
                    "handler": "setting",
                    "resource": "note",
                    "role": "read",
                    "value": "/value",
                },
                "responses": {
                    "200": {
                        "description": "set",
                        "x-source": "page",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "x-source": "page",
                                    "x-assumed": {"maxProperties": "a guess"},
                                    "type": "object",
                                    "required": ["value"],
                                    "maxProperties": 2,
                                    "properties": {"value": {"type": "object"}, "name": {"type": "string"}},
                                }
                            }
                        },
                    },
                    "204": {"description": "never set"},
                    "401": {"description": "who?", "x-assumed": "a guess"},
                    "403": {"description": "not you"},
                },
            },
            "put": {
                "operationId": "note_put",
                "x-mockserver-levels": ["Master"],
                "x-source": "page",
                "x-mockserver-behaviour": {
                    "handler": "setting",
                    "resource": "note",
                    "role": "write",
                    "value": "/value",
                },
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["text", "secret"],
                                "properties": {
                                    "text": {"type": "string", "examples": ["one", "two", "three"]},
                                    "secret": {
                                        "type": "string",
                                        "writeOnly": True,
                                        "examples": ["a-secret-of-18-chr"],
                                    },
                                },
                            }
                        }
                    },
                },
                "responses": {
                    "200": {
                        "description": "written",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    },
                    "401": {"description": "who?"},
                    "403": {"description": "not you"},
                },
            },
        }
    },
}

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    path = tmp_path / "note.json"
    path.write_text(json.dumps(NOTE))
    return load_contract(path)


def answering(status: int, body: bytes = b"", **fields: str) -> Application:
    """Return an application that gives one answer to everything."""

    def application(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(f"{status} X", [(name.replace("_", "-"), value) for name, value in fields.items()])
        return [body]

    return application


@pytest.fixture
def run_against(contract: Contract) -> Callable[[Application], Run]:
    def make(application: Application) -> Run:
        return prepare(contract, WsgiTarget(application), Identities((ADMIN, GUEST)), settle_seconds=0.0)

    return make
