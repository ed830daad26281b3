"""Errors say what is wrong in the contract's own shape: messages, codes and places at any depth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.errors import RequestRejected
from mockserver.messages import Violation
from mockserver.stub.examples.error_content import explained
from tests.conftest import Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]
TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
AGE = 'age: "old" must be of type integer'
DETAIL = 'body /age: "old" must be of type integer'
NAME = "name: is required"


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(members), "properties": members, "additionalProperties": False}


def _list(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


SHAPES: list[tuple[str, dict[str, Any], Any]] = [
    ("a message", _object(message=TEXT), {"message": DETAIL}),
    ("one level down", _object(error=_object(message=TEXT, code=TEXT)), {"error": {"message": DETAIL, "code": "type"}}),
    ("any depth", _object(a=_object(b=_object(c=_object(Message=TEXT)))), {"a": {"b": {"c": {"Message": DETAIL}}}}),
    (
        "status and code",
        _object(error=_object(code=WHOLE, status=TEXT, description=TEXT, param=TEXT, success={"type": "boolean"})),
        {"error": {"code": 422, "status": "422", "description": DETAIL, "param": "age", "success": False}},
    ),
    (
        "entries with places",
        _object(detail=_list(_object(loc=_list({"anyOf": [TEXT, WHOLE]}), msg=TEXT, type=TEXT))),
        {"detail": [{"loc": ["body", "age"], "msg": AGE, "type": "type"}]},
    ),
    ("texts", _object(errors=_list(TEXT)), {"errors": [AGE]}),
    ("a list", _list(_object(message=TEXT, path=TEXT)), [{"message": AGE, "path": "/age"}]),
    (
        "entries beside a message",
        _object(message=TEXT, errors=_list(_object(field=TEXT, code=TEXT, message=TEXT))),
        {"message": DETAIL, "errors": [{"field": "age", "code": "type", "message": AGE}]},
    ),
    (
        "sources",
        _object(errors=_list(_object(status=TEXT, source=_object(pointer=TEXT), title=TEXT, detail=TEXT))),
        {"errors": [{"status": "422", "source": {"pointer": "/age"}, "title": "Unprocessable Content", "detail": AGE}]},
    ),
    (
        "messages by member",
        _object(message=TEXT, errors={"type": "object", "additionalProperties": _list(TEXT)}),
        {"message": DETAIL, "errors": {"age": ['"old" must be of type integer']}},
    ),
    (
        "an enumeration of codes",
        _object(error=_object(type={"enum": ["api_error", "invalid_request_error"]}, message=TEXT)),
        {"error": {"type": "invalid_request_error", "message": DETAIL}},
    ),
    ("a short text", _object(message={"type": "string", "maxLength": 9}), {"message": DETAIL[:9]}),
    (
        "two words",
        _object(error=TEXT, error_description=TEXT),
        {"error": "invalid_request", "error_description": DETAIL},
    ),
    ("a title", _object(title=TEXT, detail=TEXT), {"title": "Unprocessable Content", "detail": DETAIL}),
]
BODY = _object(age=WHOLE, name=TEXT)


@pytest.fixture
def refusing(make_stub: MakeStub, write_contract: Write) -> Callable[..., Client]:
    def make(schema: Any, **media_type: Any) -> Client:
        operation = {
            "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
            "responses": {
                "201": {"description": ""},
                "422": {"description": "", "content": {"application/json": {"schema": schema, **media_type}}},
            },
        }
        return make_stub(write_contract({"/a": {"post": operation}}))

    return make


@pytest.mark.parametrize(("schema", "content"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES])
def test_an_error_says_what_is_wrong(refusing: Callable[..., Client], schema: Any, content: Any) -> None:
    got = refusing(schema).call("POST", "/a", json={"age": "old", "name": "Rex"})
    assert (got.status, got.json()) == (422, content)
    jsonschema.validate(got.json(), schema)


def test_each_violation_has_an_entry(refusing: Callable[..., Client]) -> None:
    entries = _list(_object(message=TEXT, field=TEXT))
    got = refusing(_object(errors=entries)).call("POST", "/a", json={"age": "old"}).json()["errors"]
    assert {entry["field"]: entry["message"] for entry in got} == {"age": AGE, "name": NAME}
    one = refusing(_object(errors={**entries, "maxItems": 1})).call("POST", "/a", json={"age": "old"})
    assert len(one.json()["errors"]) == 1


def test_an_example_of_an_error_keeps_the_words_of_its_author(refusing: Callable[..., Client]) -> None:
    shape = _object(error=_object(code=TEXT, status=WHOLE, message=TEXT, help=TEXT))
    example = {"error": {"code": "E_INPUT", "status": 400, "message": "name is missing", "help": "https://e.example"}}
    got = refusing(shape, example=example).call("POST", "/a", json={"age": "old", "name": "Rex"}).json()
    assert got == {"error": {**example["error"], "message": DETAIL}}


def test_what_a_schema_has_no_room_for_stays_as_it_was(refusing: Callable[..., Client]) -> None:
    fixed = _object(message={"const": "no"}, code={"type": "string", "pattern": "^E[0-9]$"})
    got = refusing(fixed).call("POST", "/a", json={"age": "old", "name": "Rex"}).json()
    jsonschema.validate(got, fixed)


def test_what_is_made_up_and_says_nothing_of_the_error_is_left_out(refusing: Callable[..., Client]) -> None:
    payment = _object(id=TEXT, description=TEXT)
    error = {"type": "object", "required": ["message"], "properties": {"message": TEXT, "payment": payment}}
    got = refusing(_object(error=error)).call("POST", "/a", json={"age": "old", "name": "Rex"}).json()
    assert got == {"error": {"message": DETAIL}}


def test_empty_lists_of_messages_by_member_and_messages_of_an_example_are_filled(
    refusing: Callable[..., Client],
) -> None:
    shape = _object(errorMessages=_list(TEXT), errors={"type": "object", "additionalProperties": TEXT})
    example = {"errorMessages": ["Field 'priority' is required"], "errors": {}}
    got = refusing(shape, example=example).call("POST", "/a", json={"age": "old", "name": "Rex"}).json()
    assert got == {"errorMessages": [AGE], "errors": {"age": '"old" must be of type integer'}}


_NAMES = st.sampled_from(["message", "errors", "error", "detail", "code", "path", "loc", "status", "data", "x"])
_CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)
_VIOLATION = Violation("body", "/a/0", "type", "of type integer", "no", False, None, "source", "", "")


@given(_CONTENT, st.booleans(), st.booleans())
def test_whatever_an_error_looks_like_it_can_be_filled(value: Any, made_up: bool, violated: bool) -> None:
    rejected = RequestRejected(422, "Title", "what is wrong", violations=[_VIOLATION] if violated else [])
    contract: Any = None  # nothing is asked of it without a schema
    filled = explained(value, rejected, 422, None, contract, made_up=made_up)
    if isinstance(value, dict) and isinstance(value.get("message"), str) and not isinstance(value.get("detail"), str):
        assert filled["message"] == "what is wrong"
    assert type(filled) is type(value)
