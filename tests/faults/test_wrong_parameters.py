"""Parameters that break their schema: who refuses them, who takes what, and what says nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.small import Answer, checked

CHECK = "parameters_that_break_the_schema_are_refused"
_JSON = {"application/json": {"schema": {"type": "object"}}}
_OK = {"description": "", "content": _JSON}
_PARAMETERS: list[dict[str, Any]] = [
    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "example": 7}},
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 50}},
    {"name": "all", "in": "query", "schema": {"anyOf": [{"type": "boolean"}, {"type": "null"}]}},
    {"name": "kind", "in": "query", "schema": {"type": "array", "items": {"type": "string", "enum": ["near", "far"]}}},
    {"name": "q", "in": "query", "required": True, "schema": {"type": "string", "maxLength": 20, "example": "north"}},
    {"name": "day", "in": "query", "schema": {"type": "string", "format": "date"}},
    {"name": "X-Level", "in": "header", "required": True, "schema": {"type": "integer", "example": 3}},
]


def _is_integer(text: str, low: int = 1, high: int = 10**9) -> bool:
    return text.lstrip("-").isdigit() and low <= int(text) <= high


#: Which request is wrong, by the name of the parameter.
_WRONG: dict[str, Callable[[Request], bool]] = {
    "id": lambda call: not _is_integer(call.path.rpartition("/")[2]),
    "limit": lambda call: not _is_integer(call.args.get("limit", "1"), 1, 50),
    "all": lambda call: call.args.get("all", "1") not in {"true", "false", "1", "0", "null"},
    "kind": lambda call: call.args.get("kind", "near") not in {"near", "far"},
    "q": lambda call: not 0 < len(call.args.get("q", "")) <= 20,
    "X-Level": lambda call: not _is_integer(call.headers.get("X-Level", "")),
}


def _server(*ignored: str, media_type: str = "application/json") -> Callable[[Request], Answer]:
    def answer(call: Request) -> Answer:
        if not call.path.startswith("/things/") or call.path.count("/") > 2:
            return 404, {}
        if call.method not in {"GET", "HEAD"}:
            return 405, {}, {"Allow": "GET, HEAD"}
        for name, is_wrong in _WRONG.items():
            if name not in ignored and is_wrong(call):
                return (404 if name == "id" else 422), {"error": name}, {"Content-Type": media_type}
        return 200, {}

    return answer


def _contract(write_contract: Callable[..., Path], *statuses: str) -> Path:
    responses = {"200": _OK, **dict.fromkeys(statuses, _OK)}
    return write_contract({"/things/{id}": {"get": {"parameters": _PARAMETERS, "responses": responses}}})


def test_refusals_of_any_kind_are_right(write_contract: Callable[..., Path]) -> None:
    judged = checked(_contract(write_contract, "404", "422"), _server(), only=[])
    assert judged.result(CHECK, "GET /things/{id}")[0] == "passed"
    assert [one for one in judged.at("violation") if one[0] == CHECK] == []
    assert not judged.at("violation")


@pytest.mark.parametrize(
    ("ignored", "keywords"),
    [
        ("id", {"type", "minimum"}),
        ("limit", {"type", "minimum", "maximum"}),
        ("all", {"anyOf"}),
        ("kind", {"enum"}),
        ("q", {"required", "maxLength"}),
        ("X-Level", {"required", "type"}),
    ],
)
def test_each_keyword_counts(write_contract: Callable[..., Path], ignored: str, keywords: set[str]) -> None:
    judged = checked(_contract(write_contract, "404", "422"), _server(ignored))
    told = [title for check, _, title in judged.at("violation") if check == CHECK]
    assert {"required" if "required" in title else title.rpartition(" ")[2] for title in told} == keywords
    assert all(ignored in title for title in told)


def test_it_is_silent_where_no_refusal_is_documented(write_contract: Callable[..., Path]) -> None:
    judged = checked(_contract(write_contract), _server("limit"))
    assert CHECK not in {check for check, *_ in judged.at("violation")}
    assert CHECK in {check for check, *_ in judged.at("drift")}


def test_what_the_refusals_are_like_is_judged(write_contract: Callable[..., Path]) -> None:
    judged = checked(_contract(write_contract, "404", "422"), _server(media_type="text/html"))
    assert ("media_type_is_documented", "GET /things/{id}") in {one[:2] for one in judged.at("violation")}
