"""Items whose paths have another name than the one that identifies them, whose secrets are masked, and that move."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request

from tests.faults.small import Answer, application, commanded, content_of

_NEW: dict[str, Any] = {
    "type": "object",
    "required": ["name", "url"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]{1,40}$"},
        "url": {"type": "string", "minLength": 1, "maxLength": 60},
    },
}
_HOOK = {"type": "object", "properties": {"id": {"type": "integer"}, **_NEW["properties"]}}
_NAME = {"name": "hook", "in": "path", "required": True, "schema": {"type": "string"}}


def _content(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _responses(status: str, schema: Any = None) -> dict[str, Any]:
    refusals = {one: {"description": ""} for one in ("400", "405", "409", "415", "422")}
    return {status: {"description": "", **({} if schema is None else _content(schema))}, **refusals}


_PATHS: Any = {
    "/hooks": {
        "get": {"responses": _responses("200", {"type": "array", "items": _HOOK})},
        "post": {"requestBody": {"required": True, **_content(_NEW)}, "responses": _responses("201", _HOOK)},
    },
    "/hooks/{hook}": {
        "parameters": [_NAME],
        "get": {"responses": {**_responses("200", _HOOK), "404": {"description": ""}}},
        "patch": {
            "requestBody": {"required": True, **_content({**_NEW, "required": ["name"]})},
            "responses": {**_responses("200", _HOOK), "404": {"description": ""}},
        },
        # It does not say what comes of an item that is not there.
        "delete": {"responses": _responses("204")},
    },
}


class _Hooks:
    """Hooks by name, each with a number that identifies it; addresses are masked, PATCH may give another name."""

    def __init__(self, *, forgets: bool = False) -> None:
        self._hooks: dict[str, Any] = {}
        self._forgets = forgets
        self._made = 0

    def __call__(self, call: Request) -> Answer:
        found = re.fullmatch(r"/hooks(?:/([^/]+))?", call.path)
        if found is None:
            return 404, None
        sent: Any = None
        if call.method in {"POST", "PATCH"}:
            sent = content_of(call) if call.mimetype == "application/json" else None
            if call.mimetype != "application/json":
                return 415, None
            if not self._is_valid(sent, call.method):
                return 422, None
        return self._collection(call, sent) if found[1] is None else self._item(call, found[1], sent)

    @staticmethod
    def _is_valid(sent: Any, method: str) -> bool:
        if not isinstance(sent, dict) or not sent.keys() <= {"name", "url"} or "name" not in sent:
            return False
        texts = all(isinstance(value, str) for value in sent.values())
        named = texts and re.fullmatch("[a-z0-9]{1,40}", sent["name"]) is not None
        return named and ("url" in sent or method == "PATCH") and 1 <= len(sent.get("url", "x")) <= 60

    def _collection(self, call: Request, sent: Any) -> Answer:
        if call.method in {"GET", "HEAD"}:
            shown = list(self._hooks.values())
            return 200, shown[:-1] if self._forgets else shown
        if call.method != "POST":
            return 405, None, {"Allow": "GET, POST"}
        if sent["name"] in self._hooks:
            return 409, None
        self._made += 1
        self._hooks[sent["name"]] = {"id": self._made, "name": sent["name"], "url": "*****"}
        return 201, self._hooks[sent["name"]]

    def _item(self, call: Request, name: str, sent: Any) -> Answer:
        if call.method not in {"GET", "HEAD", "PATCH", "DELETE"}:
            return 405, None, {"Allow": "GET, PATCH, DELETE"}
        if name not in self._hooks:
            return 404, None
        if call.method == "PATCH":
            if sent["name"] != name and sent["name"] in self._hooks:
                return 409, None
            hook = self._hooks.pop(name)
            self._hooks[sent["name"]] = {**hook, "name": sent["name"]}
            return 200, self._hooks[sent["name"]]
        if call.method == "DELETE":
            del self._hooks[name]
            return 204, None
        return 200, self._hooks[name]


def test_a_server_that_names_masks_and_moves_its_items_is_right(
    tmp_path: Path, write_contract: Callable[..., Path]
) -> None:
    told = commanded("check", application(_Hooks()), tmp_path, contract=write_contract(_PATHS))
    assert told.titles("violation") == [], told.page
    assert {row["why"] for row in told.report["reach"]} == {""}, told.page


def test_one_that_leaves_an_item_out_of_its_list_is_not(tmp_path: Path, write_contract: Callable[..., Path]) -> None:
    told = commanded("check", application(_Hooks(forgets=True)), tmp_path, contract=write_contract(_PATHS))
    assert ("GET /hooks", "a list does not show an item that was created") in told.titles("violation"), told.page
