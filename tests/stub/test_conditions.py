"""Conditional requests (RFC 9110, section 13), where the contract declares their fields."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]

NOTE = {
    "type": "object",
    "required": ["id", "text"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "text": {"type": "string"},
        "pin": {"type": "string", "writeOnly": True},
        "author": {"type": "string"},
        "updated_at": {"type": "string", "format": "date-time", "readOnly": True},
    },
}
SHOWN = {"id": 7, "text": "as the item's example says"}
LISTED = {"id": 7, "text": "as the list's example says", "author": "Ann", "updated_at": "2020-01-01T00:00:00Z"}


def _answer(schema: Any, example: Any = None) -> dict[str, Any]:
    content = {"schema": schema, **({} if example is None else {"example": example})}
    return {
        "description": "",
        "content": {"application/json": content},
        "headers": {"ETag": {"schema": {"type": "string"}}},
    }


def _fields(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "header", "schema": {"type": "string"}} for name in names]


@pytest.fixture
def client(make_stub: MakeStub, write_contract: Write) -> Client:
    body = {"required": True, "content": {"application/json": {"schema": NOTE}}}
    loose = {"application/merge-patch+json": {"schema": {"type": "object"}}}
    failed = {"412": {"description": ""}}
    path_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    return make_stub(
        write_contract(
            {
                "/notes": {
                    "get": {"responses": {"200": _answer({"type": "array", "items": NOTE}, [LISTED])}},
                    "post": {"requestBody": body, "responses": {"201": _answer(NOTE)}},
                },
                "/notes/{id}": {
                    "parameters": [path_id],
                    "get": {
                        "parameters": _fields("If-None-Match"),
                        "responses": {"200": _answer(NOTE, SHOWN), "304": {"description": ""}},
                    },
                    "put": {
                        "parameters": _fields("If-Match", "If-None-Match"),
                        "requestBody": body,
                        "responses": {"200": _answer(NOTE), "201": _answer(NOTE), **failed},
                    },
                    "patch": {
                        "parameters": _fields("If-Match"),
                        "requestBody": {"content": loose},
                        "responses": {"200": _answer(NOTE), **failed},
                    },
                },
            }
        )
    )


def _put(client: Client, text: str, **fields: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return client.call("PUT", "/notes/7", json={"text": text, "pin": "1234"}, fields=named)


def _patch(client: Client, text: str, tag: str) -> Any:
    fields = {"Content-Type": "application/merge-patch+json", "If-Match": tag}
    return client.call("PATCH", "/notes/7", json={"text": text}, fields=fields)


def test_put_and_patch_hold_to_the_tag_that_was_read(client: Client) -> None:
    read = client.call("GET", "/notes/7").fields["etag"]
    assert _put(client, "b", If_Match='"other"').status == 412
    put = _put(client, "b", If_Match=read)
    assert put.status == 200
    assert put.fields["etag"] != read
    assert client.call("GET", "/notes/7").fields["etag"] == put.fields["etag"]
    assert _put(client, "c", If_Match=read).status == 412
    assert _patch(client, "c", read).status == 412
    patched = _patch(client, "c", put.fields["etag"])
    assert (patched.status, patched.json()["text"]) == (200, "c")
    assert client.call("GET", "/notes/7").fields["etag"] == patched.fields["etag"]
    assert client.call("GET", "/notes/7", fields={"If-None-Match": patched.fields["etag"]}).status == 304
    assert client.call("GET", "/notes/7", fields={"If-None-Match": put.fields["etag"]}).status == 200


def test_a_created_item_is_tagged_as_it_is_read(client: Client) -> None:
    created = client.call("POST", "/notes", json={"text": "new", "pin": "1"})
    assert client.call("GET", created.fields["location"]).fields["etag"] == created.fields["etag"]


@pytest.mark.parametrize(
    ("form", "status"),
    [("{tag}", 200), ('"x", {tag}', 200), ("*", 200), ("W/{tag}", 412), ('"x"', 412), ("", 412)],
)
def test_forms_of_if_match(client: Client, form: str, status: int) -> None:
    tag = client.call("GET", "/notes/7").fields["etag"]
    assert _put(client, "b", If_Match=form.format(tag=tag)).status == status


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"x",{tag}', "*"])
def test_forms_of_if_none_match(client: Client, form: str) -> None:
    tag = client.call("GET", "/notes/7").fields["etag"]
    assert client.call("GET", "/notes/7", fields={"If-None-Match": form.format(tag=tag)}).status == 304
    assert client.call("GET", "/notes/7", fields={"If-None-Match": '"x"'}).status == 200


def test_a_put_that_may_only_make_an_item_or_only_change_one(client: Client) -> None:
    def put(identifier: int, name: str) -> int:
        return client.call("PUT", f"/notes/{identifier}", json={"text": "b"}, fields={name: "*"}).status

    assert put(8, "If-Match") == 412
    assert put(8, "If-None-Match") in {200, 201}
    assert put(8, "If-None-Match") == 412
    assert put(8, "If-Match") in {200, 201}
