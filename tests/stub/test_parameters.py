"""Parameters of every location, style and type, as the behaviour of an operation sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.messages import Outcome
from mockserver.plugins.calls import Call
from tests.conftest import Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]
Schema = dict[str, Any]

INTEGERS: Schema = {"type": "array", "items": {"type": "integer"}}
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
COLOUR: Schema = {"type": "object", "properties": {"R": {"type": "integer"}, "G": {"type": "integer"}, "n": {}}}
SCALAR_OR_LIST: Schema = {"oneOf": [{"enum": ["all"], "type": "string"}, INTEGERS]}
NESTED: Schema = {"type": "object", "properties": {"a": COLOUR, "list": INTEGERS}}


@pytest.fixture
def read(make_stub: MakeStub, write_contract: Write) -> Callable[..., Any]:
    """Send a request with one parameter, and return what the operation gets, or the status of the refusal."""

    def send(parameter: dict[str, Any], target: str = "/a", **fields: str) -> Any:
        got: list[Any] = []

        def keep(call: Call) -> Outcome:
            place: dict[str, Any] = getattr(call.arguments, parameter["in"])
            got.append(place.get(parameter["name"], "absent"))
            return Outcome(0, 1, "kept")

        path = "/a/{p}" if parameter["in"] == "path" else "/a"
        answer = {"200": {"description": "", "content": {"application/json": {"schema": {}}}}}
        operation = {"operationId": "o", "parameters": [parameter], "responses": answer}
        client = make_stub(write_contract({path: {"get": operation}}), behaviours={"o": keep})
        status = client.call("GET", target, fields=fields).status
        return got[0] if status == 200 else status

    return send


QUERIES: list[tuple[dict[str, Any], str, Any]] = [
    ({"schema": INTEGERS}, "p=1&p=2", [1, 2]),
    ({"schema": INTEGERS}, "p=1", [1]),
    ({"schema": INTEGERS}, "p=", []),
    ({"schema": TEXTS}, "p=", [""]),
    ({"schema": INTEGERS}, "p=1&p=x", 422),
    ({"schema": INTEGERS, "explode": False}, "p=1,2", [1, 2]),
    ({"schema": TEXTS, "explode": False}, "p=a%2Cb,c", ["a,b", "c"]),
    ({"schema": TEXTS, "explode": False}, "p=a%2Cb", ["a,b"]),
    ({"schema": INTEGERS, "explode": False}, "p=1%2C2", [1, 2]),
    ({"schema": INTEGERS, "explode": False}, "p=1%2Cx", 422),
    ({"schema": COLOUR, "explode": False}, "p=R%2c1%2cG%2c2", {"R": 1, "G": 2}),
    ({"schema": INTEGERS, "style": "spaceDelimited", "explode": False}, "p=1%202+3", [1, 2, 3]),
    ({"schema": INTEGERS, "style": "pipeDelimited", "explode": False}, "p=1|2%7C3", [1, 2, 3]),
    ({"schema": COLOUR}, "R=1&G=2&other=3", {"R": 1, "G": 2}),
    ({"schema": COLOUR, "explode": False}, "p=R,1,G,2", {"R": 1, "G": 2}),
    ({"schema": COLOUR, "style": "deepObject"}, "p[R]=1&p%5BG%5D=2", {"R": 1, "G": 2}),
    ({"schema": NESTED, "style": "deepObject"}, "p[a][R]=1&p[list]=1&p[list]=2", {"a": {"R": 1}, "list": [1, 2]}),
    ({"schema": {"type": ["integer", "null"]}}, "p=", None),
    ({"schema": {"type": ["string", "integer"], "maxLength": 1}}, "p=12", 12),
    ({"schema": {"anyOf": [{"type": "integer"}, {"const": "all"}]}}, "p=all", "all"),
    ({"schema": {"anyOf": [{"type": "integer"}, {"const": "all"}]}}, "p=5", 5),
    ({"schema": {"enum": [1, 2]}}, "p=2", 2),
    ({"schema": {"type": "boolean"}}, "p=true", True),
    ({"schema": {"type": "integer", "default": 7}}, "", 7),
    ({"schema": {"type": "integer"}, "allowEmptyValue": True}, "p=", ""),
    ({"schema": {"type": "integer"}}, "p=", 422),
    ({"schema": {"type": "string"}}, "p=", ""),
    ({"schema": {"type": "string"}, "allowEmptyValue": False}, "p=", 422),
    ({"schema": SCALAR_OR_LIST}, "p=all", "all"),
    ({"schema": SCALAR_OR_LIST}, "p=1&p=2", [1, 2]),
    ({"schema": SCALAR_OR_LIST, "explode": False}, "p=1,2", [1, 2]),
    ({"schema": SCALAR_OR_LIST}, "p=none", 422),
    ({"schema": {"oneOf": [{"type": "string"}, TEXTS]}}, "p=a&p=b", ["a", "b"]),
    ({"schema": {"oneOf": [{"type": "string"}, TEXTS]}}, "p=a", "a"),
    ({"schema": {"anyOf": [INTEGERS, {"type": "null"}]}}, "p=5", [5]),
    ({"schema": {"anyOf": [TEXTS, COLOUR]}, "style": "deepObject"}, "p[R]=1", {"R": 1}),
    ({"content": {"application/json": {"schema": COLOUR}}}, "p=%7B%22R%22%3A1%7D", {"R": 1}),
    ({"content": {"application/json": {"schema": COLOUR}}}, "p=%7B%22R%22%3A%22x%22%7D", 422),
    ({"schema": {"type": "string"}}, "p=a%20b+c", "a b c"),
]


@pytest.mark.parametrize(("parameter", "query", "expected"), QUERIES)
def test_parameters_of_a_query(read: Callable[..., Any], parameter: dict[str, Any], query: str, expected: Any) -> None:
    assert read({"name": "p", "in": "query", **parameter}, f"/a?{query}") == expected


PATHS: list[tuple[dict[str, Any], str, Any]] = [
    ({"schema": INTEGERS}, "1,2", [1, 2]),
    ({"schema": COLOUR}, "R,1,G,2", {"R": 1, "G": 2}),
    ({"schema": COLOUR, "explode": True}, "R=1,G=2", {"R": 1, "G": 2}),
    ({"schema": INTEGERS, "style": "label"}, ".1,2", [1, 2]),
    ({"schema": INTEGERS, "style": "label", "explode": True}, ".1.2", [1, 2]),
    ({"schema": {"type": "integer"}, "style": "label"}, ".5", 5),
    ({"schema": INTEGERS, "style": "matrix"}, ";p=1,2", [1, 2]),
    ({"schema": INTEGERS, "style": "matrix", "explode": True}, ";p=1;p=2", [1, 2]),
    ({"schema": COLOUR, "style": "matrix", "explode": True}, ";R=1;G=2", {"R": 1, "G": 2}),
    ({"schema": {"type": "integer"}, "style": "matrix"}, ";p=5", 5),
]


@pytest.mark.parametrize(("parameter", "text", "expected"), PATHS)
def test_parameters_of_a_path(read: Callable[..., Any], parameter: dict[str, Any], text: str, expected: Any) -> None:
    assert read({"name": "p", "in": "path", "required": True, **parameter}, f"/a/{text}") == expected


def test_parameters_of_fields_and_cookies(read: Callable[..., Any]) -> None:
    assert read({"name": "X-P", "in": "header", "schema": INTEGERS}, **{"X-P": "1, 2"}) == [1, 2]
    assert read({"name": "p", "in": "cookie", "schema": {"type": "integer"}}, Cookie="q=1; p=2") == 2
    assert read({"name": "p", "in": "cookie", "schema": INTEGERS, "explode": False}, Cookie="p=1,2") == [1, 2]
    assert read({"name": "X-P", "in": "header", "schema": SCALAR_OR_LIST}, **{"X-P": "all"}) == "all"
    assert read({"name": "X-P", "in": "header", "schema": SCALAR_OR_LIST}, **{"X-P": "1,2"}) == [1, 2]


@pytest.mark.parametrize(
    ("schema", "explode", "cookie", "expected"),
    [
        (COLOUR, True, "R=1; session=x; G=2", {"R": 1, "G": 2}),
        (COLOUR, True, "R=1&G=2", {"R": 1, "G": 2}),
        (COLOUR, False, "p=R,1,G,2", {"R": 1, "G": 2}),
        (INTEGERS, True, "p=1; q=5; p=2", [1, 2]),
        (INTEGERS, True, "p=1&p=2", [1, 2]),
        (COLOUR, True, "session=x", "absent"),
    ],
)
def test_lists_and_objects_in_cookies(
    read: Callable[..., Any], schema: Schema, explode: bool, cookie: str, expected: Any
) -> None:
    assert read({"name": "p", "in": "cookie", "schema": schema, "explode": explode}, Cookie=cookie) == expected


@pytest.mark.parametrize(
    ("media_type", "query", "status"),
    [
        ("application/x-www-form-urlencoded", "R=1&G=2", 200),
        ("application/x-www-form-urlencoded", "R=x", 422),
        ("application/json", "%7B%22R%22%3A1%7D", 200),
        ("application/json", "%7B%22R%22%3A%22x%22%7D", 422),
        ("application/json", "{broken", 422),
        ("application/json", "", 422),
    ],
)
def test_a_parameter_may_be_the_whole_query(
    make_stub: MakeStub, write_contract: Write, media_type: str, query: str, status: int
) -> None:
    whole = {"name": "q", "in": "querystring", "required": True, "content": {media_type: {"schema": COLOUR}}}
    answers = {"200": {"description": "ok"}}
    client = make_stub(write_contract({"/a": {"get": {"parameters": [whole], "responses": answers}}}, openapi="3.2.0"))
    assert client.call("GET", f"/a?{query}").status == status


@pytest.mark.parametrize("name", ["Accept", "content-type", "Authorization"])
def test_fields_that_are_no_parameters(read: Callable[..., Any], name: str) -> None:
    parameter = {"name": name, "in": "header", "required": True, "schema": {"enum": ["nothing"]}}
    assert read(parameter) == "absent"
