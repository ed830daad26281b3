"""Content of every media type, as the behaviour of an operation sees it."""

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

FORM: dict[str, Any] = {
    "type": "object",
    "required": ["n"],
    "properties": {
        "n": {"type": "integer"},
        "list": {"type": "array", "items": {"type": "integer"}},
        "object": {"type": "object", "properties": {"a": {"type": "integer"}}},
        "file": {"type": "string", "format": "binary"},
        "on": {"type": "boolean"},
    },
}
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


def _parts(*parts: tuple[str, bytes]) -> bytes:
    shown = (f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts)
    return b"".join(shown) + b"--b--\r\n"


@pytest.fixture
def receive(make_stub: MakeStub, write_contract: Write) -> Callable[..., Any]:
    """Send content, and return what the operation gets, or the status of the refusal."""

    def send(content: bytes, field: str, offer: str, schema: Any, **media_type: Any) -> Any:
        got: list[Any] = []

        def keep(call: Call) -> Outcome:
            got.append(call.content)
            return Outcome(0, 1, "kept")

        body = {"required": True, "content": {offer: {"schema": schema, **media_type}}}
        answer = {"200": {"description": "", "content": {"application/json": {"schema": {}}}}}
        operation = {"operationId": "o", "requestBody": body, "responses": answer}
        client = make_stub(write_contract({"/a": {"post": operation}}), behaviours={"o": keep})
        status = client.call("POST", "/a", content=content, fields={"Content-Type": field}).status
        return got[0] if status == 200 else status

    return send


FORMS: list[tuple[bytes, str, Any]] = [
    (b"n=1", URLENCODED, {"n": 1}),
    (b"n=1&list=1&list=2&x=a+b", URLENCODED, {"n": 1, "list": [1, 2], "x": "a b"}),
    (b"n=1&object=%7B%22a%22%3A1%7D&on=true", URLENCODED, {"n": 1, "object": {"a": 1}, "on": True}),
    (b"n=1&object[a]=2", URLENCODED, {"n": 1, "object": {"a": 2}}),
    (b"n=x", URLENCODED, 422),
    (b"", URLENCODED, 422),
    (b"\xff=1", URLENCODED, 400),
    (b"n=1&x=%E9\xe9%20%2C+%61", f"{URLENCODED}; charset=iso-8859-1", {"n": 1, "x": "\u00e9\u00e9 , a"}),
    (b"n=1&list=%31&list=2", f"{URLENCODED}; charset=windows-1252", {"n": 1, "list": [1, 2]}),
    (_parts(('name="n"\r\nContent-Type: text/plain; charset=latin-1', b"1")), MULTIPART, {"n": 1}),
    (
        _parts(('name="n"', b"1"), ('name="x"\r\nContent-Type: text/plain; charset=windows-1252', b"\x80")),
        MULTIPART,
        {"n": 1, "x": "\u20ac"},
    ),
    (_parts(('name="n"', b"1"), ('name="list"', b"1"), ('name="list"', b"2")), MULTIPART, {"n": 1, "list": [1, 2]}),
    (_parts(('name="n"', b"1"), ('name="list"', b"[3]")), MULTIPART, {"n": 1, "list": [3]}),
    (_parts(('name="n"', b"1"), ('name="object"', b'{"a":1}')), MULTIPART, {"n": 1, "object": {"a": 1}}),
    (_parts(('name="n"', b"1"), ('name="file"; filename="f"', b"\xff")), MULTIPART, {"n": 1, "file": "\xff"}),
    (_parts(('name="n"', b"x")), MULTIPART, 422),
    (_parts(), MULTIPART, 422),
    (b"nonsense", "multipart/form-data", 400),
    # Line breaks without CR, text before the first part, blanks behind a boundary, a head without an empty line.
    (_parts(('name="n"', b"1")).replace(b"\r\n", b"\n"), MULTIPART, {"n": 1}),
    (b"before\r\n" + _parts(('name="n"', b"1")) + b"after", MULTIPART, {"n": 1}),
    (_parts(('name="n"', b"1")).replace(b"--b\r\n", b"--b \t\r\n"), MULTIPART, {"n": 1}),
    (
        _parts(('name="n"', b"1"), ('name="file"', b"")).replace(b"\r\n\r\n\r\n", b"\r\n"),
        MULTIPART,
        {"n": 1, "file": ""},
    ),
    # The boundary where it is none: not at the beginning of a line, and longer.
    (
        _parts(('name="n"', b"1"), ('name="x"', b" --b\r\n--bb\r\n--b-")),
        MULTIPART,
        {"n": 1, "x": " --b\r\n--bb\r\n--b-"},
    ),
    # Torn: in the end, in the content, in a head.
    *((_parts(('name="n"', b"1"))[:size], MULTIPART, 400) for size in (-3, -4, -6, -10, 20)),
]


@pytest.mark.parametrize(("content", "field", "expected"), FORMS)
def test_forms(receive: Callable[..., Any], content: bytes, field: str, expected: Any) -> None:
    assert receive(content, field, field.partition(";")[0], FORM) == expected


def test_a_form_without_fields_is_one(receive: Callable[..., Any]) -> None:
    assert receive(_parts(), MULTIPART, "multipart/form-data", {"type": "object"}) == {}


@pytest.mark.parametrize(("content", "field"), [(b"n=1", URLENCODED), (_parts(('name="n"', b"1")), MULTIPART)])
def test_a_form_of_a_schema_without_fields_is_taken_as_it_is(
    receive: Callable[..., Any], content: bytes, field: str
) -> None:
    offer = field.partition(";")[0]
    assert receive(content, field, offer, {"type": "string"}) == content
    assert receive(content, field, offer, {"type": ["string", "object"]}) == {"n": "1"}


def test_the_encoding_of_a_form(receive: Callable[..., Any]) -> None:
    encoding = {"list": {"style": "pipeDelimited", "explode": False}}
    assert receive(b"n=1&list=1|2", URLENCODED, URLENCODED, FORM, encoding=encoding) == {"n": 1, "list": [1, 2]}


OTHERS: list[tuple[bytes, str, str, Any, Any]] = [
    (b'{"a":1}', "application/merge-patch+json", "application/*", {"type": "object"}, {"a": 1}),
    (b"[]", "application/json; charset=UTF-8", "application/json; charset=utf-8", {"type": "array"}, []),
    (b"[]", "application/json", "*/*", {"type": "object"}, 422),
    (b"x", "image/png", "image/*", {"type": "string", "format": "binary"}, b"x"),
    (b"x", "text/plain", "image/*", {}, 415),
    (b"5", "text/plain", "text/plain", {"type": "integer"}, 5),
    (b"\xe9", "text/plain; charset=latin-1", "text/plain", {"type": "string"}, "\u00e9"),
    (b"x", "text/plain; charset=nonsense", "text/plain", {"type": "string"}, 415),
    (b"x", "text/plain; charset=base64", "text/plain", {"type": "string"}, 415),
    (b"x", "text/plain; charset=idna", "text/plain", {"type": "string"}, 415),
    (b"[]", "application/json; charset=us-ascii", "application/json", {"type": "array"}, []),
    (b"[]", "application/json; charset=latin-1", "application/json", {"type": "array"}, 415),
    (b"[]", "text/x-json", "text/x-json", {"type": "array"}, []),
    (b"", "text/plain", "text/plain", {"type": "string"}, ""),
    (b"", "application/json", "application/json", {}, 400),
    (b"a,b\n1,2", "text/csv", "text/csv", {"type": "array", "items": {"type": "object"}}, b"a,b\n1,2"),
    (b"a,b", "text/csv", "text/csv", {"type": ["array", "string"], "maxLength": 2}, 422),
    (b"<a><n>1</n></a>", "application/xml", "application/xml", FORM, {"n": 1}),
    (b"<a><n>x</n></a>", "text/xml", "text/xml", FORM, 422),
    (b"<a>", "application/xml", "application/xml", FORM, 400),
    (b"<a><s>\xe9</s></a>", "application/xml; charset=iso-8859-1", "application/xml", {}, {"s": "\u00e9"}),
    ("<a><s>\u20ac</s></a>".encode("utf-16"), "text/xml; charset=utf-16", "text/xml", {}, {"s": "\u20ac"}),
    (b'<?xml version="1.0" encoding="iso-8859-1"?><a><s>\xe9</s></a>', "text/xml", "text/xml", {}, {"s": "\u00e9"}),
    (
        b'<?xml version="1.0" encoding="x"?><a><s>\xe9</s></a>',
        "text/xml; charset=latin-1",
        "text/xml",
        {},
        {"s": "\u00e9"},
    ),
    (b"<a>\xe9</a>", "application/xml; charset=utf-8", "application/xml", {}, 400),
    (b'{"a":1}\n\n[2]\n', "application/x-ndjson", "application/x-ndjson", {"type": "array"}, [{"a": 1}, [2]]),
    (b"\x1e1\n\x1e2\n", "application/json-seq", "application/json-seq", {"type": "array"}, [1, 2]),
    (b"1\n2\n", "application/jsonl", "application/jsonl", {"type": "array", "maxItems": 1}, 422),
    (b"{\n", "application/jsonl", "application/jsonl", {"type": "array"}, 400),
    (b"1\n2\n", "application/jsonl", "application/jsonl", {"type": "integer"}, b"1\n2\n"),
]


@pytest.mark.parametrize(("content", "expected"), [(b"1\n2\n", [1, 2]), (b'1\n"2"\n', 422), (b"", [])])
def test_the_schema_of_an_item_judges_each_line(receive: Callable[..., Any], content: bytes, expected: Any) -> None:
    lines = "application/jsonl"
    assert receive(content, lines, lines, True, itemSchema={"type": "integer"}) == expected


def test_lines_are_generated_by_the_schema_of_an_item(make_stub: MakeStub, write_contract: Write) -> None:
    content = {"application/jsonl": {"itemSchema": {"const": {"a": 1}}}}
    answer = {"responses": {"200": {"description": "", "content": content}}}
    assert make_stub(write_contract({"/a": {"get": answer}})).call("GET", "/a").content == b'{"a":1}\n'


@pytest.mark.parametrize(("content", "field", "offer", "schema", "expected"), OTHERS)
def test_other_content(
    receive: Callable[..., Any], content: bytes, field: str, offer: str, schema: Any, expected: Any
) -> None:
    assert receive(content, field, offer, schema) == expected


def test_secrets_of_a_range_are_masked_in_the_journal(make_stub: MakeStub, write_contract: Write) -> None:
    schema = {"type": "object", "properties": {"pin": {"type": "string", "writeOnly": True}}}
    operation = {
        "requestBody": {"content": {"application/*": {"schema": schema}}},
        "responses": {"204": {"description": ""}},
    }
    client = make_stub(write_contract({"/a": {"post": operation}}))
    assert client.call("POST", "/a", json={"pin": "1234"}).status == 204
    assert client.journal()[0]["request"]["content"] == {"pin": "********"}
