"""OpenAPI links are followed: a fault that shows itself only to who follows one is found."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from mockserver.stub.app import create_app
from tests.faults.small import commanded

Write = Callable[..., Path]

LINK = {"shown": {"operationId": "show", "parameters": {"ref": "$response.body#/receipt/token"}}}


def _answer(schema: Any, **more: Any) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}, **more}


def _paths(**links: Any) -> dict[str, Any]:
    """Return two operations whose names do not tell that they belong together."""
    number = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    receipt = {"type": "object", "required": ["token"], "properties": {"token": {"type": "string"}}}
    body = {"required": True, "content": {"application/json": {"schema": number}}}
    taken = {"type": "object", "required": ["receipt"], "properties": {"receipt": receipt}}
    refused = {"422": {"description": ""}}
    ref = {"name": "ref", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/orders": {
            "post": {
                "operationId": "order",
                "requestBody": body,
                "responses": {"201": _answer(taken, **links), **refused},
            }
        },
        "/shown/{ref}": {
            "get": {
                "operationId": "show",
                "parameters": [ref],
                "responses": {"200": _answer(number), "404": {"description": ""}},
            }
        },
    }


class _Faulty:
    """The stub of a contract, but for what was ordered: that is shown with a text for a number."""

    def __init__(self, contract: Path) -> None:
        self._application = create_app(contract).wsgi_app
        self._issued: set[str] = set()
        self.shown = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method == "GET" and path.removeprefix("/shown/") in self._issued:
            self.shown += 1
            return self._give(start_response, "200 OK", {"n": "seven"})
        head: list[Any] = []
        chunks = self._application(environ, lambda line, fields, *_: head.extend((line, fields)))  # type: ignore[arg-type]
        if method == "POST" and head[0].startswith("201"):
            token = secrets.token_hex(8)  # nobody guesses it
            self._issued.add(token)
            return self._give(start_response, "201 Created", {"receipt": {"token": token}})
        start_response(*head)
        return chunks

    @staticmethod
    def _give(start_response: Callable[..., Any], line: str, value: Any) -> Iterable[bytes]:
        start_response(line, [("Content-Type", "application/json")])
        return [json.dumps(value).encode()]


#: Links to what is not there.
BROKEN = {
    "lost": {"operationId": "nowhere"},
    "odd": {"operationId": "show", "parameters": {"reference": "$response.body#/receipt/token"}},
}


@pytest.mark.parametrize(
    ("links", "code"),
    [({"links": LINK}, 1), ({"links": BROKEN | LINK}, 1), ({}, 0)],
    ids=["with the link", "beside broken ones", "without it"],
)
def test_a_fault_behind_a_link_is_found(write_contract: Write, tmp_path: Path, links: Any, code: int) -> None:
    path = write_contract(_paths(**links))
    faulty = _Faulty(path)
    told = commanded("fuzz", faulty, tmp_path, contract=path, max_examples=5)
    assert told.exit_code == code, told.page
    assert bool(faulty.shown) == bool(code)
    if code:
        assert "GET /shown/{ref}" in told.page
        assert "seven" in told.page


def test_a_link_that_cannot_be_followed_is_told(write_contract: Write, tmp_path: Path) -> None:
    path = write_contract(_paths(links=BROKEN))
    told = commanded("fuzz", create_app(path).wsgi_app, tmp_path, contract=path, max_examples=1)
    assert told.exit_code == 0, told.page
    reasons = " ".join(row["why"] for row in told.report["coverage"])
    assert "the link lost of 201 is not followed: Operation 'nowhere' not found" in reasons
    assert "the link odd of 201 is not followed: Parameter `reference` is not defined" in reasons
    assert "the link lost of 201 is not followed" in " ".join(told.page.split())
