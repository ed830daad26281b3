"""Python behaviours: `--behaviours my.module`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve, run_command

Write = Callable[..., Path]

MODULE = """
from mockserver.behaviours import Call, Outcome, RequestRejected, behaviour

@behaviour("add")
@behaviour("GET /more")
def add(call: Call) -> Outcome:
    if call.arguments.query["a"] == 13:
        raise RequestRejected(404, "Not Found", "there is no thirteen")
    if call.arguments.query["a"] == 14:
        raise ZeroDivisionError("fourteen")
    known = call.transaction.get("sums", "last")
    call.transaction.put("sums", "last", {"a": call.arguments.query["a"]})
    return Outcome(0, {"sum": call.arguments.query["a"], "before": known}, "added")
"""


@pytest.fixture
def sums(write_contract: Write) -> Path:
    a = {"name": "a", "in": "query", "required": True, "schema": {"type": "integer"}}
    responses = {
        "200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}},
        "404": {"description": ""},
    }
    get: dict[str, Any] = {"parameters": [a], "responses": responses}
    return write_contract({"/sum": {"get": get | {"operationId": "add"}}, "/more": {"get": get}})


def test_functions_of_a_module_in_the_current_folder_answer(serve: Serve, sums: Path) -> None:
    (sums.parent / "own").mkdir()
    (sums.parent / "own" / "sums.py").write_text(MODULE)
    client = serve("--contract", str(sums), "--behaviours", "own.sums").client
    assert client.call("GET", "/sum?a=4").json() == {"sum": 4, "before": None}
    assert client.call("GET", "/more?a=5").json() == {"sum": 5, "before": {"a": 4}}
    assert client.call("GET", "/sum?a=x").status in {400, 422, 404}
    assert client.call("GET", "/sum?a=13").status == 404
    assert client.call("GET", "/sum?a=14").status == 500  # a mistake of the function is told, and ends nothing
    assert client.call("GET", "/sum?a=6").json()["before"] == {"a": 5}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, 'there is no module "own_sums"'),
        ("x = 1", "no function there has @behaviour"),
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("def", "SyntaxError"),
        (MODULE.replace('"add"', '"ad"'), '"ad" is not an operationId of the contract; did you mean "add"?'),
        (MODULE.replace('"GET /more"', '"add"'), '"add" has two behaviours'),
    ],
)
def test_what_is_wrong_with_a_module_is_one_line(sums: Path, source: str | None, said: str) -> None:
    if source is not None:
        (sums.parent / "own_sums.py").write_text(source)
    arguments = ("serve", "--port", "0", "--contract", str(sums), "--behaviours", "own_sums")
    done = run_command(*arguments, cwd=sums.parent)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("mockserver: --behaviours own_sums: ")
    assert said in done.stderr
