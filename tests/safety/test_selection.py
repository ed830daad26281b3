"""`--only`: nothing is sent to what it leaves out, whatever a check would like to know, but what the plan names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.suite.verdicts.tally import EVERYWHERE
from tests.safety.conftest import REMOTE, Suite
from tests.safety.server import RemoteServer
from tests.safety.small import Fields, Settings, answers, application, setting, written

COLOUR = ("--only=read_colour", "--only=write_colour", "--only=reset_colour")
WRITES = ("--allow-writes=*", "--allow-writes=probes")


@pytest.fixture
def contract(tmp_path: Path) -> str:
    paths = {
        "/": {"get": {"operationId": "root", "responses": answers("200")}},
        "/settings/colour": setting("colour", resets=True),
        "/settings/volume": setting("volume", resets=True),
        "/settings/size": setting("size"),
        "/settings/{name}": {
            "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"enum": ["volume", "shape"]}}],
            "get": {"operationId": "read_any", "responses": answers("200")},
        },
    }
    seen = {"operationId": "read_volume", "x-mockserver-shows": {"/value": "$request.body#/value"}}
    paths["/settings/colour"]["put"]["responses"]["200"]["links"] = {"volume": seen}
    return written(tmp_path, paths)


def report(folder: Path) -> Any:
    return json.loads((folder / "r.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", ["check", "fuzz"])
@pytest.mark.parametrize("where", [("--no-oracle",), (*REMOTE, *WRITES)], ids=["loopback", "remote"])
def test_nothing_else_is_called(
    suite: Suite, remote: Callable[..., RemoteServer], contract: str, command: str, where: tuple[str, ...]
) -> None:
    settings = Settings("colour", "volume", "size")
    server = remote(application=application(settings))
    few = ("--max-examples=5",) * (command == "fuzz")
    done = suite.run(command, server.url, contract, *where, *COLOUR, *few, "--report=json=r.json")
    assert "Traceback" not in done.stderr
    # A name beside it that nobody has is no other operation.
    own = ("/settings/colour", "/settings/undefined-")
    elsewhere = [entry.path for entry in server.log if not entry.path.startswith(own)]
    assert len(server.log) - len(elsewhere) > 50
    assert not any(path == "/" or path.startswith("/settings") for path in elsewhere)
    assert len(elsewhere) <= 2  # is anybody there, and what schemathesis asks for first: names that nobody defines
    assert settings.kept["colour"] == {"value": "old colour"}
    alone = [row for row in report(suite.folder)["coverage"] if row["check"] == "writes_leave_others_alone"]
    assert [(row["operation"], row["result"], row["why"]) for row in alone] == [
        ("PUT /settings/colour", "not run", "no other resource is selected (--only)")
    ]


def test_a_value_in_a_path_does_not_reach_what_is_left_out(
    suite: Suite, remote: Callable[..., RemoteServer], contract: str
) -> None:
    server = remote(application=application(Settings("volume", "shape")))
    suite.run("fuzz", server.url, contract, "--no-oracle", "--only=read_any", "--max-examples=20")
    assert any(entry.path == "/settings/shape" for entry in server.log)
    assert not any(entry.path == "/settings/volume" for entry in server.log)


def test_what_is_read_to_save_and_put_back_stands_in_the_plan_and_judges_nothing(
    suite: Suite, remote: Callable[..., RemoteServer], contract: str
) -> None:
    settings = Settings("colour", "volume", "size")
    server = remote(application=application(settings))
    options = (*REMOTE, *WRITES, "--only=write_colour")
    plan = suite.run("check", server.url, contract, *options, "--dry-run").stdout
    besides = plan.partition("Also called, although --only leaves them out:\n")[2].partition("Saved before")[0]
    assert besides.splitlines() == [
        "  GET /settings/colour  to save and look at colour",
        "  DELETE /settings/colour  to reset colour",
    ]
    server.log.clear()
    suite.run("check", server.url, contract, *options, "--report=json=r.json")
    document = report(suite.folder)
    assert document["ledger"]["restored"] == ["colour (what it held)"]
    assert settings.kept["colour"] == {"value": "old colour"}
    rows = {(row["check"], row["operation"]): (row["result"], row["why"]) for row in document["coverage"]}
    not_selected = ("not run", "GET /settings/colour is not selected (--only)")
    assert rows["reads_show_the_last_write", "PUT /settings/colour"] == not_selected
    assert rows["writes_echo_the_request", "PUT /settings/colour"][0] == "passed"
    # Checks that were made on no operation are told for all of them.
    assert {operation.rpartition(" ")[2] for _, operation in rows} == {"/settings/colour", EVERYWHERE}
    assert sum((entry.method, entry.path) == ("GET", "/settings/colour") for entry in server.log) == 2


def test_logins_are_the_exception_that_the_plan_names(suite: Suite, remote: Callable[..., RemoteServer]) -> None:
    server = remote()
    plan = suite.run("check", server.url, *REMOTE, "--only=setting_get_junk*", "--dry-run").stdout
    assert "  POST /api/v1/auth/  by identities that have a password, to log in\n" in plan
    suite.run("check", server.url, *REMOTE, "--only=setting_get_junk*", "--allow-writes=*", "--allow-writes=auth_post")
    called = {(entry.method, entry.path) for entry in server.log if "junk" not in entry.path}
    assert called - {("GET", "/")} <= {("POST", "/api/v1/auth/")}


class Entangled(Settings):
    """A write of the colour, and its reset, change the size; the volume cannot be written at all."""

    def answer(self, method: str, name: str, content: Any) -> tuple[int, Any, Fields]:
        if (method, name) == ("PUT", "volume"):
            return 404, {}, []
        status, value, fields = super().answer(method, name, content)
        if name == "colour" and method in {"PUT", "DELETE"} and status < 300:
            self.kept["size"] = {"value": "mixed up"}
        return status, value, fields


@pytest.mark.parametrize(
    "only", [(), ("--only=*_colour", "--only=*_size"), ("--only=*_colour", "--only=*_size", "--only=*_volume")]
)
def test_one_that_cannot_be_written_hides_no_fault_of_the_others(
    suite: Suite, remote: Callable[..., RemoteServer], contract: str, only: tuple[str, ...]
) -> None:
    server = remote(application=application(Entangled("colour", "volume", "size")))
    done = suite.run("check", server.url, contract, "--no-oracle", *only, "--report=json=r.json")
    found = [one for one in report(suite.folder)["findings"] if one["check"] == "writes_leave_others_alone"]
    assert [one["operation"] for one in found] == ["PUT /settings/colour"], done.stdout
    if len(only) == 2:
        assert not any(entry.path == "/settings/volume" for entry in server.log)
