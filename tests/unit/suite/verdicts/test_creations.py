"""What made an item comes before what is told of it, whatever the item is called by."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.verdicts.creations import Creations

JSON = ("Content-Type", "application/json")


def _made(path: str, body: Any, *fields: tuple[str, str], method: str = "POST", status: int = 201) -> Exchange:
    request = WireRequest(method, path, (JSON,), json.dumps({"for": path, "shown": body}).encode())
    return Exchange(request, WireResponse(status, (JSON, *fields), json.dumps(body).encode()))


def _get(path: str) -> WireRequest:
    return WireRequest("GET", path, (), None)


@pytest.mark.parametrize(
    "made",
    [
        _made("/things", {"id": 7}),
        _made("/things/", {"data": {"thing_id": "7"}}),
        _made("/things", None, ("Location", "https://example.com/v1/things/7")),
        _made("/things/7", {}, method="PUT"),
    ],
)
def test_what_made_the_item(made: Exchange) -> None:
    creations = Creations()
    creations.note("", _made("/others", {"id": 7}))
    creations.note("", _made("/things", {"id": 8, "size": 7}))
    creations.note("", made)
    creations.note("", _made("/things", {"id": 9}, status=400))
    assert creations.before("", _get("/things/7?a=8")) == (made,)
    assert creations.before("", _get("/things/7/parts")) == (made,)
    assert creations.before("another world", _get("/things/7")) == ()
    assert creations.before("", _get("/things")) == ()
    assert creations.before("", _get("/things/9")) == ()


def test_items_below_items_come_in_order_and_once() -> None:
    creations, zone, key = Creations(), _made("/zones", {"id": "a"}), _made("/zones/a/keys", {"id": 1})
    for one in (key, zone):
        creations.note("", one)
    written = Exchange(WireRequest("PUT", "/zones/a/keys/1", (), b"{}"), WireResponse(200, (), b""))
    shown = Exchange(_get("/zones/a/keys/1"), WireResponse(200, (), b""), history=(written,))
    assert creations.complete("", shown).history == (zone, key, written)
    assert creations.complete("", creations.complete("", shown)).history == (zone, key, written)
