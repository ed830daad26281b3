"""GET operations that change something: off loopback withheld until they are named in full."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.safety.conftest import REMOTE, Suite
from tests.safety.server import Environ, RemoteServer
from tests.safety.small import OBJECT, answers, written

_TEXT = {"type": "string"}


def _get(name: str, *parameters: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"get": {"operationId": name, "parameters": parameters, "responses": answers("200"), **members}}


def _query(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": True, "schema": _TEXT}


NAME = {"name": "name", "in": "path", "required": True, "schema": {"enum": ["me", "logout"]}}
#: Not to be sent: path as a pattern, and the reason that the plan tells.
UNSAFE = {
    "/users/logout": "its path ends in 'logout'",
    "/users/login": "it takes a password in the query (password), so it is a login",
    "/tokens/[^/]+/revoke": "its path ends in 'revoke'",
    "/keys": "x-mockserver-effect says that it changes credentials",
    "/cache": "its summary says 'clears the'",
}
PATHS = {
    "/users/logout": _get("leave"),
    "/users/login": _get("enter", _query("username"), _query("password")),
    "/users/{name}": _get("read_user", NAME),
    "/tokens/{id}/revoke": _get("end_token", {"name": "id", "in": "path", "required": True, "schema": _TEXT}),
    "/keys": _get("new_keys", **{"x-mockserver-effect": "credentials"}),
    "/cache": _get("cache", summary="Clears the cache"),
    "/profile": _get("profile"),
}


def everything(_environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", next(iter(OBJECT)))])
    return [b"{}"]


def reached(server: RemoteServer) -> set[str]:
    """Return the unsafe paths that were asked for, or anything below or beside them."""
    return {path for path in UNSAFE for entry in server.log if re.match(f"{path}", entry.path)}


@pytest.fixture
def contract(tmp_path: Path) -> str:
    return written(tmp_path, PATHS)


@pytest.mark.parametrize("command", ["check", "fuzz"])
@pytest.mark.parametrize("allowed", [(), ("--allow-writes=*", "--allow-writes=probes")])
def test_they_are_not_sent_off_loopback(
    suite: Suite, remote: Callable[..., RemoteServer], contract: str, command: str, allowed: tuple[str, ...]
) -> None:
    server = remote(application=everything)
    few = ("--max-examples=10",) * (command == "fuzz")
    suite.run(command, server.url, contract, *REMOTE, *allowed, *few)
    safe = [entry for entry in server.log if entry.method in {"GET", "HEAD"}]
    assert any(entry.path == "/profile" for entry in safe)
    assert any(entry.path == "/users/me" for entry in safe)
    assert [entry for entry in safe if any(re.match(path, entry.path) for path in UNSAFE)] == []


def test_the_plan_says_why_and_how_to_allow_them(
    suite: Suite, remote: Callable[..., RemoteServer], contract: str
) -> None:
    server = remote(application=everything)
    plan = suite.run("check", server.url, contract, *REMOTE, "--dry-run").stdout
    withheld = plan.partition("Withheld:")[2]
    for why in UNSAFE.values():
        assert f"because GET is not safe here: {why}; --allow-writes " in withheld
    named = suite.run("check", server.url, contract, *REMOTE, "--dry-run", "--allow-writes=leave").stdout
    assert "--allow-writes leave allows it" in plan
    assert "--allow-writes leave allows it" not in named
    assert (
        "  GET /users/logout  no documented operation reverses it\n" in named.partition("Changed and not put back:")[2]
    )


def test_who_names_one_gets_that_one_and_its_entry_in_the_ledger(
    suite: Suite, remote: Callable[..., RemoteServer], contract: str
) -> None:
    server = remote(application=everything)
    done = suite.run("check", server.url, contract, *REMOTE, "--allow-writes=GET /users/logout")
    assert reached(server) == {"/users/logout"}
    assert "GET /users/logout (no documented operation reverses it)" in done.stdout
    assert len(suite.ledgers) == 1


def test_on_loopback_they_are_sent(suite: Suite, remote: Callable[..., RemoteServer], contract: str) -> None:
    server = remote(application=everything)
    suite.run("check", server.url, contract, "--no-oracle")
    assert reached(server) == set(UNSAFE)
