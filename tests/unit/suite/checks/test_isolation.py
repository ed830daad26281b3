"""A write to one setting leaves the others alone, whatever their values are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from mockserver.contract.reading.document import load_contract
from mockserver.suite.identities.identities import Identities
from mockserver.suite.run.check_run import check
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.sharding import Division, Shard
from tests.faults.small import Answer, application, checked
from tests.wsgi_target import WsgiTarget

CHECK = "writes_leave_others_alone"
DIGIT = {"type": "integer", "minimum": 0, "maximum": 9, "examples": [3, 7]}


def contract(folder: Path, schema: Any) -> Path:
    """Write a contract of two settings, whose content is a number."""
    content = {"application/json": {"schema": schema}}

    def operation(name: str, role: str) -> dict[str, Any]:
        return {
            "operationId": f"{role}_{name}",
            "x-mockserver-behaviour": {"handler": "setting", "resource": name, "role": role, "value": ""},
            "responses": {"200": {"description": "d", "content": content}, "4XX": {"description": "no"}},
        }

    paths = {
        f"/{name}": {
            "get": operation(name, "read"),
            "put": {**operation(name, "write"), "requestBody": {"required": True, "content": content}},
        }
        for name in ("first", "second")
    }
    path = folder / "numbers.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}))
    return path


class Numbers:
    """A server of both settings, 0 at first.

    With `leaky` a write to the one counts up the other; with `busy` somebody else writes to `/second` all
    the time.
    """

    def __init__(self, *, leaky: bool = False, busy: bool = False) -> None:
        self.leaky = leaky
        self.busy = busy
        self.kept = {"/first": 0, "/second": 0}

    def __call__(self, call: Request) -> Answer:
        """Answer one request."""
        if call.path not in self.kept:
            return 404, None
        if call.method in ("GET", "HEAD"):
            if self.busy and call.path == "/second":
                self.kept[call.path] = (self.kept[call.path] + 1) % 10
            return 200, self.kept[call.path]
        if call.method != "PUT":
            return 405, None, {"Allow": "GET, HEAD, PUT"}
        if call.mimetype != "application/json":
            return 415, None
        try:
            value = json.loads(call.get_data())
        except ValueError:
            return 400, None
        if isinstance(value, bool) or not isinstance(value, int | float) or value not in range(10):
            return 422, None
        self.kept[call.path] = int(value)
        if self.leaky:
            (other,) = self.kept.keys() - {call.path}
            self.kept[other] = (self.kept[other] + 1) % 10
        return 200, int(value)


@pytest.mark.parametrize(
    ("schema", "leaky", "result"),
    [(DIGIT, False, "passed"), (DIGIT, True, "failed"), ({"type": "integer", "enum": [0]}, False, "passed")],
)
def test_settings_are_compared_whatever_their_values(tmp_path: Path, schema: Any, leaky: bool, result: str) -> None:
    judged = checked(contract(tmp_path, schema), Numbers(leaky=leaky))
    assert {judged.result(CHECK, f"PUT /{name}")[0] for name in ("first", "second")} == {result}


@pytest.mark.parametrize(
    ("schema", "server", "result"),
    [
        (DIGIT, Numbers(), "passed"),
        (DIGIT, Numbers(leaky=True), "failed"),
        (DIGIT, Numbers(busy=True), "passed"),
        ({"type": "integer", "enum": [0]}, Numbers(), "passed"),
    ],
    ids=["clean", "leaky", "busy", "always zero"],
)
def test_a_part_of_a_run_blames_nobody_for_what_the_others_write(
    tmp_path: Path, schema: Any, server: Numbers, result: str
) -> None:
    """The other setting belongs to another shard, which may be writing it."""
    run = prepare(load_contract(contract(tmp_path, schema)), WsgiTarget(application(server)), Identities(()))
    run.division = Division(run.contract.operations, Shard(1, 2))
    check(run)
    rows = [row for row in run.verdicts.coverage() if row.check == CHECK]
    assert [row.result for row in rows if row.operation == "PUT /first"] == [result]
