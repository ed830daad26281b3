"""Identities that were given and never used are told, with the reason."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.stub.app import create_app
from mockserver.suite.identities.admission import unused
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.reports.merge import merge
from mockserver.suite.run.check_run import check
from mockserver.suite.run.preparation import prepare
from tests.wsgi_target import WsgiTarget

ANN = Identity("ann", token="token-of-ann-01234")
SCHEMES: dict[str, dict[str, str]] = {
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "SID"},
}
Write = Callable[..., Path]


def _contract(write_contract: Write, scheme: str, **members: Any) -> Path:
    operation = {"responses": {"200": {"description": ""}, "401": {"description": ""}}, **members}
    schemes = {"securitySchemes": {"door": SCHEMES[scheme]}}
    return write_contract({"/a": {"get": operation}}, components=schemes, security=[{"door": []}])


def _unused(path: Path, *identities: Identity, only: tuple[str, ...] = ()) -> dict[str, str]:
    target = WsgiTarget(create_app(path).wsgi_app)
    run = prepare(load_contract(path), target, Identities(identities, Path("identities.yaml")), only=only)
    check(run)
    return {one.identity: one.why for one in unused(run.contract, run.selected, run.guard.usage)}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_credentials_in_any_place_are_used(write_contract: Write, scheme: str) -> None:
    assert _unused(_contract(write_contract, scheme), ANN) == {}


def test_where_no_operation_asks(write_contract: Write) -> None:
    path = _contract(write_contract, "bearer", security=[])
    assert _unused(path, ANN) == {"ann": "no operation asks for credentials"}


def test_where_no_operation_asks_for_what_it_has(write_contract: Write) -> None:
    bob = Identity("bob", password="password-of-bob-01")
    assert _unused(_contract(write_contract, "bearer"), ANN, bob) == {
        "bob": "no operation accepts its kind of credential; the schemes are door; "
        "if it has to log in first, give it `login: {}`"
    }


def test_where_no_check_needs_it(write_contract: Write) -> None:
    other = Identity("other", token="token-of-other-0123")
    assert _unused(_contract(write_contract, "bearer"), ANN, other) == {"other": "no check needed it"}


def test_the_page_and_the_report_tell(
    write_contract: Write, tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    path, report = _contract(write_contract, "bearer", security=[]), tmp_path / "report.json"
    (tmp_path / "identities.yaml").write_text("identities: [{username: ann, token: token-of-ann-01234}]")
    options = ("--identities", "identities.yaml", "--report", f"json={report}")
    done = command("check", "--contract", str(path), *options)
    assert "note: identity ann was never used: no operation asks for credentials" in done.stdout
    told = [{"identity": "ann", "why": "no operation asks for credentials"}]
    assert json.loads(report.read_text())["run"]["identities_unused"] == told


def test_an_identity_that_one_shard_used_is_used() -> None:
    def shard(number: int, *names: str) -> dict[str, Any]:
        run = {"command": "fuzz", "target": "http://a", "contract_sha256": "", "seed": 1, "shard": f"{number}/2"}
        run |= {"started": "", "duration_seconds": 0, "requests": 0, "operations_total": 0}
        idle = [{"identity": name, "why": "no check needed it"} for name in names]
        empty: dict[str, Any] = {"summary": {}, "findings": [], "coverage": []}
        ledger = {"writes": 0, "restored": [], "left": []}
        return {"version": 1, "run": {**run, "identities_unused": idle}, **empty, "ledger": ledger}

    merged = merge([shard(1, "ann", "bob"), shard(2, "bob")])
    assert [one["identity"] for one in merged["run"]["identities_unused"]] == ["bob"]
