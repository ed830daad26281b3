"""`servers` of a path or an operation: its requests go to their path, at the target's host."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.server import serving
from tests.faults.small import Answer, application

ITEM = {"200": {"description": "d", "content": {"application/json": {"schema": {"type": "object"}}}}}


def document(root: str | None, path: str, operation: str) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        **({"servers": [{"url": root}]} if root else {}),
        "paths": {
            "/usual": {"get": {"responses": ITEM}},
            "/path": {"servers": [{"url": path}], "get": {"responses": ITEM}},
            "/own": {"servers": [{"url": path}], "get": {"servers": [{"url": operation}], "responses": ITEM}},
        },
    }


@pytest.mark.parametrize("name", ["check", "fuzz"])
@pytest.mark.parametrize(
    ("servers", "base", "places"),
    [
        (("https://a.example/v1", "https://b.example/v2", "/v3/"), "/v1", ["/v1/usual", "/v2/path", "/v3/own"]),
        (("/v1", "/v2", "/"), "/gate/v1", ["/gate/v1/usual", "/gate/v2/path", "/gate/own"]),
        (("/v1", "/v2", "/v1"), "", ["/usual", "/v2/path", "/own"]),
        ((None, "/v2", "/v3"), "", ["/usual", "/v2/path", "/v3/own"]),
    ],
    ids=["v1", "gate", "elsewhere", "none"],
)
def test_requests_go_to_the_servers_of_their_operation(
    name: str,
    servers: tuple[str | None, str, str],
    base: str,
    places: list[str],
    command: Callable[..., CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    (tmp_path / "c.json").write_text(json.dumps(document(*servers)), encoding="utf-8")
    asked: set[str] = set()

    def handler(call: Request) -> Answer:
        asked.add(call.path)
        if call.path not in places:
            return 404, None
        return (200, []) if call.method == "GET" else (405, None, {"Allow": "GET"})

    few = ["--max-examples=2"] * (name == "fuzz")
    with serving(application(handler)) as url:
        done = command(name, url + base, "--contract=c.json", "--no-oracle", "--report=json=r.json", *few)
    assert "3 of 3 operations succeeded" in done.stdout
    assert asked >= set(places)
    assert asked.isdisjoint({f"{base}/path", f"{base}/own", "/usual"} - set(places))
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["findings"]
    shown = [one for one in found if one["operation"] == "GET /own" and one["check"] == "body_conforms_to_its_schema"]
    assert shown[0]["reproduce"].endswith(f"{url}{places[2]}")
