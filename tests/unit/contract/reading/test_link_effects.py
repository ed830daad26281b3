"""What a link says is shown where it leads: where it is looked for, and which links say anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.contract.reading.link_effects import link_effects, values_at

SHOWN = {"items": [{"tags": ["a", "b"]}, {"tags": []}, {"name": "c"}, 4], "*": 5, "one": {"a/b": None}}


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("/one/a~1b", [None]),
        ("/one/x", []),
        ("/items/0/tags/1", ["b"]),
        ("/items/*/tags/*", ["a", "b"]),
        ("/items/*/name", ["c"]),
        ("/items/*", SHOWN["items"]),
        ("/one/*", []),
        ("/nothing/*/at", []),
    ],
)
def test_a_star_stands_for_every_item(pointer: str, found: list[Any]) -> None:
    assert values_at(SHOWN, pointer) == found


def test_links_that_lead_somewhere_and_say_something_are_told(write_contract: Callable[..., Path]) -> None:
    def link(**members: Any) -> dict[str, Any]:
        return {"operationId": "read", **members}

    links = {
        "plain": link(),
        "telling": link(parameters={"id": "$response.body#/id"}, **{"x-mockserver-shows": {"/name": "$request.body"}}),
        "elsewhere": {"operationId": "nowhere", "x-mockserver-shows": {"/name": 1}},
        "shared": {"$ref": "#/components/links/shared"},
    }
    paths = {
        "/a": {"post": {"operationId": "add", "responses": {"200": {"description": "", "links": links}}}},
        "/a/{id}": {"get": {"operationId": "read", "responses": {"200": {"description": ""}}}},
    }
    shared = {"links": {"shared": link(**{"x-mockserver-shows": {"/name": "x"}})}}
    found = list(link_effects(load_contract(write_contract(paths, components=shared))))
    assert [(one.link, one.call.id, one.read.id, dict(one.shows)) for one in found] == [
        ("telling", "add", "read", {"/name": "$request.body"}),
        ("shared", "add", "read", {"/name": "x"}),
    ]
    assert found[0].parameters == {"id": "$response.body#/id"}
    assert found[1].pointer == "/components/links/shared/x-mockserver-shows"
