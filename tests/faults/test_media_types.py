"""Media types are compared without case and parameters, wherever a contract writes them so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from mockserver.http.media_types import covering, json_content
from mockserver.stub.app import create_app
from tests.conftest import Client, send_to_app
from tests.faults.small import Answer, Handler, checked, content_of, fuzzed

NAMES = ["application/json; charset=utf-8", "Application/JSON", "application/vnd.reading+json;v=1", "application/*"]
READING = {"type": "object", "required": ["degrees"], "properties": {"degrees": {"type": "number"}}}


def _readings(name: str) -> dict[str, Any]:
    def answers(*statuses: str) -> dict[str, Any]:
        return {status: {"description": "", "content": {name: {"schema": READING}}} for status in statuses}

    errors = {status: {"description": "", "content": {name: {}}} for status in ("400", "415", "422")}
    body = {"required": True, "content": {name: {"schema": READING}}}
    return {
        "/now": {"get": {"responses": answers("200")}},
        "/readings": {"post": {"requestBody": body, "responses": {**answers("201"), **errors}}},
    }


def _station(name: str, degrees: Any = 21.5, *, lax: bool = False) -> Handler:
    sent = {"Content-Type": "application/json; charset=UTF-8" if "*" in name else name.lower()}

    def answer(call: Request) -> Answer:
        if (call.method, call.path) == ("GET", "/now"):
            return 200, {"degrees": degrees}, sent
        if (call.method, call.path) != ("POST", "/readings"):
            return 404, {}, sent
        if not call.mimetype.endswith("json"):
            return 415, {}, sent
        value = content_of(call)
        good = isinstance(value, dict) and type(value.get("degrees")) in {int, float}
        return (201, {"degrees": 1}, sent) if good or (lax and isinstance(value, dict)) else (422, {}, sent)

    return answer


# schemathesis sends nothing for a range of media types.
@pytest.mark.parametrize(
    ("name", "run"), [*((name, checked) for name in NAMES), *((name, fuzzed) for name in NAMES[:3])]
)
def test_a_server_is_held_to_the_schemas(
    write_contract: Callable[..., Path], name: str, run: Callable[..., Any]
) -> None:
    path = write_contract(_readings(name))
    right = run(path, _station(name))
    assert not right.at("violation")
    wrong = {operation for _, operation, _ in run(path, _station(name, "warm", lax=True)).at("violation")}
    assert wrong == {"GET /now", "POST /readings"}


@pytest.mark.parametrize("name", NAMES)
def test_no_check_of_requests_vanishes(write_contract: Callable[..., Path], name: str) -> None:
    made = {row.check for row in checked(write_contract(_readings(name)), _station(name)).coverage if row.cases}
    assert made >= {"malformed_json_is_refused", "bodies_that_break_the_schema_are_refused"}
    assert made >= {"hostile_bodies_do_no_harm", "chunked_bodies_are_understood"}


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("application/json", "plain"),
        ("APPLICATION/json; charset=utf-8", "plain"),
        ('application/json;charset=UTF-8; Version="2"', "two"),
        ("application/json; version=3", "plain"),
        ("text/csv; header=present", "csv"),
        ("text/html", "text"),
        ("image/png", "any"),
        ("", None),
    ],
)
def test_the_exact_name_comes_first(field: str, found: str | None) -> None:
    content = {
        "*/*": "any",
        "text/*": "text",
        "application/json; version=2": "two",
        "Application/JSON": "plain",
        "text/csv; charset=utf-8": "csv",
    }
    assert covering(content, field) == found


def test_json_content_is_sent_by_a_name_that_is_no_range() -> None:
    assert json_content({"text/plain": 1, "*/*": 2, "application/json": 3}) == ("application/json", 2)
    assert json_content({"text/plain": 1, "text/*": 2}) is None


def test_the_stub_reads_the_media_type_whose_parameters_fit(write_contract: Callable[..., Path]) -> None:
    content = {
        f"application/json; version={version}": {"schema": {"type": kind}}
        for version, kind in (("1", "integer"), ("2", "string"))
    }
    operation = {"requestBody": {"required": True, "content": content}, "responses": {"204": {"description": ""}}}
    client = Client(send_to_app(create_app(write_contract({"/a": {"post": operation}}))))
    for value, version, status in ((1, "1", 204), ("a", "2", 204), (1, "2", 422), ("a", "1", 422)):
        field = {"Content-Type": f"Application/JSON; Version={version}"}
        assert client.call("POST", "/a", json=value, fields=field).status == status, (value, version)
