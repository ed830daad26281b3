"""Names beside those of a small contract: who refuses them, and in which form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.small import Answer, checked

CHECK = "undefined_names_are_refused"
OK = {"200": {"description": "", "content": {"application/json": {}}}}
PATHS = {
    "/s/one": {"get": {"responses": OK}, "post": {"responses": OK}},
    "/s/two": {"get": {"responses": OK}, "delete": {"responses": OK}},
}
SCHEMA = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
MISSING = {"description": "", "content": {"application/json": {"schema": SCHEMA}}}


def _server(unknown: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    def answer(call: Request) -> Answer:
        methods = {"/s/one": {"GET", "POST"}, "/s/two": {"GET", "DELETE"}}.get(call.path)
        if methods is None:
            return unknown(call)
        if call.method not in methods:
            return 405, {"error": "no"}, {"Allow": ", ".join(methods)}
        return 200, {}

    return answer


@pytest.mark.parametrize(
    ("status", "result"), [(404, "passed"), (410, "passed"), (401, "passed"), (200, "failed"), (422, "failed")]
)
def test_each_method_is_tried_once_for_all_names(write_contract: Callable[..., Path], status: int, result: str) -> None:
    asked: list[str] = []

    def unknown(call: Request) -> Answer:
        if call.path.startswith("/s/undefined-") and call.path.count("/") == 2:
            asked.append(call.method)
            return status, {}
        return 404, {}

    judged = checked(write_contract(PATHS), _server(unknown))
    assert sorted(asked) == ["DELETE", "GET", "POST"]
    for label in ("GET /s/one", "POST /s/one", "DELETE /s/two"):
        assert judged.result(CHECK, label)[0] == result
    assert not judged.at("violation")
    assert {check for check, *_ in judged.at("drift")} == ({CHECK} if result == "failed" else set())


@pytest.mark.parametrize("documented", [True, False])
def test_what_the_contract_says_of_all_paths_counts(write_contract: Callable[..., Path], *, documented: bool) -> None:
    mark: dict[str, Any] = {"x-source": "page"} if documented else {"x-assumed": "a guess"}
    path = write_contract(PATHS, **{"x-mockserver-errors": {"404": {**MISSING, **mark}}})
    judged = checked(path, _server(lambda _: (200, {})))
    level = "violation" if documented else "drift"
    assert {operation for check, operation, _ in judged.at(level) if check == CHECK} == {
        *("GET /s/one", "POST /s/one", "DELETE /s/two"),
    }


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ((404, {"error": "none"}), None),
        ((404, {"error": 404}), "body_conforms_to_its_schema"),
        ((404, {}), "body_conforms_to_its_schema"),
        ((404, b"none", {"Content-Type": "text/plain"}), "media_type_is_documented"),
    ],
)
def test_the_documented_content_is_looked_for(
    write_contract: Callable[..., Path], answer: Answer, check: str | None
) -> None:
    path = write_contract(PATHS, **{"x-mockserver-errors": {"404": {**MISSING, "x-assumed": "a guess"}}})
    judged = checked(path, _server(lambda _: answer))
    assert not judged.at("violation")
    assert {found for found, *_ in judged.at("drift")} == ({check} if check else set())


def test_any_name_may_be_one_of_the_contracts(write_contract: Callable[..., Path]) -> None:
    item = {"get": {"parameters": [{"name": "id", "in": "path", "required": True}], "responses": OK}}
    judged = checked(write_contract({**PATHS, "/s/{id}": item}), _server(lambda _: (200, {})))
    assert judged.result(CHECK, "GET /s/one")[0] == "not run"
