"""Runtime expressions name what an exchange said, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.checks.links import CompletedCall
from mockserver.suite.target.exchange import WireRequest, WireResponse


@pytest.fixture
def said(write_contract: Callable[..., Path]) -> CompletedCall:
    paths = {"/a/{id}/b/{other}": {"post": {"operationId": "add", "responses": {"200": {"description": ""}}}}}
    return CompletedCall(
        load_contract(write_contract(paths)).operations[0],
        WireRequest(
            "POST", "/a/x%2Fy/b/7?q=a%20b&q=c&empty=", (("X-One", "1"),), b'{"a/b": {"n": [1, 2.5]}, "t": "w"}'
        ),
        WireResponse(202, (("Location", "/a/9"),), b'{"id": 9, "ok": true}'),
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$url", "/a/x%2Fy/b/7?q=a%20b&q=c&empty="),
        ("$method", "POST"),
        ("$statusCode", 202),
        ("$request.path.id", "x/y"),
        ("$request.path.other", "7"),
        ("$request.query.q", "a b"),
        ("$request.query.empty", ""),
        ("$request.header.x-one", "1"),
        ("$request.body", {"a/b": {"n": [1, 2.5]}, "t": "w"}),
        ("$request.body#/a~1b/n/1", 2.5),
        ("$response.body#/id", 9),
        ("$response.header.location", "/a/9"),
    ],
)
def test_an_expression_names_a_value(said: CompletedCall, expression: str, value: Any) -> None:
    assert said.value(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "$request.path.none",
            "$request.query.none",
            "$request.header.none",
            "$request.body#/none",
            "$response.body#/0",
        ),
        *(
            "$response.path.id",
            "$response.query.q",
            "$request.body#/t/0",
            "$request.form.a",
            "$requests",
            "request.body",
            "",
        ),
    ],
)
def test_what_was_not_said_is_named_by_none(said: CompletedCall, expression: str) -> None:
    with pytest.raises(LookupError):
        said.value(expression)


def test_content_that_is_no_json_says_nothing(said: CompletedCall) -> None:
    empty = CompletedCall(said.operation, WireRequest("POST", "/a/1/b/2"), WireResponse(204, (), b""))
    for expression in ("$request.body", "$request.body#/t", "$response.body#/id"):
        with pytest.raises(LookupError):
            empty.value(expression)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("/{$request.body#/t}ed_{$response.body#/id}", "/wed_9"),
        ("$response.body#/ok", "true"),
        ("/plain/{id}", "/plain/{id}"),
        ("", ""),
    ],
)
def test_texts_are_filled_in(said: CompletedCall, text: str, filled: str) -> None:
    assert said.filled(text) == filled


def test_a_text_that_cannot_be_filled_in_is_none(said: CompletedCall) -> None:
    with pytest.raises(LookupError):
        said.filled("/{$request.body#/none}")
