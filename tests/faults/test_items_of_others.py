"""Items that belong to an account: where another account may not read one, it gets at no part of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from mockserver.suite.identities.identities import Identity
from tests.faults.small import Answer, Handler, Judged, checked, content_of

ANN = Identity("ann", token="token-of-ann-0123456789")
BOB = Identity("bob", token="token-of-bob-0123456789")
_CHECK = "items_of_others_are_out_of_reach"
_BOX, _LID = "/boxes/{id}", "/boxes/{id}/lid"


def _contract() -> dict[str, Any]:
    text = {"type": "object", "required": ["label"], "properties": {"label": {"type": "string", "minLength": 6}}}
    box = {"allOf": [text], "required": ["id"], "properties": {"id": {"type": "string", "minLength": 8}}}
    colour = {"type": "object", "required": ["colour"], "properties": {"colour": {"type": "string"}}}
    name = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    refused = {status: {"description": ""} for status in ("400", "401", "404")}

    def operation(status: str, shown: Any = None, taken: Any = None, **more: Any) -> dict[str, Any]:
        content = {} if shown is None else {"content": {"application/json": {"schema": shown}}}
        found: dict[str, Any] = {"responses": {status: {"description": "", **content}, **refused}, **more}
        if taken is not None:
            found["requestBody"] = {"required": True, "content": {"application/json": {"schema": taken}}}
        return found

    boxes = {"type": "array", "items": box}
    searched = {"name": "q", "in": "query", "schema": {"type": "string"}}
    return {
        "paths": {
            "/boxes": {"get": operation("200", boxes), "post": operation("201", box, text)},
            "/found": {"get": operation("200", boxes, parameters=[searched])},
            _BOX: {
                "parameters": [name],
                "get": operation("200", box),
                "put": operation("200", box, text),
                "delete": operation("204"),
            },
            _LID: {"parameters": [name], "get": operation("200", colour), "put": operation("200", colour, colour)},
        },
        "components": {"securitySchemes": {"door": {"type": "http", "scheme": "bearer"}}},
        "security": [{"door": []}],
    }


def _server(fault: str = "") -> Handler:
    """Return a server of boxes, each with a lid, that are their makers' own; a fault lets others at a part of them."""
    boxes: dict[str, dict[str, Any]] = {}
    owners: dict[str, str] = {}
    lids: dict[str, dict[str, Any]] = {}
    numbers = itertools.count(1)

    def answer(call: Request) -> Answer:
        shown = call.headers.get("Authorization", "").removeprefix("Bearer ")
        who = {ANN.token: "ann", BOB.token: "bob"}.get(shown)
        if who is None:
            return 401, None, {"WWW-Authenticate": "Bearer"}
        value = content_of(call)
        member = "colour" if call.path.endswith("/lid") else "label"
        text = value.get(member) if isinstance(value, dict) else None
        if call.method in {"POST", "PUT"} and not (isinstance(text, str) and (member == "colour" or len(text) > 5)):
            return 400, None
        _, place, *rest = call.path.split("/")
        if not rest:
            return _of_all(call, place, who, text)
        key, below = rest[0], rest[1:]
        what = "lid" if below else {"PUT": "put", "DELETE": "delete"}.get(call.method, "")
        if key not in boxes or (owners[key] != who and (fault != what or not fault)):
            return 404, None
        if below:
            if call.method == "PUT":
                lids[key] = {"colour": text}
            return (200, lids[key]) if key in lids else (404, None)
        if call.method == "DELETE":
            del boxes[key]
            return 204, None
        if call.method == "PUT":
            boxes[key] = {"id": key, "label": text}
        return 200, boxes[key]

    def _of_all(call: Request, place: str, who: str, text: Any) -> Answer:
        if call.method == "POST":
            key = f"box-number-{next(numbers)}"
            boxes[key], owners[key] = {"id": key, "label": text}, who
            return 201, boxes[key]
        open_to_all = fault == ("search" if place == "found" else "list")
        seen = [box for key, box in boxes.items() if owners[key] == who or open_to_all]
        return 200, [box for box in seen if call.args.get("q", "") in box["label"]]

    return answer


def _judged(write_contract: Callable[..., Path], fault: str = "", *identities: Identity) -> Judged:
    return checked(write_contract(**_contract()), _server(fault), *(identities or (ANN, BOB)))


def test_a_server_that_keeps_accounts_apart_is_right(write_contract: Callable[..., Path]) -> None:
    judged = _judged(write_contract)
    assert not judged.at("violation")
    assert judged.result(_CHECK, f"GET {_BOX}") == ("passed", "")


@pytest.mark.parametrize(
    ("fault", "operation", "title"),
    [
        ("list", "GET /boxes", "an item of another account is shown"),
        ("search", "GET /found", "an item of another account is shown"),
        ("lid", f"GET {_LID}", "what is below an item of another account is shown"),
        ("put", f"PUT {_BOX}", "an account changes an item of another one"),
        ("delete", f"DELETE {_BOX}", "an account deletes an item of another one"),
    ],
)
def test_what_another_account_gets_at_is_found(
    write_contract: Callable[..., Path], fault: str, operation: str, title: str
) -> None:
    judged = _judged(write_contract, fault)
    assert (_CHECK, operation, title) in judged.at("violation")
    assert {one[0] for one in judged.at("violation")} == {_CHECK}


def test_one_account_is_too_few_to_tell(write_contract: Callable[..., Path]) -> None:
    judged = _judged(write_contract, "list", ANN)
    assert judged.result(_CHECK, f"GET {_BOX}") == ("not run", "it needs two accounts of one level (--identities)")


@pytest.mark.parametrize(
    ("path", "summary", "shared", "result"),
    [
        ("/settings", "The caller's own settings", True, "failed"),
        ("/settings", "The caller's own settings", False, "passed"),
        ("/me/settings", "Settings", True, "failed"),
        ("/settings", "Settings of the whole system", True, ""),
    ],
)
def test_settings_that_are_the_callers_own_are_no_others(
    write_contract: Callable[..., Path], path: str, summary: str, shared: bool, result: str
) -> None:
    kept: dict[str, dict[str, Any]] = {}

    def answer(call: Request) -> Answer:
        who = {ANN.token: "ann", BOB.token: "bob"}.get(call.headers.get("Authorization", "").removeprefix("Bearer "))
        if who is None:
            return 401, None, {"WWW-Authenticate": "Bearer"}
        if call.path != path:
            return 404, None
        mine = kept.setdefault("all" if shared else who, {"rows": 10, "colour": "red"})
        if call.method == "PUT":
            sent = content_of(call)
            if not isinstance(sent, dict) or not isinstance(sent.get("rows"), int) or sent["rows"] < 1:
                return 400, None
            mine.update(sent)
        return (200, mine) if call.method in {"GET", "HEAD", "PUT"} else (405, None, {"Allow": "GET, PUT"})

    schema = {
        "type": "object",
        "required": ["rows"],
        "properties": {"rows": {"type": "integer", "minimum": 1}, "colour": {"type": "string"}},
    }
    content = {"content": {"application/json": {"schema": schema}}}
    responses = {"200": {"description": "", **content}, "400": {"description": ""}, "401": {"description": ""}}
    document = _contract()
    document["paths"] = {
        path: {
            "get": {"summary": summary, "responses": responses},
            "put": {"requestBody": {"required": True, **content}, "responses": responses},
        }
    }
    judged = checked(write_contract(document.pop("paths"), **document), answer, ANN, BOB)
    check = "settings_of_others_are_out_of_reach"
    found = [row.result for row in judged.coverage if (row.check, row.operation) == (check, f"GET {path}")]
    assert found == ([result] if result else [])
    title = "what one account writes is changed for another account, too"
    assert ((check, f"GET {path}", title) in judged.at("violation")) == (result == "failed")
