"""How long the content of requests may be, and the codings it may come in."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client as WerkzeugClient

from mockserver import create_app
from mockserver.messages import Outcome
from mockserver.plugins.calls import Call
from mockserver.stub.stub_options import StubOptions, text_of_option
from tests.conftest import Client

Receive = Callable[..., Any]
VALUE = b'{"n": [1, 2, 3]}'
RAW = "application/octet-stream"


def _raw_deflate(content: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(content) + made.flush()


@pytest.fixture
def receive(make_stub: Callable[..., Client], write_contract: Callable[..., Path]) -> Receive:
    """Send content in a coding; return what the operation gets, or the response of the refusal."""

    def send(content: bytes, coding: str, media_type: str = "application/json", **options: Any) -> Any:
        got: list[Any] = []

        def keep(call: Call) -> Outcome:
            got.append(call.content)
            return Outcome(0, 1, "kept")

        body: dict[str, Any] = {"content": {"application/json": {"schema": {}}, RAW: {}}}
        answer = {"200": {"description": "", "content": {"application/json": {"schema": {}}}}}
        operation = {"operationId": "o", "requestBody": body, "responses": answer}
        client = make_stub(write_contract({"/a": {"post": operation}}), behaviours={"o": keep}, **options)
        sent = {"Content-Type": media_type, "Content-Encoding": coding}
        response = client.call("POST", "/a", content=content, fields=sent)
        return got[0] if response.status == 200 else response

    return send


@pytest.mark.parametrize(
    ("content", "coding"),
    [
        (gzip.compress(VALUE), "gzip"),
        (gzip.compress(VALUE[:5]) + gzip.compress(VALUE[5:]), "X-GZip"),
        (zlib.compress(VALUE), "deflate"),
        (_raw_deflate(VALUE), "deflate"),
        (gzip.compress(zlib.compress(VALUE)), "deflate, gzip"),
        (VALUE, "identity"),
        (VALUE, ""),
        (gzip.compress(VALUE), "identity , gzip,"),
    ],
    ids=("gzip", "members", "zlib", "deflate", "both", "identity", "none", "blanks"),
)
def test_codings_are_undone(receive: Receive, content: bytes, coding: str) -> None:
    assert receive(content, coding) == {"n": [1, 2, 3]}
    assert receive(content, coding, RAW) == VALUE


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "chunked", "x" * 300, "gzip, gzip, gzip, gzip"])
def test_an_unknown_coding_is_415_with_those_that_are_known(receive: Receive, coding: str) -> None:
    refused = receive(VALUE, coding)
    assert refused.status == 415
    assert refused.fields["accept-encoding"] == "gzip, deflate"
    assert "gzip, deflate" in refused.json()["detail"]


def test_a_coding_that_the_contract_takes_is_no_mistake_of_the_client(
    make_stub: Callable[..., Client], write_contract: Callable[..., Path]
) -> None:
    """Stores of files keep it beside the file, such as `aws-chunked`."""
    coding = {"name": "Content-Encoding", "in": "header", "schema": {"type": "string"}}
    body: dict[str, Any] = {"content": {RAW: {}}}
    responses = {"204": {"description": ""}}
    operation = {"parameters": [coding], "requestBody": body, "responses": responses}
    client = make_stub(write_contract({"/a": {"put": operation}}))
    for sent in ("br", "aws-chunked"):
        head = {"Content-Type": RAW, "Content-Encoding": sent}
        assert client.call("PUT", "/a", content=VALUE, fields=head).status == 204


@pytest.mark.parametrize(
    ("content", "coding"),
    [
        (VALUE, "gzip"),
        (VALUE, "deflate"),
        (gzip.compress(VALUE)[:-1], "gzip"),
        (zlib.compress(VALUE)[:-5], "deflate"),
        (gzip.compress(VALUE), "gzip, gzip"),
        (gzip.compress(VALUE)[:-8] + bytes(8), "gzip"),
    ],
    ids=("plain", "plain-deflate", "cut", "cut-deflate", "once", "checksum"),
)
def test_content_in_another_coding_than_it_says_is_400(receive: Receive, content: bytes, coding: str) -> None:
    refused = receive(content, coding)
    assert refused.status == 400
    assert "Content-Encoding" in refused.json()["detail"]


def test_the_limit_is_that_of_the_decoded_content(receive: Receive) -> None:
    limit = 1000
    for made in (gzip.compress, zlib.compress, _raw_deflate):
        coding = "gzip" if made is gzip.compress else "deflate"
        assert receive(made(b"x" * limit), coding, RAW, max_body=limit) == b"x" * limit
        assert receive(made(b"x" * (limit + 1)), coding, RAW, max_body=limit).status == 413
    assert receive(b"x" * limit, "", RAW, max_body=limit) == b"x" * limit
    assert receive(b"x" * (limit + 1), "", RAW, max_body=limit).status == 413


def test_a_bomb_costs_no_memory(receive: Receive) -> None:
    bomb = gzip.compress(gzip.compress(bytes(100_000_000)))
    assert receive(bomb, "gzip, gzip").status == 413


class _Endless(BytesIO):
    """Input that a server does not end where the content does."""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0, "a server may wait for ever here"
        return b"x" * size


def test_an_upload_of_any_size_in_process(write_contract: Callable[..., Path]) -> None:
    answer = {"201": {"description": "", "content": {"application/json": {"example": {"id": 1}}}}}
    body = {"required": True, "content": {RAW: {"schema": {"type": "string", "format": "binary"}}}}
    contract = write_contract({"/files": {"post": {"requestBody": body, "responses": answer}}})
    client = WerkzeugClient(create_app(contract, max_body=40_000_000).wsgi_app)
    for length, status in ((33_000_000, 201), (40_000_000, 201), (40_000_001, 413)):
        sent = {"CONTENT_TYPE": RAW, "CONTENT_LENGTH": str(length), "wsgi.input": _Endless()}
        assert client.post("/files", environ_overrides=sent).status_code == status


@pytest.mark.parametrize(
    ("given", "limit"), [("20", 20), ("2KiB", 2048), ("1k", 1024), ("1 MB", 1 << 20), ("3G", 3 << 30)]
)
def test_sizes_as_people_write_them(given: str, limit: int) -> None:
    read = text_of_option(next(one for one in fields(StubOptions) if one.name == "max_body")).read
    assert read is not None
    assert read(given) == limit


def test_the_option(serve: Callable[..., Any], write_contract: Callable[..., Path]) -> None:
    body: dict[str, Any] = {"content": {RAW: {}}}
    contract = write_contract({"/a": {"post": {"requestBody": body, "responses": {"204": {"description": ""}}}}})
    client = serve("--contract", str(contract), "--max-body", "2KiB").client
    for size, status in ((2048, 204), (2049, 413)):
        assert client.call("POST", "/a", content=b"x" * size, fields={"Content-Type": RAW}).status == status


@pytest.mark.parametrize("given", ["", "-1", "1.5M", "many", "1T"])
def test_a_size_that_is_none_is_told(command: Callable[..., Any], given: str) -> None:
    done = command("serve", "--max-body", given)
    assert done.returncode == 2
    assert "16MiB" in done.stderr
