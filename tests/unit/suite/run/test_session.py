from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from mockserver import create_app
from mockserver.contract.model import Contract
from mockserver.suite.identities.identities import Identities
from mockserver.suite.run.check_run import check, plan
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Run
from mockserver.suite.safety.guard import Guard
from mockserver.suite.target.processes import StubControl
from mockserver.suite.verdicts.verdict import ExitCode
from tests.faults.verdicts import exit_code
from tests.unit.suite.conftest import ADMIN, GUEST, Application, answering
from tests.wsgi_target import WsgiTarget


def note_server(*, forgets: bool = False, lax: bool = False) -> Application:
    """Return a correct server of the note contract, or one with a fault."""
    from mockserver.http import basic

    held: list[dict[str, Any]] = []
    admin, guest = basic.encode(f"admin:{ADMIN.token}"), basic.encode(f"guest:{GUEST.token}")

    def answer(environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        shown = environ.get("HTTP_AUTHORIZATION", "")
        if environ["PATH_INFO"] != "/note":
            return 404, [], b""
        if environ["REQUEST_METHOD"] not in {"GET", "PUT"}:
            return 405, [("Allow", "GET, PUT")], b""
        if shown == guest:
            return 403, [], b""
        if shown != admin and not lax:
            return 401, [], b""
        if environ["REQUEST_METHOD"] == "PUT":
            try:
                sent = json.loads(environ["wsgi.input"].read())
                assert environ.get("CONTENT_TYPE") == "application/json"
                assert isinstance(sent["text"], str)
                assert isinstance(sent["secret"], str)
            except (ValueError, TypeError, KeyError, AssertionError, RecursionError):
                return 400, [], b""
            held[:] = [{name: value for name, value in sent.items() if name != "secret"}]
        elif not held:
            return 204, [], b""
        elif forgets:
            held[:] = [{"text": "other"}]
        body = json.dumps({"name": "note", "value": held[0]}).encode()
        return 200, [("Content-Type", "application/json")], body

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, fields, body = answer(environ)
        start_response(f"{status} X", fields)
        return [body]

    return application


def levels(run: Run) -> set[tuple[str, str]]:
    return {(finding.check, finding.level) for finding in run.verdicts.findings()}


def test_a_server_that_keeps_the_contract_has_no_violation(run_against: Callable[[Application], Run]) -> None:
    run = run_against(note_server())
    check(run)
    assert not [finding for finding in run.verdicts.findings() if finding.level == "violation"]


def test_a_server_that_forgets_is_found(run_against: Callable[[Application], Run]) -> None:
    run = run_against(note_server(forgets=True))
    outcome = check(run)
    assert ("reads_show_the_last_write", "violation") in levels(run) or (
        "reads_show_the_last_write",
        "drift",
    ) in levels(run)
    assert exit_code(run, outcome, fail_on_drift=True) == ExitCode.VIOLATION


def test_a_server_that_lets_everybody_in_is_found(run_against: Callable[[Application], Run]) -> None:
    run = run_against(note_server(lax=True))
    check(run)
    assert ("calls_without_credentials_are_refused", "violation") in levels(run)
    # One mistake, one finding: what else it lets in is not asked.
    results = {row.result for row in run.verdicts.coverage() if row.check == "unknown_tokens_are_refused"}
    assert results == {"not run"}


def test_nothing_unsafe_is_sent_to_another_machine(run_against: Callable[[Application], Run]) -> None:
    methods: set[str] = set()
    inner = answering(403)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        methods.add(environ["REQUEST_METHOD"])
        return inner(environ, start_response)

    run = run_against(application)
    policy = type(run.policy)(foreign=True)
    run.guard = Guard(run.contract, run.resolver, policy, run.identities, run.target)
    check(run)
    assert methods <= {"GET", "HEAD", "OPTIONS"}
    assert any(item.result == "not run" and "--allow-writes" in item.why for item in run.verdicts.coverage())


def test_what_ends_credentials_comes_last(run_against: Callable[[Application], Run]) -> None:
    order = [entry.last for entry in plan(run_against(answering(404)))]
    assert order == sorted(order)


def test_a_missing_identity_is_a_reason_and_no_pass(run_against: Callable[[Application], Run]) -> None:
    run = run_against(note_server())
    run.identities = type(run.identities)((ADMIN,))
    check(run)
    (item,) = [
        item
        for item in run.verdicts.coverage()
        if item.check == "levels_not_allowed_are_refused" and item.operation == "GET /note"
    ]
    assert item.result == "not run"
    assert "level Guest" in item.why


@pytest.mark.parametrize("text", ["", "/nowhere"])
def test_paths_that_mean_nothing(run_against: Callable[[Application], Run], text: str) -> None:
    assert not run_against(answering(404)).resolver.methods_at(text)


def test_a_run_leaves_no_world_behind_in_a_stub_of_its_own(contract: Contract) -> None:
    app = create_app(contract)
    target = WsgiTarget(app.wsgi_app)
    run = prepare(contract, target, Identities((ADMIN, GUEST)), settle_seconds=0.0, control=StubControl(target, None))
    check(run)
    assert run.worlds > 1
    assert app.extensions["mockserver"].store.worlds() == ["default"]
