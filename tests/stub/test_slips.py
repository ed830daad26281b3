"""What a contract has mended, or cannot be served of it, is said at the start and by `inspect`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mockserver.contract.reading.document import load_contract
from mockserver.stub.examples.slips import slips
from tests.conftest import Client, Serve

Write = Callable[..., Path]
MOMENT = {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}


def _get(**media_type: Any) -> dict[str, Any]:
    content = {"application/json": media_type}
    return {"get": {"responses": {"200": {"description": "", "content": content}}}}


def _contract(write_contract: Write) -> Path:
    return write_contract(
        {
            "/slip": _get(schema=MOMENT, examples={"one": {"value": {"at": "2020-01-02"}}}),
            "/right": _get(schema=MOMENT, example={"at": "2020-01-02T00:00:00Z"}),
            "/none": _get(schema=False),
            "/closest": _get(schema={"type": "object", "required": ["a"], "properties": {"a": False}}),
            "/made": _get(schema=MOMENT),
        }
    )


def test_each_slip_is_told_once_with_its_place(write_contract: Write) -> None:
    found = {slip.operation.path: slip for slip in slips(load_contract(_contract(write_contract)))}
    assert list(found) == ["/slip", "/none", "/closest"]
    assert found["/slip"].pointer == "/paths/~1slip/get/responses/200/content/application~1json/examples/one"
    assert "example one breaks its schema at /at" in found["/slip"].message
    assert "it is mended there" in found["/slip"].message
    assert "cannot be served" in found["/none"].message


def test_the_start_and_inspect_tell_of_slips(write_contract: Write, serve: Serve, command: Any) -> None:
    path = _contract(write_contract)
    log = serve("--contract", str(path)).log()
    assert "the example one breaks its schema at /at" in log
    report = json.loads(command("inspect", "--contract", str(path), "--json").stdout)
    assert [entry["operation"] for entry in report["slips"]] == ["GET /slip", "GET /none", "GET /closest"]
    assert "Mended, or not served:" in command("inspect", "--contract", str(path)).stdout


def test_a_name_that_is_required_twice_is_required(write_contract: Write, make_stub: Callable[..., Client]) -> None:
    schema = {"type": "object", "required": ["a", "b", "a"], "properties": {"a": {"const": 1}, "b": {"const": 2}}}
    assert make_stub(write_contract({"/a": _get(schema=schema)})).call("GET", "/a").json() == {"a": 1, "b": 2}
