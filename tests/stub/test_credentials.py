"""Credentials of every kind: any well-formed one without accounts, with accounts only theirs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.stub.app import create_app

SCHEMES: dict[str, dict[str, Any]] = {
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "authorization": {"type": "apiKey", "in": "header", "name": "Authorization"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "oauth": {"type": "oauth2", "flows": {}},
    "basic": {"type": "http", "scheme": "basic"},
}
ACCOUNTS = """
accounts:
  - {username: ann, password: right, tokens: [{token: right}], scopes: [read]}
  - {username: bob, schemes: {header: bobs}}
"""


def _basic(secret: str) -> str:
    return "Basic " + base64.b64encode(f"ann:{secret}".encode()).decode()


SHOWN: dict[str, Callable[[str], dict[str, Any]]] = {
    "header": lambda secret: {"headers": {"X-Key": secret}},
    "authorization": lambda secret: {"headers": {"Authorization": secret}},
    "query": lambda secret: {"query_string": {"key": secret}},
    "cookie": lambda secret: {"headers": {"Cookie": f"a=b; sid={secret}"}},
    "bearer": lambda secret: {"headers": {"Authorization": f"Bearer {secret}"}},
    "oauth": lambda secret: {"headers": {"Authorization": f"Bearer {secret}"}},
    "basic": lambda secret: {"headers": {"Authorization": _basic(secret)}},
}


def client(folder: Path, *, seeded: bool) -> Any:
    """Return a client of a stub with an operation for each kind of credential."""
    answer = {"responses": {"204": {"description": ""}}}
    paths = {f"/{name}": {"get": {**answer, "security": [{name: []}]}} for name in SCHEMES}
    paths["/scoped"] = {"get": {**answer, "security": [{"oauth": ["write"]}]}}
    paths["/either"] = {"get": {**answer, "security": [{"oauth": ["write"]}, {"header": []}]}}
    paths["/both"] = {"get": {**answer, "security": [{"header": [], "query": []}]}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": SCHEMES},
    }
    (folder / "contract.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "seed.yaml").write_text(ACCOUNTS, encoding="utf-8")
    app = create_app(folder / "contract.json", seed_data=folder / "seed.yaml" if seeded else None)
    return app.test_client(use_cookies=False)  # its jar would replace the field


@pytest.mark.parametrize("kind", SCHEMES)
def test_with_accounts_only_their_credentials_are_taken(kind: str, tmp_path: Path) -> None:
    stub = client(tmp_path, seeded=True)
    assert stub.get(f"/{kind}", **SHOWN[kind]("right")).status_code == 204
    assert stub.get(f"/{kind}", **SHOWN[kind]("wrong")).status_code == 401
    missing = stub.get(f"/{kind}")
    assert (missing.status_code, bool(missing.headers["WWW-Authenticate"])) == (401, True)


@pytest.mark.parametrize("kind", SCHEMES)
def test_without_accounts_any_well_formed_credentials_are_taken(kind: str, tmp_path: Path) -> None:
    stub = client(tmp_path, seeded=False)
    assert stub.get(f"/{kind}", **SHOWN[kind]("whatever")).status_code == 204
    assert stub.get(f"/{kind}").status_code == 401


def test_a_scope_that_is_missing_is_named(tmp_path: Path) -> None:
    stub = client(tmp_path, seeded=True)
    refused = stub.get("/scoped", **SHOWN["oauth"]("right"))
    assert refused.status_code == 403
    assert "write" in refused.json["detail"]
    assert stub.get("/scoped", **SHOWN["oauth"]("bobs")).status_code == 204, "an account without scopes has all"


def test_one_of_several_requirements_is_enough_and_all_schemes_of_one_are_needed(tmp_path: Path) -> None:
    stub = client(tmp_path, seeded=True)
    both = {"headers": {"Authorization": "Bearer right", "X-Key": "right"}}
    assert stub.get("/either", **both).status_code == 204
    assert stub.get("/both", headers={"X-Key": "right"}).status_code == 401
    assert stub.get("/both", headers={"X-Key": "right"}, query_string={"key": "right"}).status_code == 204
