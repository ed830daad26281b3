"""What was deleted and is still there is a fault only where the contract says what a DELETE takes away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.stub.app import create_app
from tests.faults.small import commanded

GIST = {"name": "gist", "in": "path", "required": True, "schema": {"type": "integer"}}


def _answer(schema: Any) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def _paths(schema: Any) -> dict[str, Any]:
    """Return gists, with something in each that can be read and deleted; links lead there."""
    there = {"responses": {"200": _answer(schema), "404": {"description": "not there"}}}
    made = _answer({"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}})
    to = {"parameters": {"gist": "$response.body#/id"}}
    made["links"] = {name: {"operationId": name, **to} for name in ("readPart", "deletePart")}
    return {
        "/gists": {"post": {"operationId": "create", "responses": {"201": made}}},
        "/gists/{gist}/part": {
            "parameters": [GIST],
            "get": {"operationId": "readPart", **there},
            "delete": {"operationId": "deletePart", **there},
        },
    }


@pytest.mark.parametrize(
    ("schema", "code"), [({"type": "object"}, 1), ({"type": "array"}, 0)], ids=["one thing", "a list"]
)
def test_what_is_still_there(write_contract: Callable[..., Path], tmp_path: Path, schema: Any, code: int) -> None:
    path = write_contract(_paths(schema))
    server = create_app(path, no_state=True).wsgi_app
    told = commanded("fuzz", server, tmp_path, contract=path, max_examples=20)
    assert told.exit_code == code, told.page
    assert ("use_after_free" in told.page.partition("checks,")[0]) == bool(code), told.page
