"""What OpenAPI 3.2 adds, and rarer parts of 3.1: small contracts, each made for one claim."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]


def _json(**media_type: Any) -> dict[str, Any]:
    return {"200": {"description": "ok", "content": {"application/json": media_type}}}


def test_an_additional_method_has_the_case_that_it_is_written_with(make_stub: MakeStub, write_contract: Write) -> None:
    item = {"additionalOperations": {"Copy": {"responses": _json(example=1)}}, "query": {"responses": _json(example=2)}}
    client = make_stub(write_contract({"/a": item}, openapi="3.2.0"))
    assert client.call("Copy", "/a").json() == 1
    assert client.call("COPY", "/a").status == 405
    assert client.call("QUERY", "/a").json() == 2
    assert client.call("OPTIONS", "/a").fields["allow"] == "Copy, OPTIONS, QUERY"
