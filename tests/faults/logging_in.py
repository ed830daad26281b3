"""Servers that ask for a login in the ways that people meet, each in a few lines, all with the same notes behind it.

::

    TokenServer      OAuth 2.0: client credentials, password, refresh tokens that are used once, tokens that expire
    SessionServer    as Django does it: a cookie, a CSRF cookie, 403 to whoever has none
    JsonLogin        a JSON login that gives a bearer token
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request

from tests.faults.small import Answer, content_of

CLIENT, SECRET, PASSWORD = "ci-client", "s3cret-of-the-client", "correct-horse-battery"
_NOTE = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "maxLength": 40, "examples": ["milk"]}},
}
_SHOWN = {**_NOTE, "required": ["id", "text"], "properties": {**_NOTE["properties"], "id": {"type": "integer"}}}  # type: ignore[dict-item]  # a dict
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 99_999}}


def _response(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "d", "content": {"application/json": {"schema": schema}}}


def contract(folder: Path, scheme: dict[str, Any], login: dict[str, Any] | None = None, base: str = "") -> Path:
    """Write the contract of the notes, secured by one scheme, with operations for logging in."""
    refused = {
        status: _response({"type": "object"}) for status in ("400", "401", "403", "404", "405", "413", "415", "422")
    }
    body = {"required": True, "content": {"application/json": {"schema": _NOTE}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Notes", "version": "1"},
        "servers": [{"url": base or "/"}],
        "security": [{"it": []}],
        "components": {"securitySchemes": {"it": scheme}},
        "paths": {
            "/notes": {
                "get": {
                    "operationId": "list",
                    "responses": {"200": _response({"type": "array", "items": _SHOWN}), **refused},
                },
                "post": {
                    "operationId": "create",
                    "requestBody": body,
                    "responses": {"201": _response(_SHOWN), **refused},
                },
            },
            "/notes/{id}": {
                "parameters": [_ID],
                "get": {"operationId": "read", "responses": {"200": _response(_SHOWN), **refused}},
                "delete": {"operationId": "remove", "responses": {"204": {"description": "gone"}, **refused}},
            },
            **(login or {}),
        },
    }
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


class Notes:
    """The notes behind all logins."""

    def __init__(self) -> None:
        self._items: dict[int, dict[str, Any]] = {1: {"id": 1, "text": "old"}}
        self._lock = threading.Lock()
        self._next = 1

    def answer(self, call: Request) -> Answer:
        """Answer a request of somebody who is let in."""
        parts = call.path.strip("/").split("/")
        if parts[0] != "notes" or len(parts) > 2 or call.path != call.path.rstrip("/"):
            return 404, {"error": "no such path"}
        if len(parts) == 1:
            return self._collection(call)
        if call.method not in {"GET", "DELETE"}:
            return 405, {"error": "method"}, {"Allow": "GET, DELETE"}
        key = int(parts[1]) if parts[1].isdecimal() and len(parts[1]) < 6 else 0
        with self._lock:
            found = self._items.get(key)
            if found is None:
                return 404, {"error": "no such note"}
            if call.method == "DELETE":
                del self._items[key]
                return 204, None
        return 200, found

    def _collection(self, call: Request) -> Answer:
        if call.method == "GET":
            return 200, list(self._items.values())
        if call.method != "POST":
            return 405, {"error": "method"}, {"Allow": "GET, POST"}
        if call.mimetype != "application/json":
            return 415, {"error": "JSON alone"}
        if len(call.get_data()) > 10_000:
            return 413, {"error": "too much"}
        value = content_of(call)
        text = value.get("text") if isinstance(value, dict) else None
        if not isinstance(text, str) or len(text) > 40:
            return 422, {"error": "no note"}
        with self._lock:
            self._next += 1
            self._items[self._next] = {"id": self._next, "text": text}
            return 201, self._items[self._next]


class TokenServer:
    """OAuth 2.0 tokens before the notes.

    Attributes:
        issued: how many tokens were given.
        grants: the grant of each token request.
        refused: how many requests came with a token that had been good once.
        spoiled: a fault of the token endpoint, in place of its response.
        moody: operations that always answer 401.
    """

    def __init__(
        self, *, seconds: float = 60, tells: bool = True, refresh: bool = False, careless: bool = False
    ) -> None:
        self.seconds, self.tells, self.refresh, self.careless = seconds, tells, refresh, careless
        self.issued = self.refused = 0
        self.grants: list[str] = []
        self.spoiled: Callable[[], Answer] | None = None
        self.moody: set[tuple[str, str]] = set()
        self._ends: dict[str, float] = {}
        self._refresh = "first-refresh-token"
        self._notes = Notes()
        self._lock = threading.Lock()

    def __call__(self, call: Request) -> Answer:
        """Answer one request."""
        if call.path == "/oauth/token":
            return self._token(call)
        if call.path == "/.well-known/openid-configuration":
            return 200, {"issuer": call.host_url, "token_endpoint": f"{call.host_url}oauth/token"}
        kind, _, token = call.headers.get("Authorization", "").partition(" ")
        good = kind == "Bearer" and token in self._ends
        if good and self._ends[token] <= time.monotonic():
            self.refused += 1
            good = False
        if self.careless and kind == "Bearer" and token:
            good = True
        if not good or (call.method, call.path) in self.moody:
            return 401, {"error": "token"}, {"WWW-Authenticate": "Bearer"}
        return self._notes.answer(call)

    def end_all(self) -> None:
        """End all tokens."""
        self._ends.clear()

    def _token(self, call: Request) -> Answer:
        if call.method != "POST":
            return 405, {"error": "method"}, {"Allow": "POST"}
        if self.spoiled is not None:
            return self.spoiled()
        form = call.form
        self.grants.append(form.get("grant_type", ""))
        pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        in_body = (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        if call.headers.get("Authorization") != f"Basic {pair}" and not in_body:
            return 401, {"error": "invalid_client", "error_description": "Client authentication failed"}
        with self._lock:
            if form.get("grant_type") == "refresh_token":
                if form.get("refresh_token") != self._refresh:
                    return 400, {"error": "invalid_grant"}
            elif form.get("grant_type") == "password" and form.get("password") != PASSWORD:
                return 400, {"error": "invalid_grant"}
            self.issued += 1
            token = f"access-{self.issued:04}-of-this-run"
            self._ends[token] = time.monotonic() + self.seconds
            self._refresh = f"refresh-{self.issued:04}-of-this-run"
        return 200, {
            "access_token": token,
            "token_type": "bearer",
            **({"expires_in": self.seconds} if self.tells else {}),
            **({"refresh_token": self._refresh} if self.refresh else {}),
        }


class SessionServer:
    """Sessions as Django and its REST framework keep them: no credentials, or the wrong ones, are 403.

    Attributes:
        logins: how many sessions were begun.
        lasts: so many requests a session is good for.
        notes: what is behind it.
    """

    def __init__(self, *, lasts: int = 10**9, rotates: bool = False, careless: bool = False) -> None:
        self.lasts, self.rotates, self.careless = lasts, rotates, careless
        self.logins = self.without_csrf = 0
        self._left: dict[str, int] = {}
        self._csrf = "csrf-0000-before-any-login"
        self.notes = Notes()
        self._lock = threading.Lock()

    def __call__(self, call: Request) -> Answer:
        """Answer one request."""
        if call.path == "/accounts/login/":
            return self._login(call)
        with self._lock:
            key = call.cookies.get("sessionid", "")
            left = self._left.get(key, 0)
            self._left[key] = left - 1
            if left <= 0 and not (self.careless and key):
                return 403, {"detail": "Authentication credentials were not provided."}
            if call.method in {"POST", "DELETE", "PUT", "PATCH"}:
                shown = call.headers.get("X-CSRFToken")
                if shown != self._csrf or call.cookies.get("csrftoken") != self._csrf:
                    self.without_csrf += 1
                    return 403, {"detail": "CSRF Failed: CSRF token missing."}
                if self.rotates:
                    self._csrf = f"csrf-{self.logins:04}-{left:04}-rotated"
        status, value, *more = self.notes.answer(call)
        fields = {**(more[0] if more else {}), "Set-Cookie": f"csrftoken={self._csrf}; Path=/; SameSite=Lax"}
        return status, value, fields

    def _login(self, call: Request) -> Answer:
        if call.method == "GET":
            return 200, {"login": "here"}, {"Set-Cookie": f"csrftoken={self._csrf}; Path=/"}
        if call.headers.get("X-CSRFToken") != self._csrf or call.cookies.get("csrftoken") != self._csrf:
            return 403, {"detail": "CSRF Failed"}
        if (call.form.get("username"), call.form.get("password")) != ("ann", PASSWORD):
            return 400, {"detail": "wrong"}
        self.logins += 1
        key = f"session-{self.logins:04}-of-ann-in-this-run"
        with self._lock:
            self._left[key] = self.lasts
        return 302, None, {"Location": "/", "Set-Cookie": f"sessionid={key}; Path=/; HttpOnly"}


class JsonLogin:
    """A JSON login that gives a bearer token, which stays the same as long as it is good."""

    def __init__(self, shape: Callable[[str], Any], *, field: str = "Authorization", prefix: str = "Bearer ") -> None:
        self.shape, self.field, self.prefix = shape, field, prefix
        self.logins = 0
        self._notes = Notes()

    def __call__(self, call: Request) -> Answer:
        """Answer one request."""
        token = "the-token-of-ann-in-this-run"
        if call.path == "/session":
            if call.method != "POST":
                return 405, {"error": "method"}, {"Allow": "POST"}
            if call.mimetype != "application/json":
                return 415, {"error": "JSON alone"}
            value = content_of(call)
            held = value.get("user") if isinstance(value, dict) else None
            if not isinstance(held, dict) or not isinstance(held.get("email"), str):
                return 422, {"error": "no login"}
            if (held.get("email"), held.get("password")) != ("ann@example.com", PASSWORD):
                return 401, {"error": "wrong"}, {"WWW-Authenticate": "Bearer"}
            self.logins += 1
            return 200, self.shape(token)
        if call.headers.get(self.field) != self.prefix + token:
            return 401, {"error": "token"}, {"WWW-Authenticate": "Bearer"}
        return self._notes.answer(call)
