"""Collections with other people's items: unsafe methods reach only what the run created itself."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.safety.conftest import PATIENCE_SECONDS, REMOTE, Suite
from tests.safety.server import RemoteServer

Environ = dict[str, Any]
_OK = {"description": "ok", "content": {"application/json": {"schema": {"type": "object"}}}}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 9}}
_BODY = {"content": {"application/json": {"schema": {"type": "object", "properties": {"text": {"type": "string"}}}}}}
CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "Notes", "version": "1"},
    "paths": {
        "/notes": {
            "get": {"operationId": "list", "responses": {"200": {"description": "all"}}},
            "post": {"operationId": "create", "requestBody": _BODY, "responses": {"201": _OK, "400": _OK}},
        },
        "/notes/{id}": {
            "parameters": [_ID],
            "get": {"operationId": "show", "responses": {"200": _OK, "404": _OK}},
            "put": {"operationId": "change", "requestBody": _BODY, "responses": {"200": _OK, "400": _OK, "404": _OK}},
            "delete": {"operationId": "remove", "responses": {"204": {"description": "gone"}, "404": _OK}},
        },
        "/notes/{id}/copies": {
            "parameters": [_ID],
            "post": {"operationId": "copy", "responses": {"201": _OK, "404": _OK}},
        },
    },
}


class Notes:
    """Notes 1 to 5 are somebody's; `named` says where a new one's identifier is told."""

    def __init__(self, named: str = "body") -> None:
        self.notes = dict.fromkeys(range(1, 6), "private")
        self.created: list[int] = []
        self._named = named
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            status, value, fields = self._answer(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        body = b"" if value is None else json.dumps(value).encode()
        start_response(f"{status} X", [*fields, *([("Content-Type", "application/json")] if body else [])])
        return [body]

    def _answer(self, method: str, path: str) -> tuple[int, Any, list[tuple[str, str]]]:
        if path == "/notes" and method == "POST":
            number = 100 + len(self.created)
            self.created.append(number)
            self.notes[number] = "made by the run"
            if self._named == "Location":
                return 201, {}, [("Location", f"/notes/{number}")]
            return 201, {"note": {"id": number}}, []
        found = re.fullmatch(r"/notes/(\d+)", path)
        number = int(found[1]) if found else 0
        if number not in self.notes:
            return (200, [], []) if path == "/notes" and method == "GET" else (404, {}, [])
        if method == "DELETE":
            del self.notes[number]
            return 204, None, []
        return (200, {}, []) if method in {"GET", "PUT"} else (405, {}, [("Allow", "GET, PUT, DELETE")])


@pytest.fixture
def contract(tmp_path: Path) -> str:
    path = tmp_path / "notes.json"
    path.write_text(json.dumps(CONTRACT), encoding="utf-8")
    return f"--contract={path}"


@pytest.mark.parametrize(("command", "named"), [("check", "Location"), ("fuzz", "body")])
def test_items_of_others_are_never_touched_and_own_ones_are_deleted(
    suite: Suite, remote: Callable[..., RemoteServer], contract: str, command: str, named: str
) -> None:
    notes = Notes(named)
    server = remote(application=notes)
    writes = ("--allow-writes=*", "--allow-writes=probes", "--allow-writes=copy")
    few = ("--max-examples=3",) * (command == "fuzz")
    done = suite.run(command, server.url, contract, *REMOTE, *writes, *few)
    assert "Traceback" not in done.stderr
    assert notes.created
    assert notes.notes == dict.fromkeys(range(1, 6), "private")
    touched = {entry.path for entry in server.log if entry.method not in {"GET", "HEAD", "OPTIONS", "TRACE"}}
    touched = {path for path in touched if not path.startswith("/undefined-")}  # names that nobody has
    own = tuple(f"/notes/{number}" for number in notes.created)
    assert all(path == "/notes" or path in own or path.startswith(tuple(f"{one}/" for one in own)) for path in touched)
    assert "/notes/100 (deleted)" in done.stdout


@pytest.mark.parametrize("writes", [(), ("--allow-writes=*",)])
def test_on_loopback_the_same_run_reaches_them_where_that_is_allowed(
    suite: Suite, remote: Callable[..., RemoteServer], contract: str, writes: tuple[str, ...]
) -> None:
    notes = Notes()
    server = remote(application=notes)
    if not writes:  # so that identifiers of the run's own notes are valid: Hypothesis looks long for some that are
        path = Path(contract.partition("=")[2])
        path.write_text(path.read_text(encoding="utf-8").replace('"maximum": 9', '"maximum": 999'), encoding="utf-8")
    suite.run("fuzz", server.url, contract, "--no-oracle", "--max-examples=3", "--settle=0.3", *writes)
    assert bool(set(range(1, 6)) - notes.notes.keys()) == bool(writes)


def test_items_of_a_run_that_was_killed_are_deleted_by_restore(
    suite: Suite, remote: Callable[..., RemoteServer], contract: str
) -> None:
    notes = Notes()
    server = remote(application=notes)
    came, go_on = threading.Event(), threading.Event()

    def before(environ: Environ) -> None:
        if environ["REQUEST_METHOD"] == "POST" and len(notes.created) >= 3:
            came.set()
            go_on.wait(PATIENCE_SECONDS)

    server.before = before
    process = suite.start("check", server.url, contract, *REMOTE, "--allow-writes=*")
    try:
        assert came.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        process.communicate()
        server.before = lambda _environ: None
        go_on.set()
    assert len(notes.notes) > 5
    done = suite.run("restore", suite.ledgers[0].name, "--rate=500/s")
    assert {f"  put back: /notes/{number} (deleted)" for number in (100, 101, 102)} <= set(done.stdout.splitlines())
    assert set(range(1, 6)) <= notes.notes.keys()
    assert notes.notes.keys() & {100, 101, 102} == set()
