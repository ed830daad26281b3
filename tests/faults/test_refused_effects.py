"""Calls without the right credentials: what the server says of them, and what it does."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from mockserver.suite.identities.identities import Identity
from tests.faults.small import Answer, Handler, Judged, checked, content_of

ANN = Identity("ann", token="token-of-ann-0123456789", level="Editor")
BOB = Identity("bob", token="token-of-bob-0123456789", level="Reader")
_SIDE = "side_doors_change_nothing"
_EFFECTS, _NOBODY = "refused_callers_change_nothing", "calls_without_credentials_are_refused"
_ITEM = {"GET": "200", "PUT": "200", "PATCH": "200", "DELETE": "204"}


def _contract(level: bool = False) -> dict[str, Any]:
    note = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "examples": ["milk"]}}}
    shown = {"allOf": [note], "required": ["id"], "properties": {"id": {"type": "integer"}}}
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    refused = {status: {"description": ""} for status in ("400", "401", "403", "404")}
    levels = {"x-mockserver-levels": ["Editor"]} if level else {}

    def operation(status: str, schema: dict[str, Any] | None, *, content: bool) -> dict[str, Any]:
        found: dict[str, Any] = {"responses": {status: {"description": ""}, **refused}, **levels}
        if schema is not None:
            found["responses"][status]["content"] = {"application/json": {"schema": schema}}
        if content:
            found["requestBody"] = {"required": True, "content": {"application/json": {"schema": note}}}
        return found

    return {
        "paths": {
            "/notes": {
                "get": operation("200", {"type": "array", "items": shown}, content=False),
                "post": operation("201", shown, content=True),
            },
            "/notes/{id}": {
                "parameters": [identifier],
                **{
                    method.lower(): operation(
                        status, None if status == "204" else shown, content=method in {"PUT", "PATCH"}
                    )
                    for method, status in _ITEM.items()
                },
            },
        },
        "components": {"securitySchemes": {"door": {"type": "http", "scheme": "bearer"}}},
        "security": [{"door": []}],
        **({"x-mockserver-levels": ["Editor", "Reader"]} if level else {}),
    }


def _notes(
    says: Callable[[Request, int], int | None] = lambda _call, refusal: refusal,
    does: Callable[[Request, int], bool] = lambda _call, _refusal: False,
) -> Handler:
    """Return a server of notes.

    Args:
        says: the status that a caller gets who has to be refused with 401 or 403; None for that of a success.
        does: whether it carries such a call out.
    """
    notes: dict[int, dict[str, Any]] = {}
    numbers = itertools.count(1)

    def act(call: Request) -> Answer:
        last = call.path.rpartition("/")[2]
        if call.path == "/notes" and call.method in {"GET", "HEAD"}:
            return 200, list(notes.values())
        value = content_of(call)
        if call.method in {"POST", "PUT", "PATCH"} and not (
            isinstance(value, dict) and isinstance(value.get("text"), str)
        ):
            return 400, None
        if call.path == "/notes" and call.method == "POST":
            number = next(numbers)
            notes[number] = {**value, "id": number}
            return 201, notes[number]
        if not last.isdecimal() or int(last) not in notes:
            return 404, None
        if call.method == "DELETE":
            del notes[int(last)]
            return 204, None
        if call.method in {"PUT", "PATCH"}:
            notes[int(last)] |= {"text": value["text"]}
        return (200, notes[int(last)]) if call.method in _ITEM else (405, None)

    def answer(call: Request) -> Answer:
        shown = call.headers.get("Authorization")
        if shown == f"Bearer {ANN.token}":
            return act(call)
        refusal = 403 if shown == f"Bearer {BOB.token}" else 401
        done: Answer | None = act(call) if does(call, refusal) else None
        status = says(call, refusal)
        if status is not None:
            return status, None
        return done if done is not None else (204 if call.method == "DELETE" else 200, None)

    return answer


def _told(judged: Judged) -> list[tuple[str, str, str]]:
    return [one for one in judged.at("violation") if one[0] in {_EFFECTS, _NOBODY}]


def test_a_server_that_refuses_and_does_nothing_is_right(write_contract: Callable[..., Path]) -> None:
    judged = checked(write_contract(**_contract(level=True)), _notes(), ANN, BOB)
    assert not judged.at("violation")
    for label in ("POST /notes", *(f"{method} /notes/{{id}}" for method in ("PUT", "PATCH", "DELETE"))):
        assert judged.result(_EFFECTS, label) == ("passed", "")
    for label in ("POST /notes", "DELETE /notes/{id}"):
        assert judged.result(_SIDE, label) == ("passed", "")


@pytest.mark.parametrize("label", ["POST /notes", "PUT /notes/{id}", "PATCH /notes/{id}", "DELETE /notes/{id}"])
def test_what_is_refused_and_done_is_one_finding(write_contract: Callable[..., Path], label: str) -> None:
    method = label.partition(" ")[0]
    judged = checked(write_contract(**_contract()), _notes(does=lambda call, _: call.method == method), ANN)
    title = "refused with no credentials, and carried out all the same"
    assert judged.at("violation") == [(_EFFECTS, label, title)]
    assert judged.result(_NOBODY, label)[0] == "passed"


@pytest.mark.parametrize("label", ["POST /notes", "PUT /notes/{id}", "DELETE /notes/{id}"])
def test_an_open_door_is_one_finding_that_says_what_happened(write_contract: Callable[..., Path], label: str) -> None:
    method = label.partition(" ")[0]
    server = _notes(
        says=lambda call, refusal: None if call.method == method else refusal,
        does=lambda call, _: call.method == method,
    )
    judged = checked(write_contract(**_contract()), server, ANN)
    assert judged.at("violation") == [(_NOBODY, label, "accepted with no credentials")]
    assert judged.found[0].rule == "universal"
    wanted = {"POST": "showed a new item", "PUT": "had changed", "DELETE": "was gone"}[method]
    assert wanted in next(one.detail for one in judged.found if one.level == "violation")


def test_a_success_that_does_nothing_is_told_apart(write_contract: Callable[..., Path]) -> None:
    server = _notes(says=lambda call, refusal: None if call.method == "DELETE" else refusal)
    judged = checked(write_contract(**_contract()), server, ANN)
    assert _told(judged) == [
        (_NOBODY, "DELETE /notes/{id}", "answered as a success with no credentials, and nothing was done")
    ]


def test_what_a_wrong_level_does_is_looked_for(write_contract: Callable[..., Path]) -> None:
    server = _notes(does=lambda call, refusal: call.method == "DELETE" and refusal == 403)
    judged = checked(write_contract(**_contract(level=True)), server, ANN, BOB)
    title = "refused with the level Reader, and carried out all the same"
    assert judged.at("violation") == [(_EFFECTS, "DELETE /notes/{id}", title)]


_WAYS: dict[str, Callable[[Request], bool]] = {
    "a doubled slash": lambda call: call.environ["PATH_INFO"].startswith("//"),
    "X-Real-IP: 127.0.0.1": lambda call: "X-Real-IP" in call.headers,
    "GET with X-HTTP-Method-Override": lambda call: call.method == "GET" and "X-HTTP-Method-Override" in call.headers,
}


@pytest.mark.parametrize("how", _WAYS)
@pytest.mark.parametrize("silent", [False, True])
def test_what_a_side_door_does_is_seen(write_contract: Callable[..., Path], how: str, silent: bool) -> None:
    inner = _notes()

    def answer(call: Request) -> Answer:
        if not _WAYS[how](call):
            return inner(call)
        environ = dict(call.environ, HTTP_AUTHORIZATION=f"Bearer {ANN.token}")
        environ["PATH_INFO"] = environ["PATH_INFO"].replace("//", "/")
        environ["REQUEST_METHOD"] = call.headers.get("X-HTTP-Method-Override", call.method)
        done = inner(Request(environ))
        return (401, None) if silent else done

    judged = checked(write_contract(**_contract()), answer, ANN)
    title = "carried out without credentials beside its path"
    assert [one for one in judged.at("violation") if one[0] == _SIDE] == [
        (_SIDE, label, title) for label in ("DELETE /notes/{id}", "POST /notes")
    ]
    details = [one.detail for one in judged.found if one.check == _SIDE]
    assert all(how in detail and f"{401 if silent else 20}" in detail for detail in details), details
    assert "was gone" in details[0]
    assert "showed a new item" in details[1]
