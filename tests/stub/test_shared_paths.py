"""Operations that share a path and a method: the one that fits the call answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]
FORM = "application/x-www-form-urlencoded"


def _one(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "enum": [value], **more}


def _operation(name: str, *parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = {"200": {"description": "", "content": {"application/json": {"example": name}}}}
    return {"operationId": name, "parameters": list(parameters), "responses": answer, **more}


def _content(media_type: str, member: str, value: str) -> dict[str, Any]:
    schema = {"type": "object", "required": [member], "properties": {member: _one(value)}}
    return {"requestBody": {"content": {media_type: {"schema": schema}}}}


@pytest.fixture
def client(make_stub: MakeStub, write_contract: Write) -> Client:
    paths: dict[str, Any] = {}
    for name in ("create", "drop"):
        action = {"name": "Action", "in": "query", "required": True, "schema": _one(name)}
        target = {"name": "X-Target", "in": "header", "required": True, "schema": {"const": f"Db.{name}"}}
        paths[f"/#Action={name}"] = {"get": _operation(f"q-{name}", action)}
        paths[f"/header#{name}"] = {"post": _operation(f"h-{name}", target)}
        paths[f"/form#{name}"] = {"post": _operation(f"f-{name}", **_content(FORM, "do", name))}
        paths[f"/rpc#{name}"] = {"post": _operation(f"j-{name}", **_content("application/json", "method", name))}
        paths[f"/bare#Action={name}"] = {"post": _operation(f"b-{name}")}
    integer = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    text = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    paths |= {"/u/{id}": {"get": _operation("by-id", integer)}, "/u/{name}": {"get": _operation("by-name", text)}}
    return make_stub(write_contract(paths), no_state=True)


def _send(client: Client, method: str, target: str, fields: dict[str, str], content: str) -> Any:
    return client.call(method, target, fields=fields, content=content.encode() or None)


@pytest.mark.parametrize(
    ("method", "target", "fields", "content", "name"),
    [
        ("GET", "/?Action=create", {}, "", "q-create"),
        ("GET", "/?x=1&Action=drop", {}, "", "q-drop"),
        ("POST", "/header", {"x-target": "Db.drop"}, "", "h-drop"),
        ("POST", "/header", {"X-Target": "Db.create"}, "", "h-create"),
        ("POST", "/form", {"Content-Type": FORM}, "do=drop&x=1", "f-drop"),
        ("POST", "/rpc", {"Content-Type": "application/json"}, '{"method": "drop"}', "j-drop"),
        ("POST", "/rpc", {"Content-Type": "application/json"}, '{"method": "create"}', "j-create"),
        ("POST", "/bare?Action=drop", {}, "", "b-drop"),
        ("POST", "/bare", {"Action": "drop"}, "", "b-drop"),
        ("POST", "/bare", {"Content-Type": FORM}, "Action=drop", "b-drop"),
        ("GET", "/u/7", {}, "", "by-id"),
        ("GET", "/u/ada", {}, "", "by-name"),
    ],
)
def test_the_operation_that_fits_the_call_answers(
    client: Client, method: str, target: str, fields: dict[str, str], content: str, name: str
) -> None:
    answer = _send(client, method, target, fields, content)
    assert (answer.status, answer.json()) == (200, name)
    assert client.journal()[-1]["operation"] == name


def test_a_call_that_fits_none_is_refused_by_the_first(client: Client) -> None:
    assert client.call("GET", "/?Action=other").pointers == ["/Action"]
    answer = _send(client, "POST", "/rpc", {"Content-Type": "application/json"}, '{"method": "other"}')
    assert answer.pointers == ["/method"]
    assert _send(client, "POST", "/rpc", {"Content-Type": "application/json"}, "{broken").status == 400
