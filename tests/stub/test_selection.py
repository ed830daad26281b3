"""Which example answers a call: by name, by what the call says, by its identifier, the first that is valid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]

OBJECT = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}


def _named(**values: Any) -> dict[str, Any]:
    return {name: {"value": value} for name, value in values.items()}


def _operation(examples: dict[str, Any], schema: Any = None, **more: Any) -> dict[str, Any]:
    media_type = {"examples": examples, **({} if schema is None else {"schema": schema})}
    return {"responses": {"200": {"description": "", "content": {"application/json": media_type}}}, **more}


@pytest.fixture
def stub_of(make_stub: MakeStub, write_contract: Write) -> Callable[..., Client]:
    def make(path: str, method: str, operation: dict[str, Any], **options: Any) -> Client:
        return make_stub(write_contract({path: {method: operation}}), **options)

    return make


def test_the_example_whose_request_is_sent(stub_of: Callable[..., Client]) -> None:
    body = {"content": {"application/json": {"examples": _named(small={"size": 1, "kind": "a"}, big={"size": 9})}}}
    client = stub_of("/a", "post", _operation(_named(small={"price": 1}, big={"price": 9}), requestBody=body))
    assert client.call("POST", "/a", json={"size": 9}).json() == {"price": 9}
    assert client.call("POST", "/a", json={"kind": "a", "size": 1}).json() == {"price": 1}
    assert client.call("POST", "/a", json={"size": 9, "more": True}).json() == {"price": 9}  # most of it
    assert client.call("POST", "/a", json={"size": 5}).json() == {"price": 1}  # none: the first


@pytest.mark.parametrize(
    ("query", "expected"), [("kind=cat", "miau"), ("kind=dog", "wow"), ("kind=cow", "wow"), ("", "wow")]
)
def test_the_example_whose_parameter_is_sent(stub_of: Callable[..., Client], query: str, expected: str) -> None:
    parameter = {"name": "kind", "in": "query", "schema": {"type": "string"}, "examples": _named(dog="dog", cat="cat")}
    client = stub_of("/a", "get", _operation(_named(dog="wow", cat="miau"), parameters=[parameter]))
    assert client.call("GET", f"/a?{query}").json() == expected


def test_the_example_with_the_identifier_of_the_path(stub_of: Callable[..., Client]) -> None:
    parameter = {"name": "petId", "in": "path", "required": True, "schema": {"type": "integer"}}
    examples = _named(one={"id": 1, "name": "Rex"}, two={"data": {"id": 2, "name": "Tom"}})
    client = stub_of("/pets/{petId}", "get", _operation(examples, parameters=[parameter]), no_state=True)
    assert client.call("GET", "/pets/2").json()["data"]["name"] == "Tom"
    assert client.call("GET", "/pets/1").json()["name"] == "Rex"
    assert client.call("GET", "/pets/77").json()["name"] == "Rex"


def test_an_example_that_breaks_its_schema_is_passed_over(stub_of: Callable[..., Client]) -> None:
    client = stub_of("/a", "get", _operation(_named(bad={"n": "x"}, good={"n": 2}), OBJECT))
    assert client.call("GET", "/a").json() == {"n": 2}
    assert client.call("GET", "/a", fields={"Prefer": "example=bad"}).json() == {"n": "x"}  # as asked for


def test_what_is_sound_of_a_broken_example_is_kept(stub_of: Callable[..., Client]) -> None:
    answer = stub_of("/a", "get", _operation(_named(bad={"n": "x", "s": "kept"}), OBJECT)).call("GET", "/a").json()
    assert answer["s"] == "kept"
    assert isinstance(answer["n"], int)


def test_an_example_that_is_json_as_text_is_decoded(stub_of: Callable[..., Client]) -> None:
    assert stub_of("/a", "get", _operation(_named(text='{"n": 3}'), OBJECT)).call("GET", "/a").json() == {"n": 3}


def test_dynamic_content_differs_by_call_and_stays_the_same(stub_of: Callable[..., Client]) -> None:
    parameter = {"name": "q", "in": "query", "schema": {"type": "string"}}
    schema = {
        "type": "object",
        "required": ["n"],
        "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 10**9}},
    }
    client = stub_of("/a", "get", _operation(_named(one={"n": 1}), schema, parameters=[parameter]), dynamic=True)
    answers = [client.call("GET", f"/a?q={q}").json()["n"] for q in "abcabc"]
    assert answers[:3] == answers[3:]
    assert len(set(answers)) == 3
    assert client.call("GET", "/a?q=a", fields={"Prefer": "dynamic=false"}).json() == {"n": 1}
