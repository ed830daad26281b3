"""Doors beside the path: a server that lets in whoever spells the path, a field or the method in another way."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from werkzeug.wrappers import Request

from mockserver.suite.identities.identities import Identity
from tests.faults.small import Answer, Handler, application, checked, commanded

ANN = Identity("ann", token="token-of-ann-0123456789")
SCHEMES: dict[str, dict[str, Any]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "oauth": {"type": "openIdConnect", "openIdConnectUrl": "https://id.example/"},
}
_SPELLINGS, _FIELDS = "other_spellings_are_refused", "forged_fields_are_refused"
_METHODS = "overridden_methods_are_refused"


def _contract(scheme: str = "bearer") -> dict[str, Any]:
    notes = {"type": "array", "items": {"type": "object", "required": ["id", "text"]}}
    shown = {"200": {"description": "", "content": {"application/json": {"schema": notes}}}}
    refused = {"401": {"description": ""}}
    return {
        "paths": {
            "/health": {"get": {"security": [], "responses": {"200": {"description": ""}}}},
            "/notes": {"get": {"responses": shown | refused}},
        },
        "components": {"securitySchemes": {"door": SCHEMES[scheme]}},
        "security": [{"door": []}],
    }


def _knows(call: Request) -> bool:
    """Tell whether a call has Ann's credentials, in any of the schemes."""
    shown = call.authorization
    basic = shown is not None and (shown.username, shown.password) == (ANN.username, ANN.token)
    places = (call.headers.get("X-Key"), call.args.get("key"), call.cookies.get("sid"))
    return basic or call.headers.get("Authorization") == f"Bearer {ANN.token}" or ANN.token in places


def _raw(call: Request) -> str:
    """Return the path as it was sent, as far as WSGI tells it."""
    path: str = call.environ["PATH_INFO"]
    return path


def _server(
    guards: Callable[[Request], bool] = lambda _: True,
    routes: Callable[[Request], str] = _raw,
    elsewhere: Answer = (404, None),
) -> Handler:
    """Return a server that asks for credentials where `guards` says so, and serves what `routes` makes of a call."""

    def answer(call: Request) -> Answer:
        path = routes(call)
        if path == "/health":
            return 200, None
        if path.startswith("/notes") and guards(call) and not _knows(call):
            return 401, None
        if path != "/notes":
            return elsewhere
        return (200, [{"id": 1, "text": "milk"}]) if call.method in {"GET", "HEAD"} else (405, None)

    return answer


def _normalised(call: Request) -> str:
    path = re.sub(r";[^/]*", "", unquote(_raw(call)))
    parts: list[str] = []
    for part in path.lower().split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_server_that_asks_after_it_has_read_the_path_is_right(
    write_contract: Callable[..., Path], scheme: str
) -> None:
    judged = checked(write_contract(**_contract(scheme)), _server(routes=_normalised), ANN)
    assert not judged.at("violation")
    for check in (_SPELLINGS, _FIELDS, _METHODS):
        assert judged.result(check, "GET /notes") == ("passed", ""), check


@pytest.mark.parametrize("scheme", ["bearer", "query", "cookie"])
def test_a_rule_for_one_spelling_guards_no_other(write_contract: Callable[..., Path], scheme: str) -> None:
    server = _server(guards=lambda call: _raw(call).startswith("/notes"), routes=_normalised)
    judged = checked(write_contract(**_contract(scheme)), server, ANN)
    title = "accepted without credentials at another spelling of its path"
    assert judged.at("violation") == [(_SPELLINGS, "GET /notes", title)]
    detail = judged.found[0].detail
    for how in ("a doubled slash", "capital letters", "a segment and `..`", "a public path and `..`"):
        assert how in detail


@pytest.mark.parametrize(
    ("routes", "how"),
    [
        (lambda path: path.rstrip("/"), "a slash at the end"),
        (lambda path: path.partition(";")[0], "a parameter at the end"),
        (str.lower, "capital letters"),
        (lambda path: path.removesuffix(".json"), "an ending"),
        (unquote, "a letter escaped twice"),
    ],
)
def test_each_spelling_is_found_alone(
    write_contract: Callable[..., Path], routes: Callable[[str], str], how: str
) -> None:
    server = _server(guards=lambda call: _raw(call) == "/notes", routes=lambda call: routes(_raw(call)))
    judged = checked(write_contract(**_contract()), server, ANN)
    assert [(one.check, how in one.detail) for one in judged.found if one.level == "violation"] == [(_SPELLINGS, True)]


@pytest.mark.parametrize("page", [{"welcome": True}, b"<html>Welcome</html>", []])
def test_one_page_for_every_path_is_no_door(write_contract: Callable[..., Path], page: Any) -> None:
    media = {"Content-Type": "text/html" if isinstance(page, bytes) else "application/json"}
    judged = checked(write_contract(**_contract()), _server(elsewhere=(200, page, media)), ANN)
    assert not judged.at("violation")


_FORGED: dict[str, Callable[[Request], bool]] = {
    "X-Forwarded-For: 127.0.0.1": lambda call: call.headers.get("X-Forwarded-For") == "127.0.0.1",
    "X-Real-IP: 127.0.0.1": lambda call: "X-Real-IP" in call.headers,
    "X-Forwarded-User: ann": lambda call: call.headers.get("X-Forwarded-User") == "ann",
    "X-Original-URL: /health": lambda call: call.headers.get("X-Original-URL") == "/health",
}


@pytest.mark.parametrize("how", _FORGED)
def test_a_field_that_anybody_can_send_opens_a_door(write_contract: Callable[..., Path], how: str) -> None:
    judged = checked(write_contract(**_contract()), _server(guards=lambda call: not _FORGED[how](call)), ANN)
    assert judged.at("violation") == [(_FIELDS, "GET /notes", "accepted without credentials with forged fields")]
    assert judged.found[0].detail.endswith(f"by {how}")
    assert judged.found[0].evidence is not None
    assert len(judged.found[0].evidence.request.fields) == 2


@pytest.mark.parametrize("field", ["X-Original-URL", "X-Rewrite-URL"])
def test_a_field_that_leads_to_another_path_opens_a_door(write_contract: Callable[..., Path], field: str) -> None:
    server = _server(
        guards=lambda call: _raw(call) == "/notes", routes=lambda call: call.headers.get(field) or _raw(call)
    )
    judged = checked(write_contract(**_contract()), server, ANN)
    assert [one.check for one in judged.found if one.level == "violation"] == [_FIELDS]
    assert f"/health with {field}: /notes" in judged.found[0].detail


def test_a_method_that_a_field_names_opens_a_door(write_contract: Callable[..., Path]) -> None:
    def answer(call: Request) -> Answer:
        method = call.headers.get("X-HTTP-Method-Override", call.method)
        if call.path == "/health":
            return 200, None
        if call.path != "/notes" or method != "GET":
            return 404, None
        return (401, None) if call.method == "GET" and not _knows(call) else (200, [{"id": 1, "text": "milk"}])

    judged = checked(write_contract(**_contract()), answer, ANN)
    assert [one.check for one in judged.found if one.level == "violation"] == [_METHODS]


def test_a_preflight_is_no_door_to_what_is_empty(write_contract: Callable[..., Path]) -> None:
    def answer(call: Request) -> Answer:
        if call.path != "/notes" or call.method == "OPTIONS":
            return (204 if call.method == "OPTIONS" else 404), None
        return (204, None) if _knows(call) else (401, None)

    judged = checked(write_contract(**_contract()), answer, ANN)
    assert _METHODS not in {one.check for one in judged.found}


def test_a_base_path_has_other_spellings_too(write_contract: Callable[..., Path], tmp_path: Path) -> None:
    def answer(call: Request) -> Answer:
        # As `if path.startswith("/api")` before a router that knows no capitals.
        if call.path.startswith("/api") and not _knows(call):
            return 401, None
        found = (call.path.lower(), call.method) == ("/api/v1/notes", "GET")
        return (200, [{"id": 1, "text": "milk"}]) if found else (404, None)

    contract = write_contract(**_contract())
    people = tmp_path / "people.yaml"
    people.write_text(f"identities: [{{username: ann, token: {ANN.token}}}]", encoding="utf-8")
    told = commanded(
        "check",
        application(answer),
        tmp_path,
        base="/api/v1",
        contract=contract,
        identities=people,
        only=("GET /notes",),
    )
    assert [one["check"] for one in told.report["findings"] if one["level"] == "violation"] == [_SPELLINGS]
    found = next(one for one in told.report["findings"] if one["check"] == _SPELLINGS)
    assert "capital letters, in /api/v1" in found["detail"]
    assert "/API/V1/notes" in found["reproduce"]


def test_head_is_tried_where_another_method_is_public(write_contract: Callable[..., Path]) -> None:
    document = _contract()
    document["paths"]["/notes"]["post"] = {"security": [], "responses": {"400": {"description": ""}}}
    inner = _server(guards=lambda call: call.method == "GET")
    judged = checked(
        write_contract(**document), lambda call: (400, None) if call.method == "POST" else inner(call), ANN
    )
    assert [one.check for one in judged.found if one.level == "violation"] == [_METHODS]
    right = checked(
        write_contract(**document), lambda call: (400, None) if call.method == "POST" else _server()(call), ANN
    )
    assert not right.at("violation")


def test_an_open_door_is_one_finding(write_contract: Callable[..., Path]) -> None:
    judged = checked(write_contract(**_contract()), _server(guards=lambda _: False), ANN)
    assert [one[0] for one in judged.at("violation")] == [
        "calls_without_credentials_are_refused",
        "undefined_methods_ask_for_credentials",
    ]
