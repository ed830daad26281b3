"""Operations that take one security scheme or another, or several at once, and credentials at other places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from mockserver.suite.identities.identities import Identity
from tests.faults.small import Answer, Handler, checked

TOKEN, KEY = "token-of-ann-0123456789", "key-of-ann-0123456789"
ANN = Identity("ann", token=TOKEN, schemes={"key": KEY})
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
}
_EACH, _PARTIAL = "unknown_tokens_of_each_scheme_are_refused", "partial_credentials_are_refused"
_MISPLACED = "misplaced_credentials_are_refused"


def _contract(*security: dict[str, list[str]]) -> dict[str, Any]:
    shown = {"200": {"description": ""}, "401": {"description": ""}}
    return {
        "paths": {"/notes": {"get": {"responses": shown}}},
        "components": {"securitySchemes": _SCHEMES},
        "security": list(security),
    }


def _server(lets_in: Callable[[Request], bool]) -> Handler:
    def answer(call: Request) -> Answer:
        if call.path != "/notes" or call.method != "GET":
            return 404, None
        return (200, [{"id": 1}]) if lets_in(call) else (401, None)

    return answer


def _bearer(call: Request) -> bool:
    scheme, _, token = call.headers.get("Authorization", "").partition(" ")
    return (scheme.lower(), token) == ("bearer", TOKEN)


def _basic(call: Request) -> bool:
    return call.authorization is not None and call.authorization.password == TOKEN


def _key(call: Request) -> bool:
    return call.headers.get("X-Key") == KEY


@pytest.mark.parametrize(
    ("lets_in", "result"),
    [
        (lambda call: _bearer(call) or _key(call), "passed"),
        (lambda call: _bearer(call) or "X-Key" in call.headers, "failed"),
    ],
)
def test_each_scheme_that_suffices_is_tried(
    write_contract: Callable[..., Path], lets_in: Callable[[Request], bool], result: str
) -> None:
    judged = checked(write_contract(**_contract({"bearer": []}, {"key": []})), _server(lets_in), ANN)
    assert judged.result(_EACH, "GET /notes")[0] == result
    title = "accepted with an unknown token for key"
    assert judged.at("violation") == ([(_EACH, "GET /notes", title)] if result == "failed" else [])


@pytest.mark.parametrize(
    ("lets_in", "missing"),
    [(lambda call: _bearer(call) and _key(call), ""), (_bearer, "key"), (_key, "bearer")],
)
def test_each_scheme_that_is_needed_is_left_out(
    write_contract: Callable[..., Path], lets_in: Callable[[Request], bool], missing: str
) -> None:
    judged = checked(write_contract(**_contract({"bearer": [], "key": []})), _server(lets_in), ANN)
    told = [one for one in judged.at("violation") if one[0] == _PARTIAL]
    assert told == ([(_PARTIAL, "GET /notes", f"accepted with {missing} left out")] if missing else [])
    assert judged.result(_PARTIAL, "GET /notes")[0] == ("failed" if missing else "passed")


def test_either_of_two_is_no_part_of_both(write_contract: Callable[..., Path]) -> None:
    path = write_contract(**_contract({"bearer": [], "key": []}, {"bearer": []}, {"key": []}))
    judged = checked(path, _server(lambda call: _bearer(call) or _key(call)), ANN)
    assert not judged.at("violation")


@pytest.mark.parametrize(
    ("scheme", "elsewhere", "how"),
    [
        ("bearer", lambda call: call.args.get("access_token") == TOKEN, "the query parameter access_token"),
        ("bearer", _basic, "the scheme Basic"),
        ("key", lambda call: call.cookies.get("X-Key") == KEY, "the cookie X-Key"),
        ("key", lambda call: call.headers.get("Authorization") == f"Bearer {KEY}", "the scheme Bearer"),
    ],
)
def test_credentials_at_another_place_are_drift(
    write_contract: Callable[..., Path], scheme: str, elsewhere: Callable[[Request], bool], how: str
) -> None:
    right = _bearer if scheme == "bearer" else _key
    server = _server(lambda call: right(call) or elsewhere(call))
    judged = checked(write_contract(**_contract({scheme: []})), server, ANN)
    found = [one for one in judged.found if one.check == _MISPLACED]
    assert [(one.level, how in one.detail) for one in found] == [("drift", True)]
    assert not judged.at("violation")


def test_another_read_is_tried_where_the_first_lets_nobody_in(write_contract: Callable[..., Path]) -> None:
    document = _contract({"key": []})
    document["paths"] = {"/error": document["paths"]["/notes"], **document["paths"]}
    judged = checked(write_contract(**document), _server(lambda call: _key(call) or call.args.get("X-Key") == KEY), ANN)
    assert [one.operation for one in judged.found if one.check == _MISPLACED] == ["GET /notes"]


@pytest.mark.parametrize("scheme", _SCHEMES)
def test_credentials_at_their_place_alone_are_right(write_contract: Callable[..., Path], scheme: str) -> None:
    server = _server(_bearer if scheme == "bearer" else _key)
    judged = checked(write_contract(**_contract({scheme: []})), server, ANN)
    assert judged.result(_MISPLACED, "GET /notes") == ("passed", "")
