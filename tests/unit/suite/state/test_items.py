"""Items that a run creates on a target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from mockserver.contract.reading.document import load_contract
from mockserver.contract.resources.state_model import state_model
from mockserver.suite.identities.identities import Identities
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Session
from mockserver.suite.state.items import Items
from tests.faults.small import Answer, Handler, application, content_of
from tests.wsgi_target import WsgiTarget

_NEW = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 20}}}
_TAKES = {"requestBody": {"content": {"application/json": {"schema": _NEW}}}}
_OPEN: dict[str, Any] = {"responses": {"200": {"description": "d", "content": {"application/json": {}}}}}
_PATHS = {
    "/shelves": {"get": _OPEN, "post": {**_TAKES, **_OPEN}},
    "/shelves/{shelf}": {"get": _OPEN, "delete": _OPEN},
    "/shelves/{shelf}/books": {"get": _OPEN, "post": {**_TAKES, **_OPEN}},
    "/shelves/{shelf}/books/{book}": {"get": _OPEN, "delete": _OPEN},
}
Telling = Callable[[str, Any], Answer]


def _library(tell: Telling) -> Handler:
    held: dict[str, Any] = {}

    def handle(call: Request) -> Answer:
        if call.method == "POST":
            value = content_of(call)
            if value in held.values():
                return 409, {"error": "there is one of that name"}
            path = f"{call.path}/{len(held) + 1}"
            held[path] = value
            return tell(path, value)
        if call.method == "DELETE":
            held.pop(call.path)
            return 204, None
        return (200, held[call.path]) if call.path in held else (404, {})

    return handle


@pytest.mark.parametrize(
    "tell",
    [
        lambda path, _: (201, None, {"Location": f"http://localhost{path}"}),
        lambda path, _: (201, None, {"Location": path}),
        lambda path, value: (201, {"data": {"id": path.rpartition("/")[2], "attributes": value}}),
        lambda path, value: (201, {"metadata": {"uuid": int(path.rpartition("/")[2])}, **value}),
    ],
    ids=["absolute location", "location", "in data", "in metadata"],
)
def test_an_item_is_made_with_its_parents_and_found_wherever_the_response_names_it(
    write_contract: Callable[..., Path], tell: Telling
) -> None:
    contract = load_contract(write_contract(_PATHS))
    items = Items(Session(prepare(contract, WsgiTarget(application(_library(tell))), Identities(()))))
    (collection,) = (one for one in state_model(contract).collections if one.parent)
    first, second = items.create(collection), items.create(collection)
    assert (first.path, second.path) == ("/shelves/1/books/2", "/shelves/3/books/4")
    assert [one.path for one in first.parents] == ["/shelves/1"]
    assert items.read(second).status == 200
    items.clean_up()
    assert items.read(second).status == 404
    assert items.gone == {"/shelves/1", "/shelves/1/books/2", "/shelves/3", "/shelves/3/books/4"}
