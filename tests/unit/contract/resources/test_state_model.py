"""What the state model of a contract holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.contract.resources.state_model import state_model

_THING = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}


def _operation(schema: Any = None, *, body: bool = False, status: str = "200") -> dict[str, Any]:
    content = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
    taken = {"requestBody": {"content": {"application/json": {"schema": _THING}}}} if body else {}
    return {**taken, "responses": {status: {"description": "d", **content}}}


_LIST = _operation({"type": "array", "items": _THING})
_READ = _operation(_THING)
_WRITE = _operation(_THING, body=True)
_DELETE = _operation(status="204")


def _roles(collection: Any) -> dict[str, str]:
    return {role: one.label for role, one in collection.operations.items()}


@pytest.mark.parametrize(
    ("listing", "creating", "item"),
    [
        ("/things", "/things", "/things/{id}"),
        ("/things/", "/things/", "/things/{id}/"),
        ("/things", "/thing", "/thing/{id}"),
        ("/things", "/things/new", "/things/{thingId}"),
        ("/categories", "/category", "/category/{id}"),
        ("/Things", "/Things", "/Things({key})"),
    ],
)
def test_a_collection_is_found_however_its_paths_are_written(
    write_contract: Callable[..., Path], listing: str, creating: str, item: str
) -> None:
    paths: dict[str, Any] = {listing: {"get": _LIST}}
    paths.setdefault(creating, {})["post"] = _operation(_THING, body=True, status="201")
    paths[item] = {"get": _READ, "put": _WRITE, "patch": _WRITE, "delete": _DELETE}
    (found,) = state_model(load_contract(write_contract(paths))).collections
    assert _roles(found) == {
        "list": f"GET {listing}",
        "create": f"POST {creating}",
        "read": f"GET {item}",
        "replace": f"PUT {item}",
        "merge": f"PATCH {item}",
        "delete": f"DELETE {item}",
    }


def test_items_that_the_client_names_are_created_by_put(write_contract: Callable[..., Path]) -> None:
    put = _operation(_THING, body=True, status="201")
    (found,) = state_model(load_contract(write_contract({"/files/{name}": {"get": _READ, "put": put}}))).collections
    assert _roles(found) == {"create": "PUT /files/{name}", "read": "GET /files/{name}", "replace": "PUT /files/{name}"}


def test_what_is_below_an_item_knows_whose_it_is(write_contract: Callable[..., Path]) -> None:
    paths = {
        "/shelves": {"get": _LIST, "post": _WRITE},
        "/shelves/{shelfId}": {"get": _READ, "delete": _DELETE},
        "/shelves/{shelf}/books": {"get": _LIST, "post": _WRITE},
        "/shelves/{shelf}/books/{bookId}": {"get": _READ, "delete": _DELETE},
        "/shelves/{shelf}/label": {"get": _READ, "put": _WRITE, "delete": _DELETE},
        "/settings": {"get": _READ, "patch": _WRITE},
    }
    model = state_model(load_contract(write_contract(paths)))
    assert [(one.path, one.parent) for one in model.collections] == [
        ("/shelves", ""),
        ("/shelves/{shelf}/books", "/shelves"),
    ]
    assert [(one.path, sorted(one.writes), one.parent) for one in model.singletons] == [
        ("/shelves/{shelf}/label", ["replace"], "/shelves"),
        ("/settings", ["merge"], ""),
    ]


def test_a_post_beside_a_get_updates_only_if_it_takes_what_the_get_shows(write_contract: Callable[..., Path]) -> None:
    other = {"type": "object", "properties": {"token": {"type": "string"}}}
    login = {"requestBody": {"content": {"application/json": {"schema": other}}}, "responses": {}}
    paths = {"/profile": {"get": _READ, "post": _WRITE}, "/session": {"get": _READ, "post": login}}
    model = state_model(load_contract(write_contract(paths)))
    assert [one.path for one in model.singletons] == ["/profile"]
