"""Streams of the stub: events, lines and records of JSON, parts; from examples, schemas and state, and by request."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.http.content.sequence_writer import sequence_writer
from mockserver.http.content.sequences import read_sequence
from tests.conftest import Answer, Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]
EVENTS = "text/event-stream"
NUMBER: dict[str, Any] = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=8).filter(lambda text: "\0" not in text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def _items(answer: Answer) -> list[Any]:
    """Return what a client reads of a stream, JSON decoded; its framing must be right."""
    found = read_sequence(answer.content, answer.fields["content-type"], whole=True)
    assert found is not None
    assert found.flaw == ""
    return [_json(item.content) for item in found.items]


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode()


@pytest.fixture
def get(make_stub: MakeStub, write_contract: Write) -> Callable[..., Answer]:
    """Call an operation whose response is documented by a Media Type Object."""

    def call(name: str, documented: dict[str, Any], **fields: str) -> Answer:
        answer = {"200": {"description": "", "content": {name: documented}}}
        contract = write_contract({"/s": {"get": {"responses": answer}}}, openapi="3.2.0")
        return make_stub(contract).call("GET", "/s", fields=fields)

    return call


@given(values=st.lists(VALUES.filter(lambda value: not isinstance(value, str)), max_size=4))
@pytest.mark.parametrize(
    "name", [EVENTS, "application/jsonl", "application/x-ndjson", "application/json-seq", "multipart/mixed; boundary=b"]
)
def test_what_is_written_is_read(name: str, values: list[Any]) -> None:
    write = sequence_writer(name)
    assert write is not None
    pieces = write(values)
    found = read_sequence(b"".join(pieces), name, whole=True)
    assert found is not None
    assert found.flaw == ""
    # An object with `data` and fields of events alone is an event, and what it has under `data` its data.
    if name == EVENTS:
        values = [value["data"] if isinstance(value, dict) and [*value] == ["data"] else value for value in values]
    assert [_json(item.content) for item in found.items] == values
    assert len(pieces) == max(len(values), name.startswith("multipart"))


@pytest.mark.parametrize(
    ("documented", "wanted"),
    [
        ({"example": "event: tick\ndata: 1\n\n: a comment\n\ndata: 2"}, [1, 2]),
        ({"example": 'data: {"a":\r\ndata: 1}\r\n\r\ndata: [DONE]\r\n\r\n'}, [{"a": 1}, "[DONE]"]),
        ({"example": "\n\nid: 1\ndata: x\n\n"}, ["x"]),
        ({"example": '{"n": 1}\n\n{"n": 2}\n\n[DONE]'}, [{"n": 1}, {"n": 2}, "[DONE]"]),
        ({"example": "hello"}, ["hello"]),
        ({"example": ""}, []),
        ({"schema": NUMBER, "example": {"n": 1}}, [{"n": 1}]),
        ({"schema": {"type": "array", "items": NUMBER}, "example": [{"n": 1}, {"n": 2}]}, [{"n": 1}, {"n": 2}]),
        ({"itemSchema": NUMBER, "example": [{"n": 1}, {"n": 2}]}, [{"n": 1}, {"n": 2}]),
        (
            {"schema": NUMBER, "examples": {"b": {"value": {"n": 1}}, "a": {"value": {"n": 2}}}},
            [{"n": 1}, {"n": 2}],
        ),
        (
            {"example": [{"event": "e", "id": "7", "data": {"n": 1}}, {"event": "end", "data": "[DONE]"}]},
            [{"n": 1}, "[DONE]"],
        ),
    ],
)
def test_events_of_examples(get: Callable[..., Answer], documented: dict[str, Any], wanted: list[Any]) -> None:
    answer = get(EVENTS, documented)
    assert answer.status == 200
    assert answer.fields["content-type"] == EVENTS
    assert _items(answer) == wanted


def test_a_framed_text_is_sent_as_it_is(get: Callable[..., Answer]) -> None:
    text = ": hi\nretry: 5\n\nevent: tick\rdata: 1\r\rdata: 2\r\n\r\n"
    assert get(EVENTS, {"example": text}).content == text.encode()


def test_one_of_several_examples_can_be_asked_for(get: Callable[..., Answer]) -> None:
    documented = {"examples": {"b": {"value": {"n": 1}}, "a": {"value": {"n": 2}}}}
    assert _items(get(EVENTS, documented, Prefer="example=a")) == [{"n": 2}]


@pytest.mark.parametrize("keyword", ["schema", "itemSchema"])
@pytest.mark.parametrize("name", [EVENTS, "application/jsonl", "application/json-seq", "multipart/mixed"])
def test_made_up_items_keep_their_schema(get: Callable[..., Answer], name: str, keyword: str) -> None:
    items = _items(get(name, {keyword: NUMBER if keyword == "itemSchema" else {"type": "array", "items": NUMBER}}))
    assert items
    assert all(isinstance(item["n"], int) for item in items)


def _branch(kind: str) -> dict[str, Any]:
    properties = {"type": {"const": kind}, "sequence_number": {"type": "integer"}, "index": {"type": "integer"}}
    return {"type": "object", "required": [*properties], "properties": properties}


def test_each_branch_of_a_union_is_an_item_and_failures_are_none(get: Callable[..., Answer]) -> None:
    parts = {"anyOf": [_branch("part.done"), _branch("part.delta"), _branch("part.added")]}
    kinds = {"oneOf": [_branch("run.completed"), _branch("run.failed"), _branch("error"), parts, _branch("runCreated")]}
    items = _items(get(EVENTS, {"itemSchema": kinds}))
    assert [item["type"] for item in items] == ["runCreated", "part.added", "part.delta", "part.done", "run.completed"]
    assert [item["sequence_number"] for item in items] == [0, 1, 2, 3, 4]
    assert {item["index"] for item in items} == {0}


def test_the_data_of_an_event_keep_their_own_schema(get: Callable[..., Answer]) -> None:
    """As OpenAPI 3.2 describes events, in section 4.14.3."""
    event = {"type": "object", "required": ["data"], "properties": {"data": {"type": "string"}, "event": {}}}
    data = {"contentMediaType": "application/json", "contentSchema": NUMBER}
    branches = [
        {"properties": {"event": {"const": "text"}}},
        {"required": ["event"], "properties": {"event": {"const": "number"}, "data": data}},
    ]
    answer = get(EVENTS, {"itemSchema": {**event, "oneOf": branches}})
    assert b"event: number\n" in answer.content
    assert any(isinstance(item, dict) and isinstance(item["n"], int) for item in _items(answer))


def test_members_of_an_object_are_parts(get: Callable[..., Answer]) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": NUMBER}}
    documented = {"schema": schema, "example": {"a": "x", "b": {"n": 1}}}
    assert _items(get("multipart/mixed", documented)) == ["x", {"n": 1}]
    text = "--own\nContent-Type: text/plain\n\nx\n--own\nContent-Type: text/plain\n\ny\n--own--\n"
    assert _items(get("multipart/mixed", {"example": text})) == ["x", "y"]


def test_it_is_sent_in_chunks_that_are_paced(serve: Callable[..., Any], write_contract: Write) -> None:
    example = {"example": "data: 1\n\ndata: 2\n\n"}
    answer = {"200": {"description": "", "content": {EVENTS: example}}}
    server = serve(
        "--contract", str(write_contract({"/s": {"get": {"responses": answer}}})), "--stream-interval", "3600"
    )
    import requests

    with requests.get(f"{server.url}/s", stream=True, timeout=120) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert next(response.iter_content(None)) == b"data: 1\n\n"
    assert requests.head(f"{server.url}/s", timeout=120).text == ""


def _chat(media_types: dict[str, Any], member: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a contract's path whose operation documents several media types, and a member of its request."""
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": member}}}}
    responses = {"200": {"description": "", "content": media_types}, "400": {"description": ""}}
    return {"/chats": {"post": {"requestBody": body, "responses": responses}, **more}}


WHOLE = {"schema": {"type": "object", "properties": {"id": {"type": "string"}, "text": {"type": "string"}}}}
CHUNK = {"schema": NUMBER, "examples": {"a": {"value": {"n": 1}}, "b": {"value": {"n": 2}}}}
FLAG = {"stream": {"type": ["boolean", "null"], "default": False}}


@pytest.mark.parametrize("streamed", [EVENTS, "application/x-ndjson", "application/stream+json"])
@pytest.mark.parametrize(
    ("member", "content", "accept", "streams"),
    [
        (FLAG, {"stream": True}, "application/json", True),
        (FLAG, {"stream": True}, "<none>", True),
        (FLAG, {"stream": False}, "<none>", False),
        (FLAG, {"stream": None}, "*/*", False),
        (FLAG, {}, "application/json", False),
        ({"stream": {"type": "boolean", "default": True}}, {}, "<none>", True),
        ({"stream": {"type": "boolean", "default": True}}, {"stream": False}, "<none>", False),
        ({"response_mode": {"enum": ["blocking", "streaming"]}}, {"response_mode": "streaming"}, "<none>", True),
        ({"response_mode": {"enum": ["blocking", "streaming"]}}, {"response_mode": "blocking"}, "<none>", False),
        ({"stream_format": {"enum": ["sse", "audio"], "default": "audio"}}, {"stream_format": "sse"}, "*/*", True),
        ({"stream": {"type": "string"}}, {"stream": "main"}, "application/json", False),
        ({"other": {}}, {"stream": True}, "application/json", False),
    ],
)
def test_a_documented_member_of_the_request_decides(
    make_stub: MakeStub,
    write_contract: Write,
    streamed: str,
    member: dict[str, Any],
    content: dict[str, Any],
    accept: str,
    streams: bool,
) -> None:
    for media_types in ({streamed: CHUNK, "application/json": WHOLE}, {"application/json": WHOLE, streamed: CHUNK}):
        client = make_stub(write_contract(_chat(media_types, member)))
        answer = client.call("POST", "/chats", json=content, fields={"Accept": accept})
        assert answer.status == 200
        assert answer.fields["content-type"] == (streamed if streams else "application/json")
        if streams:
            assert _items(answer) == [{"n": 1}, {"n": 2}]
        else:
            assert "text" in answer.json()


def test_without_a_member_accept_decides(make_stub: MakeStub, write_contract: Write) -> None:
    client = make_stub(write_contract(_chat({"application/json": WHOLE, EVENTS: CHUNK}, {})))
    assert client.call("POST", "/chats", json={}).fields["content-type"] == "application/json"
    assert _items(client.call("POST", "/chats", json={}, fields={"Accept": EVENTS})) == [{"n": 1}, {"n": 2}]


def test_a_parameter_decides_too(make_stub: MakeStub, write_contract: Write) -> None:
    stream = {"name": "stream", "in": "query", "schema": {"type": "boolean"}}
    responses = {"200": {"description": "", "content": {"application/json": WHOLE, EVENTS: CHUNK}}}
    client = make_stub(write_contract({"/log": {"get": {"parameters": [stream], "responses": responses}}}))
    assert _items(client.call("GET", "/log?stream=true")) == [{"n": 1}, {"n": 2}]
    assert client.call("GET", "/log?stream=false").fields["content-type"] == "application/json"


def test_a_stream_of_something_else_leaves_state_alone(make_stub: MakeStub, write_contract: Write) -> None:
    listed = {"application/json": {"schema": {"type": "array", "items": WHOLE["schema"]}}}
    many = {"responses": {"200": {"description": "", "content": listed}}}
    paths = _chat({"application/json": WHOLE, EVENTS: CHUNK}, {**FLAG, "text": {"type": "string"}}, get=many)
    one = {
        "responses": {"200": {"description": "", "content": {"application/json": WHOLE}}, "404": {"description": ""}}
    }
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    client = make_stub(write_contract({**paths, "/chats/{id}": {"parameters": [identifier], "get": one}}))
    made = client.call("POST", "/chats", json={"text": "kept"}).json()
    assert _items(client.call("POST", "/chats", json={"text": "a", "stream": True})) == [{"n": 1}, {"n": 2}]
    assert client.call("GET", f"/chats/{made['id']}").json()["text"] == "kept"


def test_items_of_a_collection_are_streamed(make_stub: MakeStub, write_contract: Write) -> None:
    item = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}}
    listed = {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}}
    streamed = {"itemSchema": {"$ref": "#/components/schemas/Item"}}
    own = {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}
    many = {"200": {"description": "", "content": {"application/json": listed, EVENTS: streamed}}}
    created = {"201": {"description": "", "content": own}}
    one = {"200": {"description": "", "content": own}, "404": {"description": ""}}
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    contract = write_contract(
        {
            "/items": {
                "get": {"responses": many},
                "post": {"requestBody": {"content": own}, "responses": created},
            },
            "/items/{id}": {"parameters": [identifier], "get": {"responses": one}},
        },
        openapi="3.2.0",
        components={"schemas": {"Item": item}},
    )
    client = make_stub(contract)
    client.call("POST", "/items", json={"id": "a", "n": 5})
    items = _items(client.call("GET", "/items", fields={"Accept": EVENTS}))
    assert items == client.call("GET", "/items").json()
    assert {"id": "a", "n": 5} in items
