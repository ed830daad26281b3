"""The survey, by the command: what a server shows names the items of later calls, and its refusals are answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.small import Answer, Handler, Told, application, commanded, content_of

Judge = Callable[..., Told]


@pytest.fixture
def judge(tmp_path: Path, write_contract: Callable[..., Path]) -> Judge:
    """Run `check` on a server of a few lines with a contract of some paths."""

    def run(handler: Handler, paths: Any, **options: Any) -> Told:
        return commanded("check", application(handler), tmp_path, contract=write_contract(paths), **options)

    return run


def _json(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _path(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema or {"type": "string"}}


def _responses(*statuses: int, **schema: Any) -> dict[str, Any]:
    shown = _json(schema) if schema else {}
    return {str(status): {"description": "", **(shown if status < 300 else {})} for status in statuses}


ERRORS = (400, 404, 405, 409, 415, 422)
SHOP: Any = {
    "/shops": {"get": {"responses": _responses(200, *ERRORS)}},
    "/shops/{shop}/orders": {
        "parameters": [_path("shop")],
        "get": {"responses": _responses(200, *ERRORS)},
        "post": {
            "requestBody": {
                "required": True,
                **_json(
                    {
                        "type": "object",
                        "required": ["customer_id", "code"],
                        "properties": {
                            "id": {"type": "string", "readOnly": True},
                            "customer_id": {"type": "integer"},
                            "code": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"},
                            "note": {"type": "string"},
                        },
                    }
                ),
            },
            "responses": _responses(201, *ERRORS, type="object"),
        },
    },
    "/shops/{shopName}/orders/{order_id}": {
        "parameters": [_path("shopName"), _path("order_id")],
        "get": {"responses": _responses(200, *ERRORS, type="object")},
        "delete": {"responses": _responses(204, *ERRORS)},
    },
    "/customers": {"get": {"responses": _responses(200, *ERRORS)}},
}


class Shop:
    """Orders below a shop, of a customer that is there, each code once; a `note` is required, which no schema says."""

    def __init__(self) -> None:
        self.orders: dict[str, Any] = {"old": {"id": "old", "customer_id": 4711, "code": "ZZ-999"}}
        self.calls: list[tuple[str, str]] = []
        self._made = 0

    def __call__(self, call: Request) -> Answer:
        self.calls.append((call.method, call.path))
        if call.method == "GET" and call.path in {"/shops", "/customers"}:
            return 200, [{"name": "north"}] if call.path == "/shops" else {"items": [{"id": 4711}]}
        found = re.fullmatch(r"/shops/north/orders(?:/([^/]+))?", call.path)
        if found is None:
            return 404, None
        if found[1] is None:
            return self._collection(call)
        if found[1] not in self.orders:
            return 404, None
        if call.method == "DELETE":
            del self.orders[found[1]]
            return 204, None
        return (200, self.orders[found[1]]) if call.method == "GET" else (405, None, {"Allow": "GET, DELETE"})

    def _collection(self, call: Request) -> Answer:
        if call.method == "GET":
            return 200, list(self.orders.values())
        if call.method != "POST":
            return 405, None, {"Allow": "GET, POST"}
        sent: Any = content_of(call) if call.mimetype == "application/json" else None
        if not isinstance(sent, dict) or not re.fullmatch("[A-Z]{2}-[0-9]{3}", str(sent.get("code"))):
            return 400, {"errors": [{"field": "code", "message": "is invalid"}]}
        if "id" in sent or sent.get("customer_id") != 4711:
            return 422, {"errors": [{"field": "customer_id", "message": "no such customer"}]}
        if not isinstance(sent.get("note"), str):
            return 422, {"errors": [{"field": "note", "message": "is required"}]}
        if any(one["code"] == sent["code"] for one in self.orders.values()):
            return 409, {"errors": [{"field": "code", "message": "is taken"}]}
        self._made += 1
        name = f"n{self._made}"
        self.orders[name] = {"id": name, **sent}
        return 201, self.orders[name]


def _reach(told: Told) -> dict[str, str]:
    return {row["operation"]: row["why"] for row in told.report["reach"]}


def test_every_operation_is_reached_by_what_the_server_shows(judge: Judge) -> None:
    shop = Shop()
    told = judge(shop, SHOP)
    assert set(_reach(told).values()) == {""}, told.page
    assert set(shop.orders) == {"old"}, "what the run made is deleted, what was there is not"
    assert ("DELETE", "/shops/north/orders/old") not in shop.calls


def test_a_listed_item_that_cannot_be_read_is_a_violation(judge: Judge) -> None:
    shop = Shop()

    def forgetful(call: Request) -> Answer:
        if call.method == "GET" and re.search("/orders/.", call.path):
            return 404, None
        return shop(call)

    told = judge(forgetful, SHOP)
    label = "GET /shops/{shopName}/orders/{order_id}"
    assert (label, "every valid request is refused") in told.titles("violation"), told.page
    rows = [row for row in told.report["coverage"] if row["operation"] == label]
    assert {row["result"] for row in rows} <= {"failed", "not run"}


BOXES: Any = {
    "/boxes": {
        "post": {
            "security": [{"key": []}],
            "requestBody": {
                "required": True,
                **_json({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}),
            },
            "responses": _responses(201, *ERRORS, 401, type="object"),
        }
    },
    "/boxes/{name}": {
        "parameters": [_path("name")],
        "get": {"security": [{"key": []}], "responses": _responses(200, *ERRORS, 401, type="object")},
    },
}
KEY: Any = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}


@pytest.mark.parametrize("asks", [False, True])
def test_without_identities_it_is_seen_whether_the_server_asks_for_credentials(
    tmp_path: Path, write_contract: Callable[..., Path], asks: bool
) -> None:
    boxes: list[str] = []

    def answer(call: Request) -> Answer:
        if asks:
            return 401, None
        sent: Any = content_of(call) if call.mimetype == "application/json" else None
        if call.path == "/boxes" and call.method == "POST":
            if not isinstance(sent, dict) or not re.fullmatch("[a-z0-9._-]{3,40}", str(sent.get("name"))):
                return 400, {"message": "Expected a name with 3-40 characters from [a-z0-9._-], no blanks."}
            boxes.append(sent["name"])
            return 201, sent
        known = call.method == "GET" and call.path.removeprefix("/boxes/") in boxes
        return (200, {"name": call.path.removeprefix("/boxes/")}) if known else (404, None)

    contract = write_contract(BOXES, components=KEY)
    told = commanded("check", application(answer), tmp_path, contract=contract)
    if asks:
        assert set(_reach(told).values()) <= {"answered with 401"}
        assert told.exit_code == 2
    else:
        assert set(_reach(told).values()) == {""}, told.page
        assert ("GET /boxes/{name}", "accepted with no credentials") in told.titles("violation")


ONE: Any = {
    "/things/{id}": {"parameters": [_path("id")], "get": {"responses": _responses(200, *ERRORS, type="object")}}
}


def test_values_of_the_user_come_first(judge: Judge, tmp_path: Path) -> None:
    values = tmp_path / "values.json"
    values.write_text(json.dumps({"parameters": {"GET /things/{id} id": ["t-1", "t-2"]}}), encoding="utf-8")

    def answer(call: Request) -> Answer:
        return (200, {}) if call.path == "/things/t-1" and call.method == "GET" else (404, None)

    assert set(_reach(judge(answer, ONE)).values()) == {"answered with 404"}
    assert set(_reach(judge(answer, ONE, values=values)).values()) == {""}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"parameters": {"nothing": 1}}, "no operation of the contract has a parameter 'nothing'"),
        ({"parameters": {"GET /things/{id} other": 1}}, "its parameters are id"),
        ({"bodies": {"nothing": {}}}, "is no operationId of an operation that takes content"),
        ({"headers": {}}, "must hold `parameters:` or `bodies:`"),
    ],
)
def test_mistakes_in_the_values_are_told(
    command: Callable[..., Any], write_contract: Callable[..., Path], tmp_path: Path, content: Any, why: str
) -> None:
    values = tmp_path / "values.json"
    values.write_text(json.dumps(content), encoding="utf-8")
    done = command("check", "http://127.0.0.1:9", "--contract", str(write_contract(ONE)), "--values", str(values))
    assert done.returncode == 2
    assert why in done.stderr
    assert "values.json" in done.stderr


def test_every_media_type_of_a_request_is_sent(judge: Judge) -> None:
    file = {"type": "object", "required": ["data"], "properties": {"data": {"type": "string", "format": "binary"}}}
    form = {
        "type": "object",
        "required": ["tags"],
        "properties": {"tags": {"type": "array", "items": {"type": "string"}}},
    }
    content = {
        "application/json": {"schema": form},
        "application/x-www-form-urlencoded": {"schema": form},
        "multipart/form-data": {"schema": file, "encoding": {"data": {"contentType": "image/png"}}},
        "text/plain": {"schema": {"type": "string"}},
    }
    cookie = {
        "name": "theme",
        "in": "cookie",
        "required": True,
        "schema": {"type": "array", "items": {"type": "string"}},
    }
    paths = {
        "/files": {
            "post": {
                "parameters": [cookie],
                "requestBody": {"required": True, "content": content},
                "responses": _responses(200, *ERRORS),
            }
        }
    }
    seen: dict[str, Any] = {}

    def answer(call: Request) -> Answer:
        if call.path != "/files" or call.method != "POST":
            return 404, None
        if call.mimetype.startswith("multipart/"):
            with closing(call):
                upload = call.files.get("data")
                seen.setdefault(call.mimetype, upload and (upload.mimetype, upload.read()[:4]))
        else:
            seen.setdefault(call.mimetype, (call.form.getlist("tags"), call.cookies.get("theme")))
        return 200, None

    judge(answer, paths)
    assert set(content) <= seen.keys()
    assert seen["multipart/form-data"] == ("image/png", b"\x89PNG")
    tags, theme = seen["application/x-www-form-urlencoded"]
    assert len(tags) == 1
    assert theme


def test_most_generated_reads_are_about_what_is_there(tmp_path: Path, write_contract: Callable[..., Path]) -> None:
    shop = Shop()
    statuses: list[int] = []

    def counted(call: Request) -> Answer:
        found = shop(call)
        if call.method == "GET" and re.search("/orders/.", call.path):
            statuses.append(found[0])
        return found

    told = commanded("fuzz", application(counted), tmp_path, contract=write_contract(SHOP), max_examples=3)
    assert set(_reach(told).values()) == {""}, told.page
    assert statuses.count(200) > len(statuses) / 3
