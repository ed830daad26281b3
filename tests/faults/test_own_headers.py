"""Header fields that a user gives: `--header`, and `headers` of an identity, on servers that ask for them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.small import Answer, Told, application, commanded

APP, KEY, TENANT = "storefront-7", "n0b0dy-knows-this-key", "acme-of-the-north"


def _response(description: str, schema: Any = None) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema or {"type": "object"}}}}


def contract(folder: Path, *, schemes: bool = True) -> Path:
    """Write a contract of two operations that ask for a pair of keys, or say nothing of credentials."""
    tenant = {"name": "X-Tenant", "in": "header", "required": True, "schema": {"type": "string", "pattern": "^acme"}}
    refused = {status: _response("refused") for status in ("400", "401", "404", "405")}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            "/orders": {"get": {"parameters": [tenant], "responses": {"200": _response("orders"), **refused}}},
            "/about": {"get": {"security": [], "responses": {"200": _response("what this is"), **refused}}},
        },
    }
    if schemes:
        document["security"] = [{"app": [], "key": []}]
        document["components"] = {
            "securitySchemes": {
                "app": {"type": "apiKey", "in": "header", "name": "X-App-Id"},
                "key": {"type": "apiKey", "in": "header", "name": "X-App-Key"},
            }
        }
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


class Shop:
    """A server that asks each request for its tenant, and orders for a pair of keys."""

    def __init__(self, *, careless: bool = False, gateway: str = "") -> None:
        self.careless, self.gateway = careless, gateway
        self.tenants: list[str | None] = []
        self.public: list[str | None] = []

    def __call__(self, call: Request) -> Answer:
        """Answer one request."""
        self.tenants.append(call.headers.get("X-Tenant"))
        if self.gateway and call.headers.get("Authorization") != self.gateway:
            return 401, {"error": "gateway"}, {"WWW-Authenticate": "Basic"}
        if call.path == "/about" and call.method == "GET":
            self.public.append(call.headers.get("X-App-Key"))
            return 200, {"tenant": call.headers.get("X-Tenant")}
        if call.path != "/orders":
            return 404, {"error": "nothing here"}
        if call.method != "GET":
            return 405, {"error": "GET alone"}, {"Allow": "GET"}
        shown = (call.headers.get("X-App-Id"), call.headers.get("X-App-Key"))
        right = shown[1:] == (KEY,) if self.careless else shown == (APP, KEY)
        if not right and not self.gateway:
            return 401, {"error": "no key"}, {"WWW-Authenticate": "Key"}
        if call.headers.get("X-Tenant") != TENANT:
            return 400, {"error": "tenant"}
        return 200, {"orders": 3, "tenant": TENANT}


def judge(server: Shop, folder: Path, *, schemes: bool = True, command: str = "check", **options: Any) -> Told:
    """Return what a command says of a shop."""
    return commanded(command, application(server), folder, contract=contract(folder, schemes=schemes), **options)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables of the credentials."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    monkeypatch.setenv("TENANT", TENANT)


def identities(folder: Path, text: str) -> Path:
    """Write an identities file."""
    path = folder / "identities.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("examples", [None, 3])
def test_header_goes_with_every_request_and_a_pair_of_keys_with_those_of_the_identity(
    tmp_path: Path, examples: int | None
) -> None:
    server = Shop()
    file = identities(tmp_path, f'identities: [{{headers: {{X-App-Id: {APP}, x-app-key: "${{SHOP_KEY}}"}}}}]')
    command = "fuzz" if examples else "check"
    options: dict[str, Any] = {"max_examples": examples} if examples else {}
    told = judge(server, tmp_path, command=command, identities=file, header=("X-Tenant: ${TENANT}",), **options)
    assert (told.exit_code, told.titles("violation")) == (0, [])
    assert set(server.tenants) == {TENANT}
    assert server.public
    assert not any(server.public)  # what needs no credentials gets none
    assert told.report["run"]["operations_succeeded"] == 2
    shown = json.dumps(told.report) + told.page
    assert KEY not in shown
    assert TENANT not in shown


@pytest.mark.usefixtures("environment")
def test_a_server_that_looks_at_one_key_of_two_is_found_and_its_command_has_the_field(tmp_path: Path) -> None:
    header = (
        "X-Tenant: ${TENANT}",
        "Accept: application/json",
        "X-Debug: true",
        f"X-App-Id: {APP}",
        "X-App-Key: ${SHOP_KEY}",
    )
    told = judge(Shop(careless=True), tmp_path, header=header)
    assert told.exit_code == 1
    (found,) = [one for one in told.report["findings"] if one["check"] == "unknown_tokens_are_refused"]
    assert "-H 'X-Tenant: '\"$HEADER_X_TENANT\"" in found["reproduce"]
    assert KEY not in json.dumps(told.report)
    assert "-H 'Accept: application/json'" in found["reproduce"]  # no secret is a word that stands anywhere
    assert "-H 'X-Debug: true'" in found["reproduce"]


@pytest.mark.usefixtures("environment")
def test_a_credential_of_a_gateway_goes_where_no_scheme_asks_for_one(tmp_path: Path) -> None:
    gateway = "Basic c3RhZ2luZzpzZXNhbWUtb3Blbg=="
    told = judge(
        Shop(gateway=gateway), tmp_path, schemes=False, header=(f"Authorization: {gateway}", "X-Tenant: ${TENANT}")
    )
    assert (told.exit_code, told.titles("violation")) == (0, [])
    assert told.report["run"]["operations_succeeded"] == 2
    assert "Authorization" in json.dumps(told.report)
    assert gateway not in json.dumps(told.report) + told.page


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("X-Tenant", "write it as --header 'X-Tenant: acme'"),
        (": acme", "write it as --header"),
        ("X Tenant: acme", "no name of a header field"),
        ("Host: example.com", "Host is not yours to set"),
        ("content-length: 3", "content-length is not yours to set"),
        ("X-Tenant:", "is empty"),
        ("X-Tenant: ${NOBODY_SET_THIS}", "--header X-Tenant: the environment variable NOBODY_SET_THIS is not set"),
        ("X-Tenant: a\r\nX-Admin: yes-very-secret", "line break"),
    ],
)
def test_a_header_that_cannot_be_sent_is_told_without_its_value(
    tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]], header: str, message: str
) -> None:
    done = command("check", "http://127.0.0.1:1", "--contract", str(contract(tmp_path)), "--header", header)
    assert done.returncode == 2
    assert message in done.stderr
    assert re.search("very-secret|Traceback", done.stderr) is None


def test_several_headers_of_the_environment_stand_on_lines_of_their_own(
    tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = command(
        *("check", "http://127.0.0.1:1", "--dry-run", "--contract", str(contract(tmp_path))),
        MOCKSERVER_HEADER=f"X-Tenant: {TENANT}\nX-App-Id: {APP}\nX-App-Key: {KEY}",
    )
    assert done.returncode == 0
    assert "GET /orders  by identity" in done.stdout
