"""Contradictions to what only an extension of ours says: a guess, unless somebody marked it as documented."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.small import Answer, Judged, checked, content_of

SCHEMA = {"type": "object", "required": ["on"], "properties": {"on": {"type": "boolean"}}}


def _forgetful(call: Request) -> Answer:
    """Answer a write as it should be, and remember nothing."""
    value = content_of(call) if call.method == "POST" else {"on": False}
    return (200, value) if isinstance(value, dict) and isinstance(value.get("on"), bool) else (422, {})


def _contract(write_contract: Callable[..., Path], mark: dict[str, Any]) -> Path:
    content = {"application/json": {"schema": SCHEMA}}
    answers = {"200": {"description": "ok", "content": content}}
    operation = {"responses": answers}
    behaviour = {"handler": "setting", "resource": "switch", "value": "", **mark}
    return write_contract(
        {
            "/switch": {
                "get": {**operation, "x-mockserver-behaviour": {**behaviour, "role": "read"}},
                "post": {
                    **operation,
                    "requestBody": {"required": True, "content": content},
                    "x-mockserver-behaviour": {**behaviour, "role": "write"},
                },
            }
        }
    )


def _levels(judged: Judged, check: str) -> set[str]:
    return {one.level for one in judged.found if one.check == check}


@pytest.mark.parametrize(("mark", "level"), [({}, "drift"), ({"x-source": "the manual"}, "violation")])
def test_a_lost_write(write_contract: Callable[..., Path], mark: dict[str, Any], level: str) -> None:
    path = _contract(write_contract, mark)
    assert _levels(checked(path, _forgetful), "reads_show_the_last_write") == {level}


@pytest.mark.parametrize("mark", [{}, {"x-source": "the manual", "x-assumed": {"generated": "a guess"}}])
def test_a_made_value_that_is_not_new(write_contract: Callable[..., Path], mark: dict[str, Any]) -> None:
    path = _contract(write_contract, {**mark, "generated": True})
    assert _levels(checked(path, lambda _: (200, {"on": True})), "generated_values_are_new") == {"drift"}
