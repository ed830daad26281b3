"""Failures of a server that its contract documents, and 501 to a method that its contract lacks, are no faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.small import Answer, checked, fuzzed

ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def _jobs(failure: str) -> dict[str, Any]:
    """Return jobs that can be listed and ended; both may fail in one way."""
    failed = {failure: {"description": "", "content": {"application/json": {"schema": ERROR}}}}
    number = {"name": "job", "in": "path", "required": True, "schema": {"type": "integer"}}
    return {
        "/jobs": {"get": {"responses": {"200": {"description": "all"}, **failed}}},
        "/jobs/{job}": {"delete": {"parameters": [number], "responses": {"204": {"description": "ended"}, **failed}}},
    }


def _failing(status: int) -> Callable[[Request], Answer]:
    def answer(call: Request) -> Answer:
        known = (call.method, call.path.count("/")) in {("GET", 1), ("DELETE", 2)} and call.path.startswith("/jobs")
        return (status, {"error": "no worker is there"}) if known else (404, {})

    return answer


@pytest.mark.parametrize("run", [checked, fuzzed])
@pytest.mark.parametrize(
    ("documented", "status", "violations"),
    [("501", 501, False), ("500", 500, False), ("5XX", 503, False), ("default", 500, True), ("501", 500, True)],
)
def test_a_5xx(
    write_contract: Callable[..., Path], run: Callable[..., Any], documented: str, status: int, violations: bool
) -> None:
    judged = run(write_contract(_jobs(documented)), _failing(status))
    failed = {(check, operation) for check, operation, _ in judged.at("violation")}
    assert (("no_server_error", "GET /jobs") in failed) is violations
    assert failed <= (
        {("no_server_error", "GET /jobs"), ("no_server_error", "DELETE /jobs/{job}")} if violations else set()
    )


@pytest.mark.parametrize("run", [checked, fuzzed])
@pytest.mark.parametrize(("status", "violations"), [(501, False), (500, True)])
def test_a_method_that_the_contract_lacks(
    write_contract: Callable[..., Path], run: Callable[..., Any], status: int, violations: bool
) -> None:
    path = write_contract({"/a": {"get": {"responses": {"200": {"description": ""}}}}})
    judged = run(path, lambda call: (200 if call.path == "/a" else 404, None) if call.method == "GET" else (status, {}))
    assert bool(judged.at("violation")) is violations
