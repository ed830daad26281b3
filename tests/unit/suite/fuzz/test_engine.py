"""What schemathesis can make no request for is told, and ends nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _get(schema: Any) -> dict[str, Any]:
    parameter = {"name": "q", "in": "query", "required": True, "schema": schema}
    return {"get": {"parameters": [parameter], "responses": {"200": {"description": ""}, "400": {"description": ""}}}}


def test_an_operation_that_cannot_be_generated_for_is_not_run_and_the_others_are(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    impossible = {"type": "string", "allOf": [{"minLength": 3}, {"maxLength": 2}]}
    path = tmp_path / "contract.json"
    paths = {"/a": _get({"type": "integer"}), "/b": _get(impossible)}
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}))
    done = command("fuzz", "--contract", str(path), "--max-examples", "2")
    assert done.returncode == 0, done.stdout
    assert "fuzz on GET /b, because schemathesis cannot generate a request" in " ".join(done.stdout.split())
