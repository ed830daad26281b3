"""A client that pages as the contract says sees every item once, and comes to an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]

ROW = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
ROWS = [{"id": number, "name": f"n{number}"} for number in (3, 5, 7)]
NULLABLE = {"type": ["string", "null"]}


def _contract(query: dict[str, Any], envelope: Any, example: Any, required: list[str]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["rows", *required],
        "properties": {"rows": {"type": "array", "items": ROW}, **envelope},
    }
    listed = {"schema": schema, "example": {"rows": ROWS, **example}}
    one = {"description": "", "content": {"application/json": {"schema": ROW, "example": ROWS[0]}}}
    path_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    body = {"content": {"application/json": {"schema": ROW}}}
    return {
        "/rows": {
            "get": {
                "parameters": [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()],
                "responses": {"200": {"description": "", "content": {"application/json": listed}}},
            },
            "post": {"requestBody": body, "responses": {"201": one}},
        },
        "/rows/{id}": {"parameters": [path_id], "get": {"responses": {"200": one}}},
    }


def _paged(client: Client, next_query: Callable[[Any, int], str | None], first: str) -> Iterator[int]:
    """Yield the identifiers of all pages; a client that comes to no end fails."""
    query: str | None = first
    for number in range(9):
        if query is None:
            return
        answer = client.call("GET", f"/rows?{query}")
        assert answer.status == 200
        yield from [row["id"] for row in answer.json()["rows"]]
        query = next_query(answer.json(), number)
    raise AssertionError("no end of pages")


def _cursor(*way: str, form: str = "cursor={}&limit=2") -> Callable[[Any, int], str | None]:
    def next_query(content: Any, _number: int) -> str | None:
        for name in way:
            content = content.get(name) if content else None
        return form.format(content) if content else None

    return next_query


WHOLE, TEXT = {"type": "integer"}, {"type": "string"}
CURSORS = {
    "nullable": ({"next_cursor": NULLABLE}, {"next_cursor": "abc"}, [], _cursor("next_cursor")),
    "optional": ({"nextCursor": TEXT}, {"nextCursor": "abc"}, [], _cursor("nextCursor")),
    "required text": ({"next_cursor": TEXT}, {"next_cursor": "abc"}, ["next_cursor"], _cursor("next_cursor")),
    "in an object": (
        {"meta": {"type": "object", "properties": {"next_cursor": TEXT, "total": WHOLE}}},
        {"meta": {"next_cursor": "abc", "total": 3}},
        [],
        _cursor("meta", "next_cursor"),
    ),
}


@pytest.mark.parametrize("name", CURSORS)
@pytest.mark.parametrize("changed", [False, True], ids=["as the examples say", "with an item more"])
@pytest.mark.parametrize("first", ["limit=2", ""])
def test_cursors(make_stub: MakeStub, write_contract: Write, name: str, changed: bool, first: str) -> None:
    envelope, example, required, next_query = CURSORS[name]
    client = make_stub(write_contract(_contract({"limit": WHOLE, "cursor": TEXT}, envelope, example, required)))
    expected = [3, 5, 7]
    if changed:
        expected.append(client.call("POST", "/rows", json={"id": 9}).json()["id"])
    assert list(_paged(client, next_query, first)) == expected


def test_totals_in_an_object_beside_the_items(make_stub: MakeStub, write_contract: Write) -> None:
    meta = {"type": "object", "properties": {"total": WHOLE}}
    client = make_stub(write_contract(_contract({"limit": WHOLE}, {"meta": meta}, {"meta": {"total": 3}}, [])))
    client.call("POST", "/rows", json={"id": 9})
    assert client.call("GET", "/rows?limit=1").json()["meta"] == {"total": 4}


def test_before_and_after(make_stub: MakeStub, write_contract: Write) -> None:
    query = {"limit": WHOLE, "starting_after": TEXT, "ending_before": TEXT}
    more = {"has_more": {"type": "boolean"}}
    client = make_stub(write_contract(_contract(query, more, {"has_more": False}, [])))

    def ids(asked: str) -> tuple[list[int], bool]:
        content = client.call("GET", f"/rows?{asked}").json()
        return [row["id"] for row in content["rows"]], content["has_more"]

    assert ids("limit=2") == ([3, 5], True)
    assert ids("limit=2&starting_after=5") == ([7], False)
    assert ids("limit=1&ending_before=7") == ([5], True)
    assert ids("limit=2&ending_before=7") == ([3, 5], False)


@pytest.mark.parametrize(
    ("page", "first", "pages"),
    [
        ({"type": "integer"}, "page=1", "page={}"),
        ({"type": "integer", "minimum": 1, "default": 1}, "", "page={}"),
        ({"type": "integer", "minimum": 0}, "page=0", "page={}"),
        ({"type": "integer", "default": 0}, "limit=2", "page={}&limit=2"),
        ({"type": "integer"}, "page=1&limit=2", "page={}&limit=2"),
    ],
)
def test_pages_by_number_until_one_is_empty(
    make_stub: MakeStub, write_contract: Write, page: Any, first: str, pages: str
) -> None:
    client = make_stub(write_contract(_contract({"limit": WHOLE, "page": page}, {}, {}, [])))
    start = 0 if page.get("default", page.get("minimum")) == 0 else 1

    def next_query(content: Any, number: int) -> str | None:
        return pages.format(start + number + 1) if content["rows"] else None

    assert list(_paged(client, next_query, first)) == [3, 5, 7]


def _links(content: Any) -> dict[str, Any]:
    shown = content.get("links") or content
    return {name: one["href"] if isinstance(one, dict) else one for name, one in shown.items() if name != "rows"}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("paged_by", ["page", "offset", "cursor"])
def test_the_urls_of_pages_lead_from_page_to_page(
    make_stub: MakeStub, write_contract: Write, paged_by: str, nested: bool
) -> None:
    url = {"type": ["string", "null"], "format": "uri"}
    around: dict[str, Any] = {"next": url, "previous": url}
    example: dict[str, Any] = {"next": "https://api.example.org/rows?page=9", "previous": None}
    if nested:
        href = {"type": "object", "properties": {"href": {"type": "string"}}}
        around = {"links": {"type": "object", "properties": {"next": href, "self": href}}}
        example = {"links": {"next": {"href": "https://api.example.org/rows?page=9"}, "self": {"href": "/rows"}}}
    whole = {"type": "string" if paged_by == "cursor" else "integer"}
    paths = _contract({"limit": {"type": "integer"}, paged_by: whole}, around, example, [])
    paths["/rows"]["get"]["responses"]["200"]["headers"] = {"Link": {"schema": {"type": "string"}}}
    client = make_stub(write_contract(paths))
    for name in ("a", "b"):
        client.call("POST", "/__world__/w/rows", json={"id": len(name), "name": name})
    seen: list[int] = []
    target: str | None = "/__world__/w/rows?limit=2"
    for _ in range(9):
        if target is None:
            break
        answer = client.call("GET", target[target.index("/__world__/w/rows") :])
        seen += [row["id"] for row in answer.json()["rows"]]
        target = _links(answer.json()).get("next")
        assert ('rel="next"' in answer.fields["link"]) == bool(target)
    assert seen == [3, 5, 7, 1]
