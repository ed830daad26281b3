"""One mistake of a server is one cause, on however many operations it shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request

from tests.faults.small import Answer, checked, content_of

NAMES = ("birds", "boats", "books")


def _paths() -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "maxLength": 9, "examples": ["Ann"]}},
    }
    content = {"application/json": {"schema": schema}}
    error = {"application/json": {"schema": {"type": "object"}}}
    refusals = {status: {"description": "", "content": error} for status in ("400", "404", "415", "422")}
    answers = {"200": {"description": "", "content": content}, **refusals}
    body = {"required": True, "content": content}
    return {f"/{name}": {"post": {"requestBody": body, "responses": answers}} for name in NAMES}


def _answer(call: Request) -> Answer:
    """Answer by what the path asks for: `null` for a name, a crash for a wrong type, limits that are not kept."""
    sent = content_of(call) if call.mimetype == "application/json" else None
    if call.path.strip("/") not in NAMES or call.method != "POST":
        return 404, {}
    if not isinstance(sent, dict) or "name" not in sent:
        return 422, "no object"
    if not isinstance(sent["name"], str):
        return 500, {}
    return 200, {"name": None if sent["name"] == "Ann" else sent["name"]}


def test_what_was_expected_and_seen_is_the_cause(write_contract: Callable[..., Path]) -> None:
    judged = checked(write_contract(_paths()), _answer)
    operations: dict[str, set[str]] = {}
    for finding in judged.found:
        operations.setdefault(finding.cause, set()).add(finding.operation)
    every = {f"POST /{name}" for name in NAMES}
    for cause in (
        "null is sent where the contract allows none",
        "requests with a value beyond a limit are accepted",
        "the server fails with 500 for a value of another type",
    ):
        assert operations.get(cause) == every, (cause, sorted(operations))
    undefined = operations["undefined methods are refused with 404, not with 405"]
    assert {label.partition(" ")[2] for label in undefined} == {f"/{name}" for name in NAMES}
