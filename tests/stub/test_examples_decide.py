"""Examples decide: named ones of any status, ones with a slip, serialised ones, files."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.contract.model import Example, MediaType, Operation, RequestBody
from mockserver.contract.values.tiny_files import from_base64, tiny_file
from mockserver.messages import NO_ARGUMENTS
from mockserver.stub.examples.request_matcher import RequestMatcher
from tests.conftest import Answer, Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]
PNG = tiny_file("image/png") or b""


def _named(**values: Any) -> dict[str, Any]:
    return {name: {"value": value} for name, value in values.items()}


def _response(media_type: str = "application/json", **content: Any) -> dict[str, Any]:
    return {"description": "", "content": {media_type: content}}


@pytest.fixture
def answer(make_stub: MakeStub, write_contract: Write) -> Callable[..., Answer]:
    """Return what the stub answers to one call of an operation that has these responses."""

    def ask(responses: dict[str, Any], *, method: str = "GET", target: str = "/a", **more: Any) -> Answer:
        fields, json = more.pop("fields", {}), more.pop("json", None)
        client = make_stub(write_contract({"/a": {method.lower(): {"responses": responses, **more}}}))
        return client.call(method, target, fields=fields, **({} if json is None else {"json": json}))

    return ask


BODY = {"content": {"application/json": {"examples": _named(up={"s": 1}, down={"s": 2, "n": "x"}, gone={"s": 3})}}}
STATUSES = {
    "200": _response(examples=_named(up="up", down="down")),
    "202": _response(examples=_named(later="later")),
    "409": _response(examples=_named(gone="gone", up="never: the success has this name, too")),
}


@pytest.mark.parametrize(
    ("sent", "status", "content"),
    [
        ({"s": 1}, 200, "up"),
        ({"s": 2, "n": "x"}, 200, "down"),
        ({"s": 3}, 409, "gone"),
        ({"s": 4}, 200, "up"),
        ({"n": "x"}, 200, "up"),
    ],
)
def test_a_request_example_has_the_response_example_of_its_name_whatever_its_status(
    answer: Callable[..., Answer], sent: Any, status: int, content: str
) -> None:
    got = answer(STATUSES, method="POST", json=sent, requestBody=BODY)
    assert (got.status, got.json()) == (status, content)


@pytest.mark.parametrize(
    ("query", "status", "content"),
    [
        ("id=1", 200, "here"),
        ("id=2", 404, "absent"),
        ("id=2&v=9", 404, "absent"),
        ("id=3", 200, "here"),
        ("", 200, "here"),
    ],
)
def test_a_parameter_example_has_an_error_only_where_all_of_it_was_sent(
    answer: Callable[..., Answer], query: str, status: int, content: str
) -> None:
    parameter = {"name": "id", "in": "query", "schema": {"type": "integer"}, "examples": _named(here=1, absent=2)}
    responses = {"200": _response(examples=_named(here="here")), "404": _response(examples=_named(absent="absent"))}
    got = answer(responses, target=f"/a?{query}", parameters=[parameter])
    assert (got.status, got.json()) == (status, content)


def test_a_name_that_everything_has_pairs_no_error(answer: Callable[..., Answer]) -> None:
    body = {"content": {"application/json": {"examples": _named(default={"s": 1})}}}
    responses = {"204": {"description": ""}, "422": _response(examples=_named(default="wrong"))}
    assert answer(responses, method="POST", json={"s": 1}, requestBody=body).status == 204


def test_an_example_that_says_otherwise_is_not_taken(answer: Callable[..., Answer]) -> None:
    tier = {"name": "tier", "in": "query", "schema": {}, "examples": _named(low="bronze", high="gold")}
    tags = {"name": "tags", "in": "query", "schema": {}, "examples": _named(low="a", high="b")}
    other = {"name": "other", "in": "query", "schema": {}, "examples": _named(low="x")}
    responses = {"200": _response(examples=_named(low=1, high=99, any=5))}
    for query, expected in (("tier=gold", 99), ("tags=a", 1), ("tier=gold&tags=a", 5), ("other=y", 99), ("", 1)):
        got = answer(responses, target=f"/a?{query}", parameters=[tier, tags, other])
        assert got.json() == expected, query


def test_example_and_examples_are_both_there(answer: Callable[..., Answer]) -> None:
    both = {"200": _response(example=0, examples=_named(one=1))}
    assert answer(both).json() == 0
    assert answer(both, fields={"Prefer": "example=one"}).json() == 1


@pytest.mark.parametrize("examples", [{"one": {"n": 1}, "two": {"value": {"n": 2}}}, [{"n": 1}, {"n": 2}]])
def test_examples_without_their_form_are_taken_as_they_are_meant(
    make_stub: MakeStub, write_contract: Write, examples: Any
) -> None:
    client = make_stub(write_contract({"/a": {"get": {"responses": {"200": _response(examples=examples)}}}}))
    assert client.call("GET", "/a").json() == {"n": 1}
    second = "two" if isinstance(examples, dict) else "example2"
    assert client.call("GET", "/a", fields={"Prefer": f"example={second}"}).json() == {"n": 2}


TEXT, WHOLE, MOMENT = {"type": "string"}, {"type": "integer"}, {"type": "string", "format": "date-time"}


@pytest.mark.parametrize(
    ("schema", "example", "sent", "places"),
    [
        ({"type": "array", "items": {"properties": {"at": MOMENT}}}, [{"at": "2020-01-02", "n": 1}, {"n": 2}],
         [{"at": "2020-01-02T00:00:00Z", "n": 1}, {"n": 2}], "/0/at"),
        ({"properties": {"at": MOMENT, "n": WHOLE}}, {"at": "2020-01-02 03:04", "n": "5"},
         {"at": "2020-01-02T03:04:00Z", "n": 5}, "/at, /n"),
        ({"properties": {"s": TEXT, "k": {"enum": ["up"]}}}, {"s": 7, "k": "Up"}, {"s": "7", "k": "up"}, "/k, /s"),
        ({"properties": {"s": TEXT}}, {"s": None, "t": 1}, {"t": 1}, "/s"),
        ({"properties": {"s": TEXT}, "additionalProperties": False}, {"s": "a", "t": 1}, {"s": "a"}, "/"),
        ({"type": "object", "properties": {"n": WHOLE}}, [{"n": 1}], {"n": 1}, "/"),
        ({"properties": {"l": {"items": TEXT, "type": "array"}}}, {"l": "a"}, {"l": ["a"]}, "/l"),
        ({"properties": {"s": {"type": "string", "maxLength": 2}}}, {"s": "abc"}, {"s": "ab"}, "/s"),
        ({"oneOf": [{"required": ["n"], "properties": {"n": WHOLE}}, WHOLE]}, {"n": "5", "m": 1},
         {"n": 5, "m": 1}, "/n"),
    ],
)  # fmt: skip
def test_a_slip_is_mended_where_it_is(
    answer: Callable[..., Answer], schema: Any, example: Any, sent: Any, places: str
) -> None:
    got = answer({"200": _response(schema=schema, example=example)})
    assert got.json() == sent
    assert sorted(got.fields["mock-mended"].split(", ")) == places.split(", ")
    assert "mock-invalid" not in got.fields
    assert "mock-mended" not in answer({"200": _response(schema=schema, example=sent)}).fields


def test_parts_of_several_items_are_mended_to_different_values(answer: Callable[..., Answer]) -> None:
    schema = {"type": "array", "items": {"properties": {"id": {"type": "string", "format": "uuid"}}}}
    got = answer({"200": _response(schema=schema, example=[{"id": "x", "n": n} for n in range(300)])}).json()
    assert len({one["id"] for one in got}) == 300
    assert [one["n"] for one in got] == list(range(300))


def test_what_is_missing_in_an_example_is_made(answer: Callable[..., Answer]) -> None:
    schema = {"required": ["n", "s"], "properties": {"n": WHOLE, "s": TEXT}}
    got = answer({"200": _response(schema=schema, example={"s": "kept"})}).json()
    assert got["s"] == "kept"
    assert isinstance(got["n"], int)
    many = [f"m{number}" for number in range(50)]
    schema = {"required": many, "properties": dict.fromkeys(many, WHOLE), "type": "object"}
    assert answer({"200": _response(schema=schema, example={"m7": 7, "more": 1})}).json()["more"] == 1


def test_a_one_of_that_the_document_s_own_example_meets_twice_is_no_slip(answer: Callable[..., Answer]) -> None:
    schema = {"oneOf": [{"properties": {"a": WHOLE}}, {"properties": {"b": WHOLE}}]}
    body = {"content": {"application/json": {"schema": schema, "example": {"a": 1}}}}
    got = answer({"200": _response(schema=schema, example={"a": 1})}, method="POST", json={"a": 2}, requestBody=body)
    assert (got.status, got.json()) == (200, {"a": 1})
    assert "mock-mended" not in got.fields
    strict = {"content": {"application/json": {"schema": schema}}}
    assert answer({"200": _response()}, method="POST", json={"a": 2}, requestBody=strict).status == 422


@pytest.mark.parametrize(
    ("media_type", "example", "content"),
    [
        ("application/json", {"dataValue": {"a": 1}, "serializedValue": '{ "a": 1 }'}, b'{"a":1}'),
        ("application/json", {"serializedValue": '{ "a": 1 }'}, b'{"a":1}'),
        ("application/xml", {"dataValue": {"a": 1}, "serializedValue": "<a x='1'/>"}, b"<a x='1'/>"),
        ("text/csv", {"serializedValue": "a,b\n"}, b"a,b\n"),
        ("text/csv", {"externalValue": "kept.txt"}, "ä,b".encode()),
        ("application/json", {"externalValue": "data.txt"}, b"[1]"),
        ("image/png", {"externalValue": "kept%20too.png"}, PNG),
        ("image/png", {"value": base64.b64encode(PNG).decode()}, PNG),
        ("image/png", {"value": "data:image/png;base64," + base64.b64encode(PNG).decode()}, PNG),
    ],
)
def test_examples_are_sent_as_they_are_written(
    make_stub: MakeStub, write_contract: Write, tmp_path: Path, media_type: str, example: Any, content: bytes
) -> None:
    (tmp_path / "kept.txt").write_text("ä,b", encoding="utf-8")
    (tmp_path / "data.txt").write_text("[ 1 ]", encoding="utf-8")
    (tmp_path / "kept too.png").write_bytes(PNG)
    item = {"get": {"responses": {"200": _response(media_type, examples={"one": example})}}}
    client = make_stub(write_contract({"/a": item}, openapi="3.2.0"))
    assert client.call("GET", "/a").content == content
    assert client.call("GET", "/a", fields={"Prefer": "example=one"}).content == content


@pytest.mark.parametrize(
    "media_type", ["image/svg+xml", "image/png", "image/gif", "image/jpeg", "application/pdf", "application/zip"]
)
def test_a_made_up_file_is_one_of_its_media_type(answer: Callable[..., Answer], media_type: str) -> None:
    for content in ({}, {"schema": {"type": "string", "format": "binary"}}, {"schema": {"contentEncoding": "base64"}}):
        assert answer({"200": _response(media_type, **content)}).content == tiny_file(media_type)
    kind = media_type.partition("/")[0]
    if kind == "image":
        assert answer({"200": _response("image/*")}, fields={"Accept": media_type}).content == tiny_file(media_type)
    told = {"schema": {"type": "string", "format": "byte"}, "example": base64.b64encode(b"any bytes").decode()}
    assert answer({"200": _response("application/octet-stream", **told)}).content == b"any bytes"


@given(st.binary(max_size=40))
def test_base64_gives_the_bytes_back(content: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(content).decode()
        assert from_base64(text, told=True) == (content if text else None)
        assert from_base64(text.rstrip("="), told=True) == (content if text else None)


def test_a_call_costs_the_same_however_many_examples_there_are() -> None:
    def operation(number: int) -> Operation:
        examples = {f"n{k}": Example(f"n{k}", {"k": k, "same": 1}, "", response_name=f"n{k}") for k in range(number)}
        body = RequestBody("", required=True, content={"application/json": MediaType("", "", None, examples)})
        return Operation("o", "POST", "/a", "", (), body, {}, (), None, None, None)

    compared = 0

    class Counted(dict[str, Any]):
        def items(self) -> Any:
            nonlocal compared
            compared += 1
            return super().items()

    for number in (10, 1000):
        matcher = RequestMatcher(operation(number))
        contents = matcher._contents
        assert contents is not None
        contents._members = [(name, Counted(members)) for name, members in contents._members]
        found = matcher.match(NO_ARGUMENTS._replace(content={"k": 7, "same": 1, "more": 0}))
        assert found.names == ["n7"]
        compared = 0
        assert matcher.match(NO_ARGUMENTS._replace(content={"k": 8, "same": 1, "more": 0})).names == ["n8"]
        assert compared <= 8
