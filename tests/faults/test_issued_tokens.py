"""Tokens that a login issued: what later logins, failed ones included, do to them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from mockserver.suite.identities.identities import Identity
from tests.faults.small import Answer, Handler, application, checked, commanded, content_of

ANN = Identity("ann", password="password-of-ann-01")
_FAILED, _SECOND = "failed_logins_end_no_tokens", "second_logins_end_no_tokens"
_REVOKED = "revoked_tokens_stay_revoked"


def _contract() -> dict[str, Any]:
    text = {"type": "string"}
    sent = {"type": "object", "required": ["user", "password"], "properties": {"user": text, "password": text}}
    key = {"type": "object", "required": ["key"], "properties": {"key": {**text, "x-secret": "issued"}}}
    refused = {"400": {"description": ""}, "401": {"description": ""}}

    def role(name: str) -> dict[str, Any]:
        return {"x-mockserver-behaviour": {"handler": "auth", "role": name}}

    return {
        "paths": {
            "/session": {
                "post": {
                    **role("issue"),
                    "security": [],
                    "requestBody": {"required": True, "content": {"application/json": {"schema": sent}}},
                    "responses": {
                        "200": {"description": "", "content": {"application/json": {"schema": key}}},
                        **refused,
                    },
                },
                "delete": {
                    **role("revoke"),
                    "x-mockserver-effect": "credentials",
                    "responses": {"204": {"description": ""}, **refused},
                },
            },
            "/me": {"get": {"responses": {"200": {"description": ""}, **refused}}},
        },
        "components": {"securitySchemes": {"door": {"type": "http", "scheme": "bearer"}}},
        "security": [{"door": []}],
    }


def _server(fault: str = "") -> Handler:
    good: set[str] = set()
    revoked: set[str] = set()
    numbers = itertools.count(1)

    def answer(call: Request) -> Answer:
        token = call.headers.get("Authorization", "").removeprefix("Bearer ")
        if (call.path, call.method) == ("/session", "POST"):
            sent = content_of(call)
            if not isinstance(sent, dict) or {"user", "password"} - sent.keys():
                return 400, None
            if (sent["user"], sent["password"]) != (ANN.username, ANN.password):
                if fault == _FAILED and sent["user"] == ANN.username:
                    good.clear()
                return 401, None
            if fault == _SECOND:
                good.clear()
            if fault == _REVOKED:
                good.update(revoked)
            good.add(token := f"issued-token-{next(numbers)}-of-ann")
            return 200, {"key": token}
        if (call.path, call.method) not in {("/session", "DELETE"), ("/me", "GET")}:
            return 404, None
        if token not in good:
            return 401, None
        if call.method == "DELETE":
            good.discard(token)
            revoked.add(token)
        return (204, None) if call.method == "DELETE" else (200, None)

    return answer


@pytest.mark.parametrize(
    ("fault", "operation", "level"),
    [
        ("", "", ""),
        (_FAILED, "POST /session", "violation"),
        (_SECOND, "POST /session", "drift"),
        (_REVOKED, "DELETE /session", "violation"),
    ],
)
def test_what_a_login_does_to_earlier_tokens(
    write_contract: Callable[..., Path], fault: str, operation: str, level: str
) -> None:
    judged = checked(write_contract(**_contract()), _server(fault), ANN)
    checks = {_FAILED, _SECOND, _REVOKED}
    told = [(one.check, one.operation, one.level) for one in judged.found if one.check in checks]
    assert told == ([(fault, operation, level)] if fault else [])
    for check in checks - {fault}:
        label = "DELETE /session" if check == _REVOKED else "POST /session"
        assert judged.result(check, label) == ("passed", ""), check


@pytest.mark.parametrize("fault", ["", _FAILED])
def test_a_login_of_an_identity_is_one_without_marks(
    write_contract: Callable[..., Path], tmp_path: Path, fault: str
) -> None:
    document = _contract()
    for operation in document["paths"]["/session"].values():
        del operation["x-mockserver-behaviour"]
    people = tmp_path / "people.yaml"
    login = "login: {operation: POST /session, token: /key}"
    people.write_text(
        f"identities: [{{username: {ANN.username}, password: {ANN.password}, {login}}}]", encoding="utf-8"
    )
    told = commanded(
        "check", application(_server(fault)), tmp_path, contract=write_contract(**document), identities=people
    )
    violations = [one["check"] for one in told.report["findings"] if one["level"] == "violation"]
    assert violations == ([_FAILED] if fault else [])
    results = {row["check"]: row["result"] for row in told.report["coverage"]}
    assert (results[_FAILED], results[_SECOND]) == ("failed" if fault else "passed", "passed")
