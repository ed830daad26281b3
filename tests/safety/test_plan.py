"""The plan says all that is sent: each request in the server's log is named in it, and nothing else is unsafe."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.http.path_templates import parse_template
from tests.safety.conftest import Suite
from tests.safety.server import Entry, RemoteServer
from tests.safety.small import OBJECT, Fields, answers, application, body, setting, valid, written

CAREFUL = ("--treat-as-remote", "--rate", "500/s", "--no-oracle", "--settle", "0.1")
SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[a-z]{1,8}$"}}


class Covered:
    """What a plan says that is called."""

    def __init__(self, plan: str) -> None:
        called, _, withheld = plan.partition("Called:\n")[2].partition("Withheld:")
        self._called = [
            (method, self._shape(path))
            for method, path, how in re.findall(r"^  ([A-Z]+) (/\S*)  (.*)$", called, re.MULTILINE)
            if not how.startswith("not called")
        ]
        labels = re.findall(r"^  ([A-Z]+) (/\S*)", called + withheld, re.MULTILINE)
        self._paths = [self._shape(path) for _, path in labels]
        undefined = re.search(r"by methods that it does not define: (.*)$", called, re.MULTILINE)
        assert undefined is not None, plan
        self._methods = set(re.findall(r"[A-Z]{3,}", undefined[1])) or None
        self._of_schemathesis = "  GET /schemathesis-probe...  " in called
        around = re.search(r"ways around the credentials of (.*): other spellings", called)
        self._around = re.findall(r"[A-Z]+ (/\S*)", around[1]) if around else []

    @staticmethod
    def _shape(path: str) -> re.Pattern[str]:
        return re.compile(parse_template(path).expression)

    def names(self, entry: Entry) -> bool:
        """Tell whether the plan names a request."""
        if any(entry.method == method and shape.fullmatch(entry.path) for method, shape in self._called):
            return True
        probed = self._methods is None or entry.method in self._methods
        if probed and any(shape.fullmatch(entry.path) for shape in self._paths):
            return True
        if probed and "undefined-" in entry.path:
            return True
        if self._of_schemathesis and entry.path.startswith("/schemathesis-probe"):
            return True
        plain = re.sub(r"[^a-z0-9]+", "", entry.path.lower())
        return entry.method in SAFE and any(re.sub(r"[^a-z0-9{]+", "", path.lower()) in plain for path in self._around)


@pytest.fixture
def open_contract(tmp_path: Path) -> str:
    paths = {
        "/things": {
            "get": {"operationId": "list", "responses": answers("200")},
            "post": {"operationId": "create", "requestBody": body(), "responses": answers("201")},
        },
        "/things/{id}": {
            "parameters": [ID],
            "get": {"operationId": "read", "responses": answers("200")},
            "delete": {"operationId": "remove", "responses": answers("204")},
        },
        "/settings/colour": setting("colour"),
        "/session/logout": {"get": {"operationId": "logout", "responses": answers("200")}},
        "/orders/{id}/cancel": {"parameters": [ID], "post": {"operationId": "cancel", "responses": answers("200")}},
    }
    return written(tmp_path, paths)


@pytest.fixture
def closed_contract(tmp_path: Path) -> str:
    whose = {"401": {"description": "who?", "content": OBJECT}, **answers("200")}
    paths = {
        "/reports": {"get": {"operationId": "reports", "responses": whose}},
        "/reports/{id}": {
            "parameters": [ID],
            "get": {"operationId": "report", "responses": whose},
            "put": {"operationId": "replace", "requestBody": body(), "responses": whose},
        },
    }
    schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    return written(tmp_path, paths, security=[{"bearer": []}], components={"securitySchemes": schemes})


def things(method: str, path: str, _query: str, content: Any) -> tuple[int, Any, Fields]:
    defined = {"/things": "GET, POST", "/settings/colour": "GET, PUT", "/session/logout": "GET"}
    if path not in defined:
        return 404, {}, []
    if method not in defined[path].split(", "):
        return 405, {}, [("Allow", defined[path])]
    if method in {"POST", "PUT"} and not valid(content):
        return 422, {}, []
    return (201 if method == "POST" else 200), {"value": "a"}, []


def closed(method: str, path: str, _query: str, _content: Any) -> tuple[int, Any, Fields]:  # noqa: ARG001
    return 401, {}, [("WWW-Authenticate", "Bearer")]


@pytest.mark.parametrize(
    ("name", "fixture", "handler", "writes"),
    [
        ("check", "open_contract", things, ()),
        ("check", "closed_contract", closed, ()),
        ("check", "open_contract", things, ("--exclude=*things*",)),
        ("fuzz", "open_contract", things, ("--allow-writes=create", "--allow-writes=remove")),
    ],
    ids=["open", "closed", "excluded", "writes"],
)
def test_each_request_is_named_in_the_plan(
    suite: Suite,
    remote: Callable[..., RemoteServer],
    request: pytest.FixtureRequest,
    name: str,
    fixture: str,
    handler: Any,
    writes: tuple[str, ...],
) -> None:
    contract = request.getfixturevalue(fixture)
    server = remote(application=application(handler))
    few = ("--max-examples=2",) * (name == "fuzz")
    given = (server.url, contract, *CAREFUL, *writes, *few)
    plan = suite.run(name, *given, "--dry-run").stdout
    assert not server.log
    done = suite.run(name, *given)
    assert "Traceback" not in done.stderr
    covered = Covered(plan)
    assert len(server.log) > 2
    assert [(entry.method, entry.path) for entry in server.log if not covered.names(entry)] == []
    unsafe = {(entry.method, entry.path.partition("?")[0]) for entry in server.log if entry.method not in SAFE}
    assert unsafe <= (
        {("POST", "/things"), ("DELETE", "/things/a")} if writes[:1] == ("--allow-writes=create",) else set()
    )
    assert not any("logout" in entry.path for entry in server.log)


def test_a_request_beside_the_plan_is_noticed() -> None:
    plan = "Called:\n  GET /a/{id}  without credentials\n  by methods that it does not define: safe ones alone (GET)\n"
    covered = Covered(plan + "Withheld:\n  POST /a/b\n")
    seen = [
        covered.names(Entry(0.0, method, path, "", 200))
        for method, path in [("GET", "/a/x"), ("GET", "/b"), ("POST", "/a/b")]
    ]
    assert seen == [True, False, False]
