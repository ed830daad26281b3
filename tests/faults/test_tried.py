"""Faults that only show when more is tried than usual values one by one, each beside a server that is right."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from mockserver.suite.identities.identities import Identity
from tests.faults.small import Answer, checked, content_of

_TASK: dict[str, Any] = {
    "type": "object",
    "required": ["title", "level", "kind", "secret"],
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 60},
        "level": {"type": "integer", "minimum": 1, "maximum": 99},
        "kind": {"type": "string", "enum": ["near", "far", "other"]},
        "secret": {"type": "string", "writeOnly": True, "minLength": 16, "example": "Zq3-v8LwT1xBn5Kd"},
    },
}
_SHOWN = {
    "type": "object",
    "required": ["title", "level", "kind"],
    "properties": {name: _TASK["properties"][name] for name in ("title", "level", "kind")},
}
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}}
TOKEN = "tok-9f8E7d6C5b4A3"


def _paths() -> dict[str, Any]:
    def content(schema: Any) -> dict[str, Any]:
        return {"description": "", "content": {"application/json": {"schema": schema}}}

    errors = {status: content(_ERROR) for status in ("400", "401", "404", "405", "415", "422")}
    query = {"name": "text", "in": "query", "schema": {"type": "string", "maxLength": 200}}
    tag = {"headers": {"ETag": {"required": True, "schema": {"type": "string"}}}}
    return {
        "/tasks": {
            "post": {
                "requestBody": {"required": True, "content": {"application/json": {"schema": _TASK}}},
                "responses": {"201": content(_SHOWN), **errors},
            },
            "get": {"responses": {"200": content({"type": "array", "items": _SHOWN}) | tag, **errors}},
        },
        "/echo": {"get": {"parameters": [query], "responses": {"200": content({"type": "object"}), **errors}}},
    }


class Tasks:
    """A server of tasks that keeps the contract, or breaks it in some ways."""

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        self._tasks: list[dict[str, Any]] = []
        self._last = ""
        self._barrier = threading.Barrier(2)

    def __call__(self, call: Request) -> Answer:
        """Answer one request."""
        return self._answer(call)

    def _answer(self, call: Request) -> tuple[int, Any, dict[str, str]]:
        if call.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"error": "token"}, {"WWW-Authenticate": "Bearer"}
        methods = {"/tasks": ["GET", "HEAD", "OPTIONS", "POST"], "/echo": ["GET", "HEAD", "OPTIONS"]}.get(call.path)
        if methods is None:
            return 404, {"error": "path"}, {}
        if call.method not in methods:
            return 405, {"error": "method"}, {"Allow": ", ".join(methods)}
        if call.method == "OPTIONS":
            shown = methods[1:] if "allow" in self.faults else [*methods, "PATCH"] * ("patch" in self.faults) or methods
            return 204, None, {"Allow": ", ".join(shown)}
        if call.path == "/echo":
            return self._echo(call)
        if call.method == "POST":
            return self._create(call)
        digest = hashlib.sha256(repr(self._tasks).encode()).hexdigest()
        tag = '"always"' if "etag" in self.faults else digest if "unquoted" in self.faults else f'"{digest}"'
        fields = {"ETag": tag}
        if "date" in self.faults:
            fields["Date"] = "yesterday"
        if "old" in self.faults:
            fields["Date"] = "Mon, 01 Jan 2001 00:00:00 GMT"
        return 200, self._tasks, fields

    def _echo(self, call: Request) -> tuple[int, Any, dict[str, str]]:
        text = call.args.get("text", "")
        if len(text) > 200:
            return 422, {"error": "text is too long"}, {}
        if "shared" in self.faults:
            self._last = text
            try:
                self._barrier.wait(0.02)  # until another call is there, too
            except threading.BrokenBarrierError:
                self._barrier.reset()
            return 200, {"text": self._last}, {}
        fields = {}
        if "fields" in self.faults:
            lines = f"X-Text: {text}".split("\r\n")
            fields = dict(line.partition(": ")[::2] for line in lines if ": " in line)
        return 200, {"text": text}, fields

    def _create(self, call: Request) -> tuple[int, Any, dict[str, str]]:
        if call.mimetype != "application/json":
            return 415, {"error": "media type"}, {}
        value = content_of(call)
        wrong = self._wrong(call, value)
        if wrong:
            return 422, {"error": f"{wrong} is wrong"}, {}
        shown = {name: value[name] for name in ("title", "level", "kind")}
        secret = value["secret"].encode()
        if "cut" in self.faults:
            shown["title"] = shown["title"].partition("\0")[0] or "x"
        if "digest" in self.faults:
            shown["check"] = hashlib.sha256(secret).hexdigest()
        if "twice" in self.faults:
            shown["check"] = base64.b64encode(base64.b64encode(secret)).decode()
        if "salted" in self.faults:
            salted = base64.b64encode(hashlib.sha1(secret + b"salt").digest() + b"salt").decode()
            shown["check"] = f"{{SSHA}}{salted}"
        if "backwards" in self.faults:
            shown["check"] = value["secret"][::-1]
        if "named" in self.faults:
            shown["passwordHash"] = "c2FsdHlzYWx0"
        self._tasks = [*self._tasks[-3:], {name: shown[name] for name in ("title", "level", "kind")}]
        return 201, shown, {}

    def _wrong(self, call: Request, value: Any) -> str:
        """Return the name of the first member that is wrong, "" if none is."""
        if not isinstance(value, dict) or value.keys() != {"title", "level", "kind", "secret"}:
            return "the content"
        title, level = value["title"], value["level"]
        if "escapes" in self.faults and b"\\u00" in call.get_data() and b"\\u0000" not in call.get_data():
            return "the content"
        if not isinstance(title, str) or not 1 <= len(title) <= 60:
            return "title"
        if "texts" in self.faults and 30 <= len(title) <= 40:
            return "title"
        if isinstance(level, bool) or not isinstance(level, int | float) or level != int(level) or not 1 <= level <= 99:
            return "level"
        if "middle" in self.faults and 40 <= level <= 60:
            return "level"
        if value["kind"] not in ("near", "far", *(["other"] if "enum" not in self.faults else [])):
            return "kind"
        return "" if isinstance(value["secret"], str) and len(value["secret"]) >= 16 else "secret"


_CREATE, _LIST, _ECHO = "POST /tasks", "GET /tasks", "GET /echo"
_BOUNDS, _SECRET = "values_within_the_bounds_are_accepted", "no_secret_comes_back"
#: Fault to the check, the operation and the level by which it is told.
_FAULTS = {
    "middle": (_BOUNDS, _CREATE, "violation"),
    "texts": (_BOUNDS, _CREATE, "violation"),
    "enum": (_BOUNDS, _CREATE, "violation"),
    "cut": ("control_characters_come_back_as_sent", _CREATE, "violation"),
    "fields": ("values_do_not_become_fields", _ECHO, "violation"),
    "escapes": ("escaped_json_is_understood", _CREATE, "drift"),
    "shared": ("parallel_calls_keep_apart", _ECHO, "violation"),
    "allow": ("options_tell_the_methods", "OPTIONS /tasks", "drift"),
    "patch": ("options_tell_the_methods", "OPTIONS /tasks", "drift"),
    "etag": ("entity_tags_follow_the_content", _LIST, "violation"),
    "unquoted": ("fields_keep_to_their_form", _LIST, "violation"),
    "date": ("fields_keep_to_their_form", _LIST, "drift"),
    "old": ("fields_keep_to_their_form", _LIST, "drift"),
    "digest": (_SECRET, _CREATE, "violation"),
    "twice": (_SECRET, _CREATE, "violation"),
    "salted": (_SECRET, _CREATE, "violation"),
    "backwards": (_SECRET, _CREATE, "violation"),
    "named": (_SECRET, _CREATE, "violation"),
}


#: Faults that do not hide each other, in one server.
_SERVERS = [
    ("middle", "cut", "fields", "allow", "etag", "digest"),
    ("texts", "escapes", "shared", "patch", "unquoted", "twice"),
    ("enum", "date", "salted"),
    ("old", "backwards"),
    ("named",),
]


def _judged(write_contract: Callable[..., Path], *faults: str) -> Any:
    scheme = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
    path = write_contract(_paths(), components=scheme, security=[{"token": []}])
    return checked(path, Tasks(*faults), Identity("me", token=TOKEN))


def test_a_server_that_is_right_is_kept(write_contract: Callable[..., Path]) -> None:
    judged = _judged(write_contract)
    assert judged.at("violation") == []
    assert judged.at("drift") == []
    checks = {check for check, _, _ in _FAULTS.values()} | {"head_is_like_get"}
    assert checks - {row.check for row in judged.coverage if row.result == "passed"} == set()


@pytest.mark.parametrize("faults", _SERVERS)
def test_faults_are_told(write_contract: Callable[..., Path], faults: tuple[str, ...]) -> None:
    judged = _judged(write_contract, *faults)
    told = {(*found[:2], level) for level in ("violation", "drift") for found in judged.at(level)}
    expected = {_FAULTS[fault] for fault in faults}
    assert expected - told == set()
    assert {found for found in told - expected if found[2] == "violation"} == set()


def test_every_fault_is_planted() -> None:
    assert sorted(fault for faults in _SERVERS for fault in faults) == sorted(_FAULTS)
