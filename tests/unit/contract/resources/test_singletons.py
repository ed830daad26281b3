from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.contract.resources.singletons import Transitions, name_members, shows_value, transitions


@pytest.mark.parametrize(
    ("place", "example", "names"),
    [
        (
            {"value": "/thing/it", "status": "/thing/at"},
            {"thing": {"called": "lamp", "at": "on", "it": {}}},
            {"called"},
        ),
        ({"value": "/it"}, {"called": "lamp", "it": {"called": "lamp"}}, {"called"}),
        ({"status": "/at"}, {"at": "lamp", "of": "lamp", "other": "lamps"}, {"of"}),
        ({"value": "/it"}, {"it": "lamp"}, set()),
        ({}, {"called": "lamp"}, set()),
        ({"value": "/it"}, {"it": "on"}, set()),
    ],
)
def test_a_singleton_is_named_beside_its_value_or_status(
    write_contract: Callable[..., Path], place: dict[str, str], example: Any, names: set[str]
) -> None:
    behaviour = {"handler": "setting", "role": "read", "resource": "lamp", **place}
    content = {"application/json": {"example": example}}
    get = {
        "operationId": "look",
        "x-mockserver-behaviour": behaviour,
        "responses": {"200": {"description": "ok", "content": content}},
    }
    contract = load_contract(write_contract({"/lamp": {"get": get}}))
    assert name_members(contract, contract.operations[0]) == names


def _answer(schema: Any, example: Any = None) -> dict[str, Any]:
    shown = {"schema": schema, **({} if example is None else {"example": example})}
    return {"200": {"description": "ok", "content": {"application/json": shown}}}


def _lamp(role: str, schema: Any, example: Any = None, **places: str) -> dict[str, Any]:
    behaviour = {"handler": "setting", "role": role, "resource": "lamp", "status": "/at", **places}
    return {"operationId": role, "x-mockserver-behaviour": behaviour, "responses": _answer(schema, example)}


@pytest.mark.parametrize(
    ("schema", "examples", "expected"),
    [
        ({}, {}, Transitions("applying", "applied", "deleting")),
        ({"enum": ["on", "applying"]}, {}, Transitions("applying", "on", "applying")),
        ({}, {"put": {"at": "dimming"}, "get": {"at": "lit"}}, Transitions("dimming", "lit", "deleting")),
        ({}, {"put": {"at": 1}, "get": {"at": 2}, "delete": {"at": 3}}, Transitions(1, 2, 3)),
        ({}, {"put": {"elsewhere": "x"}}, Transitions("applying", "applied", "deleting")),
    ],
)
def test_statuses_are_those_of_examples_and_else_usual_words(
    write_contract: Callable[..., Path], schema: Any, examples: dict[str, Any], expected: Transitions
) -> None:
    whole = {"type": "object", "properties": {"at": schema}}
    roles = {"put": "write", "get": "read", "delete": "reset"}
    path = {method: _lamp(role, whole, examples.get(method)) for method, role in roles.items()}
    assert transitions(load_contract(write_contract({"/lamp": path})), "lamp") == expected


@pytest.mark.parametrize(
    ("role", "places", "expected"),
    [
        ("write", {}, False),
        ("write", {"value": "/it"}, True),
        ("write", {"status": ""}, True),
        ("reset", {}, False),
        ("read", {}, True),
    ],
)
def test_a_write_that_answers_with_a_status_alone_echoes_nothing(
    write_contract: Callable[..., Path], role: str, places: dict[str, str], expected: bool
) -> None:
    contract = load_contract(write_contract({"/lamp": {"put": _lamp(role, {}, **places)}}))
    assert shows_value(contract.operations[0]) is expected
