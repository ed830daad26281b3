"""A difference does not hide a fault behind it: every attempt of a check is made, whatever the one before showed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.small import Answer, checked, content_of

SCHEMA = {"type": "object", "required": ["on"], "properties": {"on": {"type": "boolean"}}}


def _readings() -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    errors = {status: {"description": ""} for status in ("400", "422")}
    responses = {"201": {"description": ""}, **errors}
    return {"/readings": {"post": {"requestBody": {"required": True, "content": content}, "responses": responses}}}


@pytest.mark.parametrize("crashes", ["xml", "x-www-form-urlencoded", ""])
def test_a_crash_behind_a_media_type_that_is_taken(write_contract: Callable[..., Path], crashes: str) -> None:
    def answer(call: Request) -> Answer:
        if (call.method, call.path) != ("POST", "/readings"):
            return 404, None
        if call.mimetype.endswith(crashes) if crashes else not call.mimetype:
            return 500, None
        return (201 if isinstance(content_of(call), dict) else 422), None

    judged = checked(write_contract(_readings()), answer)
    assert ("no_server_error", "POST /readings", "the server failed with 500") in judged.at("violation")
    taken = {title for check, _, title in judged.at("drift") if check == "undocumented_media_types_are_refused"}
    assert taken == {"accepted content of another media type"}


def test_a_crash_behind_malformed_json_that_is_taken(write_contract: Callable[..., Path]) -> None:
    def answer(call: Request) -> Answer:
        if (call.method, call.path) != ("POST", "/readings"):
            return 404, None
        content = call.get_data()
        # A comment is read over, and what ends early crashes.
        return (500 if content.endswith(b",}") else 201 if content else 400), None

    failed = {check for check, _, _ in checked(write_contract(_readings()), answer).at("violation")}
    assert failed >= {"malformed_json_is_refused", "no_server_error"}


def test_a_lost_write_behind_another_operation_s_fault(write_contract: Callable[..., Path]) -> None:
    """The read calls the resource by another name, and so does the reset: each is told."""
    value = {"switch": {"type": "object", "properties": {"name": {"type": "string"}, "value": SCHEMA}}}
    content = {"application/json": {"schema": {"type": "object", "properties": value}}}
    answers = {"200": {"description": "", "content": content}, "422": {"description": ""}}
    behaviour = {"handler": "setting", "resource": "switch", "value": "/switch/value", "x-source": "the manual"}
    operations = {
        method: {"responses": answers, "x-mockserver-behaviour": {**behaviour, "role": role}}
        for method, role in (("get", "read"), ("post", "write"), ("delete", "reset"))
    }
    operations["post"]["requestBody"] = {"required": True, "content": {"application/json": {"schema": SCHEMA}}}

    def answer(call: Request) -> Answer:
        sent = content_of(call) if call.method == "POST" else {"on": True}
        if not isinstance(sent, dict) or not isinstance(sent.get("on"), bool):
            return 422, None
        return 200, {"switch": {"name": "another", "value": sent}}

    judged = checked(write_contract({"/switch": operations}), answer)
    named = {operation for check, operation, _ in judged.at("violation") if check == "answers_name_the_resource"}
    assert named == {"GET /switch", "POST /switch", "DELETE /switch"}


def test_what_a_read_gives_away_is_one_finding_with_the_write_before_it(write_setting: Callable[..., Path]) -> None:
    secret = {"type": "string", "minLength": 12, "writeOnly": True, "examples": ["Sesame-open-the-door-4711"]}
    properties: dict[str, Any] = {"on": {"type": "boolean"}, "key": secret}
    schema = {"type": "object", "required": ["on", "key"], "properties": properties}
    kept: dict[str, Any] = {}

    def answer(call: Request) -> Answer:
        if call.path != "/setting" or call.method not in {"GET", "POST", "DELETE"}:
            return 404, None
        if call.method == "POST":
            sent = content_of(call)
            if not isinstance(sent, dict) or not isinstance(sent.get("on"), bool) or len(str(sent.get("key"))) < 12:
                return 422, None
            kept["value"] = sent
            return 200, {"settings": {"status": "applied", "value": {"on": sent["on"]}}}
        if call.method == "DELETE":
            kept.clear()
        return (200, {"settings": {"status": "applied", **kept}}) if kept or call.method == "DELETE" else (204, None)

    leaks = [one for one in checked(write_setting(schema), answer).found if one.check == "no_secret_comes_back"]
    assert [(one.level, one.operation) for one in leaks] == [("violation", "GET /setting")]
    assert leaks[0].evidence is not None
    assert [step.request.method for step in (*leaks[0].evidence.history, leaks[0].evidence)] == ["POST", "GET"]


@pytest.mark.parametrize("echoed", ["other", "same"])
def test_a_write_that_crashes_behind_one_that_is_answered_otherwise(
    write_contract: Callable[..., Path], echoed: str
) -> None:
    """What a behaviour says is only assumed; the failure of a later write, or with another value, is no guess."""
    schema = {"type": "object", "required": ["on"], "properties": {"on": {"enum": ["a", "b", "c"]}}}
    content = {"application/json": {"schema": schema}}
    answers = {"200": {"description": "", "content": content}, "422": {"description": ""}}
    behaviour = {"handler": "setting", "resource": "switch", "value": "", "x-assumed": "a guess"}
    operations = {
        method: {"responses": answers, "x-mockserver-behaviour": {**behaviour, "role": role}}
        for method, role in (("get", "read"), ("put", "write"))
    }
    operations["put"]["requestBody"] = {"required": True, "content": content}
    equal: list[str] = []

    def answer(call: Request) -> Answer:
        sent = content_of(call) if call.method == "PUT" else {"on": "a"}
        if not isinstance(sent, dict) or sent.get("on") not in {"a", "b", "c"}:
            return 422, None
        if call.method == "PUT":
            equal.append(sent["on"])
        many = call.method == "PUT" and equal[-15:] == [sent["on"]] * 15
        return (500, None) if many else (200, {"on": "c"} if echoed == "other" else sent)

    judged = checked(write_contract({"/switch": operations}), answer)
    assert ("no_server_error", "PUT /switch", "the server failed with 500") in judged.at("violation")
    assert ("writes_echo_the_request" in {check for check, _, _ in judged.at("drift")}) is (echoed == "other")
