"""Path parameters that nobody declares are given any text, and told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.hostile import hostile


def test_an_undeclared_path_parameter_does_not_end_a_run(
    write_contract: Callable[..., Path], command: Callable[..., Any], tmp_path: Path
) -> None:
    content = {"application/json": {"schema": {"type": "object"}}}
    responses = {"200": {"description": "ok", "content": content}}
    parameter = {"name": "b", "in": "path", "required": True, "schema": {"type": "int"}}
    path = write_contract(
        {
            "/": {"get": {"responses": responses}},
            "/a/{id}": {"get": {"responses": responses}},
            "/b/{b}": {"get": {"parameters": [parameter], "responses": responses}},
        }
    )
    report = tmp_path / "report.json"
    with hostile("right") as url:
        done = command("check", url, "--contract", str(path), "--no-oracle", "--report", f"json={report}")
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(report.read_text())
    assert document["run"]["error"] == ""
    assert document["run"]["operations_succeeded"] == 3
    assert any("GET /a/{id}" in note and "id" in note for note in document["run"].get("notes", document.get("notes")))
