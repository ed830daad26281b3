"""What schemathesis can make no request for is told, and ends nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from mockserver.cli import main


def _get(schema: Any) -> dict[str, Any]:
    parameter = {"name": "q", "in": "query", "required": True, "schema": schema}
    return {"get": {"parameters": [parameter], "responses": {"200": {"description": ""}, "400": {"description": ""}}}}


def test_an_operation_that_cannot_be_generated_for_is_not_run_and_the_others_are(
    tmp_path: Path,
) -> None:
    impossible = {"type": "string", "allOf": [{"minLength": 3}, {"maxLength": 2}]}
    path = tmp_path / "contract.json"
    paths = {"/a": _get({"type": "integer"}), "/b": _get(impossible)}
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}))
    result = CliRunner().invoke(main, ["fuzz", "--contract", str(path), "--max-examples", "2", "--only", "GET /*"])
    assert result.exit_code == 0, result.output
    assert "fuzz on GET /b, because schemathesis can make no request" in result.output
