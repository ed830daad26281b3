"""A contract of five operations and a server that keeps it, or breaks it in one way: for runs that take a second."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request

from tests.faults.server import serving
from tests.faults.small import Answer, application, content_of

_NOTE = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "maxLength": 40, "examples": ["milk"]},
        "count": {"type": "integer", "minimum": 0, "maximum": 100},
    },
}
_SHOWN = {
    "type": "object",
    "required": ["id", "text"],
    "properties": {"id": {"type": "integer"}, "text": {"type": "string"}, "count": {"type": "integer"}},
}
_REFUSAL = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def _response(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "d", "content": {"application/json": {"schema": schema}}}


_REFUSED = {status: _response(_REFUSAL) for status in ("400", "401", "404", "405", "413", "415", "422")}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 99_999}}
_TITLE = {
    "type": "object",
    "required": ["title"],
    "additionalProperties": False,
    "properties": {"title": {"type": "string", "maxLength": 40, "examples": ["mine", "ours"]}},
}


def _setting(role: str) -> dict[str, str]:
    return {"handler": "setting", "resource": "title", "role": role, "value": ""}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Notes", "version": "1"},
    "paths": {
        "/notes": {
            "post": {
                "operationId": "create",
                "requestBody": {"required": True, "content": {"application/json": {"schema": _NOTE}}},
                "responses": {"201": _response(_SHOWN), **_REFUSED},
            },
        },
        "/title": {
            "get": {
                "operationId": "read_title",
                "x-mockserver-behaviour": _setting("read"),
                "responses": {"200": _response(_TITLE), **_REFUSED},
            },
            "put": {
                "operationId": "write_title",
                "x-mockserver-behaviour": _setting("write"),
                "requestBody": {"required": True, "content": {"application/json": {"schema": _TITLE}}},
                "responses": {"200": _response(_TITLE), **_REFUSED},
            },
        },
        "/notes/{id}": {
            "parameters": [_ID],
            "get": {"operationId": "read", "responses": {"200": _response(_SHOWN), **_REFUSED}},
            "delete": {"operationId": "remove", "responses": {"204": {"description": "gone"}, **_REFUSED}},
        },
    },
}


def write(folder: Path, *, secured: bool = False) -> Path:
    """Write the contract into a folder, on request one that asks for a bearer token, and return its path."""
    scheme = {"components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}}
    path = folder / "notes.json"
    document = {**DOCUMENT, **scheme, "security": [{"token": []}]} if secured else DOCUMENT
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


class Notes:
    """A server of notes, of which 9,999 are there from the start.

    Attributes:
        token: the bearer token that is asked for, "" for none.
        fault: "" for none; "text" gives a number as text, "crash" fails on what is not ASCII, "lost" forgets the
            title that was written, "greedy" takes any content.
    """

    def __init__(self, fault: str = "", token: str = "") -> None:
        self.fault = fault
        self.token = token
        self._items: dict[int, dict[str, Any]] = {key: {"id": key, "text": "old"} for key in range(1, 10_000)}
        self._kept = {"title": "mine"}
        self._lock = threading.Lock()
        self._next = 9_999

    def __call__(self, call: Request) -> Answer:
        """Answer one request."""
        parts = call.path.strip("/").split("/")
        if self.token and call.headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"error": "token"}, {"WWW-Authenticate": "Bearer"}
        if call.path == "/title":
            return self._title(call)
        if parts[0] != "notes" or len(parts) > 2 or call.path.rstrip("/") != call.path:
            return 404, {"error": "no such path"}
        if len(parts) == 1:
            return self._create(call) if call.method == "POST" else _wrong_method("POST")
        if call.method not in ("GET", "HEAD", "DELETE"):
            return _wrong_method("GET, HEAD, DELETE")
        if not parts[1].isascii() or not parts[1].isdecimal() or not 1 <= int(parts[1]) <= 99_999 or parts[1][0] == "0":
            return 422, {"error": "id"}
        with self._lock:
            found = self._items.get(int(parts[1]))
            if found is None:
                return 404, {"error": "no such note"}
            if call.method == "DELETE":
                del self._items[int(parts[1])]
                return 204, None
            return 200, {**found, "id": str(found["id"])} if self.fault == "text" else found

    def _title(self, call: Request) -> Answer:
        if call.method in ("GET", "HEAD"):
            return 200, self._kept
        if call.method != "PUT":
            return _wrong_method("GET, HEAD, PUT")
        if call.mimetype != "application/json":
            return 415, {"error": "media type"}
        value = content_of(call)
        if not isinstance(value, dict) or value.keys() != {"title"} or not isinstance(value["title"], str):
            return 422, {"error": "title"}
        if len(value["title"]) > 40:
            return 422, {"error": "title"}
        if self.fault != "lost":
            self._kept = value
        return 200, value

    def _create(self, call: Request) -> Answer:
        if call.mimetype != "application/json":
            return 415, {"error": "media type"}
        value = content_of(call)
        if self.fault == "greedy":
            return 201, {"id": self._next, "text": "taken"}
        if not isinstance(value, dict) or not isinstance(text := value.get("text"), str) or len(text) > 40:
            return 422, {"error": "text"}
        count = value.get("count", 0)
        if value.keys() - {"text", "count"} or isinstance(count, bool) or not isinstance(count, int | float):
            return 422, {"error": "count"}
        if count != int(count) or not 0 <= count <= 100:
            return 422, {"error": "count"}
        if self.fault == "crash" and not text.isascii():
            return 500, {"error": "crash"}
        with self._lock:
            self._next += 1
            note = {**value, "id": self._next}
            self._items[self._next] = note
        return 201, note


def _wrong_method(allowed: str) -> Answer:
    return 405, {"error": "method"}, {"Allow": allowed}


@contextmanager
def served(fault: str = "", token: str = "") -> Iterator[str]:
    """Serve notes on a free loopback port, and give the base URL."""
    with serving(application(Notes(fault, token))) as url:
        yield url
