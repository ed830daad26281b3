"""An API of a stranger with a login and a setting: no member of its messages is called as in the built-in contract.

`create` gives its server, whose faults are named by words: one server for each claim that the suite must not miss.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request

from mockserver.suite.identities.identities import Identity
from tests.faults.small import Answer, content_of

SECRETS = {"olga": "Sesame-open-the-door-4711", "mike": "Correct-horse-battery-0815"}
RANKS = {"olga": "owner", "mike": "member"}
KEYS = {"olga": "kO3fXw9TzLq2VbN7mYc4", "mike": "kM8sRd5GhPj1WxE6uQa0"}
IDENTITIES = tuple(Identity(name, KEYS[name], SECRETS[name], RANKS[name]) for name in KEYS)

_TEXT = {"type": "string"}
_THEME = {
    "type": "object",
    "required": ["colour"],
    "additionalProperties": False,
    "properties": {"colour": {"type": "string", "minLength": 1, "maxLength": 40}},
}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _answer(schema: Any, example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "examples": {"usual": {"value": example}}}}
    return {"description": "ok", "content": content}


def _operation(name: str, behaviour: dict[str, Any], responses: dict[str, Any], **members: Any) -> dict[str, Any]:
    refusals = {code: {"description": "refused"} for code in ("400", "401", "403", "415") if code not in responses}
    return {
        "operationId": name,
        "x-mockserver-behaviour": {**behaviour, "x-source": "the manual"},
        "responses": {**responses, **refusals},
        **members,
    }


def _session(role: str, **members: Any) -> dict[str, Any]:
    token = {"key": {**_TEXT, "x-secret": "issued"}} if role == "issue" else {}
    shown = {"key": "kZ1aaaaaaaaaaaaaaaaa"} if role == "issue" else {}
    schema = _object(ticket=_object(**token, bearer=_TEXT, rank={"enum": ["owner", "member"]}))
    answer = _answer(schema, {"ticket": {**shown, "bearer": "olga", "rank": "owner"}})
    return _operation(f"session_{role}", {"handler": "auth", "role": role}, {"200": answer}, **members)


def _theme(role: str, state: str, **members: Any) -> dict[str, Any]:
    value = {} if role == "reset" else {"chosen": _THEME}
    example = {} if role == "reset" else {"chosen": {"colour": "green"}}
    schema = _object(preference=_object(topic=_TEXT, progress={"enum": ["queued", "live"]}, **value))
    answer = _answer(schema, {"preference": {"topic": "theme", "progress": state, **example}})
    place = {} if role == "reset" else {"value": "/preference/chosen"}
    behaviour = {"handler": "setting", "role": role, "resource": "theme", "status": "/preference/progress", **place}
    unset = {"404": {"description": "nobody has chosen one"}} if role == "read" else {}
    return _operation(
        f"theme_{role}", behaviour, {"200": answer, **unset}, **{"x-mockserver-levels": ["owner"]}, **members
    )


def _sent(schema: Any, example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "examples": {"usual": {"value": example}}}}
    return {"required": True, "content": content}


_MEMBERS = ("client", "handle", "magic")
_CREDENTIALS = _object(client=_TEXT, handle=_TEXT, magic={**_TEXT, "format": "password", "writeOnly": True})
#: The paths of its contract.
PATHS: dict[str, Any] = {
    "/tickets": {
        "post": _session(
            "issue",
            security=[],
            requestBody=_sent(_CREDENTIALS, {"client": "web", "handle": "olga", "magic": "Open-sesame-0000"}),
        ),
        "get": _session("describe"),
        "delete": _session("revoke", **{"x-mockserver-effect": "credentials"}),
    },
    "/preferences/theme": {
        "get": _theme("read", "live"),
        "put": _theme("write", "queued", requestBody=_sent(_THEME, {"colour": "green"})),
        "delete": _theme("reset", "queued"),
    },
}
#: What else its contract says.
MEMBERS: dict[str, Any] = {
    "x-mockserver-levels": ["owner", "member"],
    "security": [{"ticket": []}],
    "components": {"securitySchemes": {"ticket": {"type": "http", "scheme": "bearer"}}},
}


def write_identities(folder: Path) -> Path:
    """Write the accounts of the server as `--identities` takes them."""
    path = folder / "identities.yaml"
    known = [{"username": name, "token": KEYS[name], "password": SECRETS[name], "level": RANKS[name]} for name in KEYS]
    path.write_text(json.dumps({"identities": known}), encoding="utf-8")
    return path


def create(faults: Collection[str] = ()) -> Callable[[Request], Answer]:
    """Return the handler of a server that keeps the contract, but for its faults."""
    return _Server(frozenset(faults))


class _Server:
    def __init__(self, faults: frozenset[str]) -> None:
        self._faults = faults
        self._holders = {key: name for name, key in KEYS.items()}
        self._theme: Any = None

    def __call__(self, call: Request) -> Answer:
        known = [method.upper() for method in PATHS.get(call.path, ())]
        if not known:
            return 404, None
        if call.method not in known:
            return 405, None, {"Allow": ", ".join(known)}
        if call.method in {"POST", "PUT"} and call.mimetype != "application/json":
            return 415, None
        if call.method == "POST":
            return self._log_in(content_of(call))
        scheme, _, key = call.headers.get("Authorization", "").partition(" ")
        name = self._holders.get(key) if scheme == "Bearer" else None
        if name is None:
            return 401, None, {"WWW-Authenticate": "Bearer"}
        return self._ticket(call, name, key) if call.path == "/tickets" else self._preference(call, name)

    def _log_in(self, sent: Any) -> Answer:
        if not isinstance(sent, dict) or not all(isinstance(sent.get(one), str) for one in _MEMBERS):
            return 400, None
        name = sent["handle"]
        right = SECRETS.get(name) == sent["magic"] or ("any password" in self._faults and name in SECRETS)
        if not right:
            return 401, None, {"WWW-Authenticate": "Bearer"}
        key = secrets.token_urlsafe(20)
        if "dead key" not in self._faults:
            self._holders[key] = name
        return 200, {"ticket": {"key": key, **self._told(name)}}

    def _told(self, name: str) -> dict[str, str]:
        rank = "member" if "lowest rank told" in self._faults else RANKS[name]
        return {"bearer": "mike" if "another bearer told" in self._faults else name, "rank": rank}

    def _ticket(self, call: Request, name: str, key: str) -> Answer:
        if call.method == "DELETE" and "key lives on" not in self._faults:
            del self._holders[key]
        return 200, {"ticket": self._told(name)}

    def _preference(self, call: Request, name: str) -> Answer:
        if RANKS[name] != "owner" and "any rank" not in self._faults:
            return 403, None
        topic = "font" if "another topic" in self._faults else "theme"
        if call.method == "GET":
            shown = {"topic": topic, "progress": "live", "chosen": self._theme}
            return (404, None) if self._theme is None else (200, {"preference": shown})
        if call.method == "DELETE":
            self._theme = None
            return 200, {"preference": {"topic": topic, "progress": "queued"}}
        sent = content_of(call)
        if not isinstance(sent, dict) or set(sent) != {"colour"} or not _is_colour(sent["colour"]):
            return 400, None
        if "nothing stored" not in self._faults:
            self._theme = sent
        echo = {"colour": "grey"} if "other echo" in self._faults else sent
        return 200, {"preference": {"topic": topic, "progress": "queued", "chosen": echo}}


def _is_colour(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 40
