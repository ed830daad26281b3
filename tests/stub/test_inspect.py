"""`mockserver inspect`: what was inferred, why, and the lines that say the same in a contract."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.commands.inspect import lines
from tests.conftest import Client
from tests.stub.test_resources import REX, pets

Command = Callable[..., subprocess.CompletedProcess[str]]
MakeStub = Callable[..., Client]
Write = Callable[..., Path]


@pytest.fixture
def messy(write_contract: Write) -> Path:
    """Pets, a pair of paths that is no resource, a ping with a callback, a setting, and a webhook."""
    number: dict[str, Any] = {"200": {"description": "", "content": {"application/json": {"example": 1}}}}
    x = {"name": "x", "in": "path", "required": True, "schema": {"type": "string"}}
    called = {"{$request.query.url}": {"post": {"responses": {"200": {"description": ""}}}}}
    paths = pets() | {
        "/odd": {"get": {"responses": number}},
        "/odd/{x}": {"get": {"parameters": [x], "responses": number}},
        "/ping": {"get": {"operationId": "ping", "responses": number, "callbacks": {"pong": called}}},
        "/never": {"get": {"responses": number, "x-mockserver-behaviour": {"handler": "absent"}}},
    }
    return write_contract(paths, webhooks={"born": {"post": {"responses": {"200": {"description": ""}}}}})


def _inspected(command: Command, path: Path) -> Any:
    done = command("inspect", "--contract", str(path), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def _sent(content: Any) -> dict[str, Any]:
    return {} if content is None else {"json": content}


def test_every_operation_is_told_once_and_why(command: Command, messy: Path) -> None:
    report = _inspected(command, messy)
    (resource,) = report["resources"]
    assert (resource["collection"], resource["item"]) == ("/pets", "/pets/{petId}")
    assert (resource["parameter"], resource["identifier"]) == ("petId", "id")
    assert 0.5 < resource["sure"] <= 1
    assert "`id`" in resource["why"]
    roles = {entry["operation"]: entry["role"] for entry in resource["operations"]}
    assert roles == {
        "GET /pets": "list",
        "POST /pets": "create",
        "GET /pets/{petId}": "read",
        "PUT /pets/{petId}": "replace",
        "PATCH /pets/{petId}": "merge",
        "DELETE /pets/{petId}": "delete",
    }
    plain = {entry["operation"]: entry["why"] for entry in report["plain"]}
    assert plain.keys() == {"GET /odd", "GET /odd/{x}", "GET /ping"}
    assert "{x}" in plain["GET /odd/{x}"]
    assert [entry["operation"] for entry in report["explicit"]] == ["GET /never"]
    assert len(roles) + len(plain) + 1 == report["operations"]
    assert report["webhooks"] == ["POST born"]
    assert [(entry["operation"], entry["callback"]) for entry in report["callbacks"]] == [("GET /ping", "pong")]


def test_the_text_tells_the_same(command: Command, messy: Path) -> None:
    report, text = _inspected(command, messy), command("inspect", "--contract", str(messy)).stdout
    for resource in report["resources"]:
        for entry in resource["operations"]:
            assert f"{entry['operation']} ({entry['id']})\n          {entry['line']}\n" in text
    for entry in (*report["plain"], *report["explicit"], *report["callbacks"]):
        assert f"  {entry['operation']} ({entry['id']}): {entry['why']}\n" in text
    assert "Webhooks, which the stub does not call: POST born" in text


def test_the_printed_lines_in_the_contract_serve_the_same(
    command: Command, make_stub: MakeStub, messy: Path, write_contract: Write
) -> None:
    document = json.loads(messy.read_text(encoding="utf-8"))
    for entry in _inspected(command, messy)["resources"][0]["operations"]:
        method, _, path = entry["operation"].partition(" ")
        pasted = yaml.safe_load(entry["line"])
        assert pasted["x-mockserver-behaviour"] == entry["behaviour"]
        document["paths"][path][method.lower()].update(pasted)
    path = write_contract(document["paths"])
    stubs = [make_stub(messy, clock=1_600_000_000), make_stub(path, clock=1_600_000_000, no_state=True)]
    for method, target, content in (
        ("GET", "/pets", None),
        ("POST", "/pets", {"name": "Tom"}),
        ("GET", "/pets/8", None),
        ("PUT", "/pets/8", {"name": "Tim"}),
        ("GET", "/pets?sort=-name&limit=1", None),
        ("DELETE", "/pets/8", None),
        ("GET", "/pets/8", None),
    ):
        answers = [stub.call(method, target, **_sent(content)) for stub in stubs]
        assert answers[0].status == answers[1].status, (method, target)
        assert answers[0].content == answers[1].content, (method, target)
    assert _inspected(command, path)["resources"] == []


def test_no_resource_is_no_error(command: Command) -> None:
    done = command("inspect")
    assert done.returncode == 0
    assert "0 resources inferred" in done.stdout.splitlines()[0]
    assert command("inspect", "--contract", "missing.yaml").returncode == 2


def test_warnings_are_numbered(command: Command, write_contract: Write) -> None:
    path = write_contract({"/a": {"get": {"responses": {}, "parameters": "none"}}, "/b": {"get": "none"}})
    told = _inspected(command, path)["warnings"]
    assert len(told) == 3
    assert all(any(word in warning for warning in told) for word in ("/parameters", "`responses`", "/paths/~1b/get"))
    text = command("inspect", "--contract", str(path)).stdout
    assert "\nWarnings:\n" + "".join(f"  {n}. {told[n - 1]}\n" for n in (1, 2, 3)) in text


def test_what_cannot_be_read_is_refused_and_the_rest_is_served(
    command: Command, make_stub: MakeStub, write_contract: Write
) -> None:
    path = write_contract(pets() | {"/broken": {"get": "none", "delete": {"responses": {"204": {"description": ""}}}}})
    report = _inspected(command, path)
    (refused,) = report["refused"]
    assert (refused["operation"], refused["id"]) == ("GET /broken", "get_/broken")
    assert refused["why"].endswith(": /paths/~1broken/get: must be an object, not text")
    assert f"Refused (501):\n  GET /broken (get_/broken): {refused['why']}\n" in "\n".join(lines(report))
    stub = make_stub(path)
    answer = stub.call("GET", "/broken")
    assert answer.status == 501
    assert refused["why"] in answer.json()["detail"]
    assert stub.call("DELETE", "/broken").status == 204
    assert set(stub.call("PUT", "/broken", json=1).fields["allow"].split(", ")) >= {"GET", "DELETE"}


def test_no_state_on_the_command_line(serve: Callable[..., Any], write_contract: Write) -> None:
    client = serve("--contract", str(write_contract(pets())), "--no-state").client
    client.call("POST", "/pets", json={"name": "Tom"})
    assert client.call("GET", "/pets").json() == {"items": [REX], "total": 1}
