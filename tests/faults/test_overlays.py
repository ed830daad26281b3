"""The loop from documentation to reality: what a server does otherwise becomes an overlay, and then nothing drifts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mockserver import defaults
from mockserver.app import create_app
from mockserver.contract.building import load_contract
from mockserver.contract.lint import lint
from mockserver.contract.model import Contract
from mockserver.suite.checking import check
from mockserver.suite.evidence import Evidence
from mockserver.suite.identities import seeded_identities
from mockserver.suite.options import Options
from mockserver.suite.overlays.loop import Made, follow
from mockserver.suite.preparing import prepare
from mockserver.suite.reports.document import Report, as_json
from mockserver.suite.targets import WsgiTarget
from tests.faults.catalogue import Fault, Stub
from tests.faults.messages import WRITE, Call, Reply
from tests.faults.registry import CLEAN_VARIANTS
from tests.faults.server import FaultyServer, clean_contract

#: One resource with all its operations, one that shares schemas with it, and a login: all kinds that there are.
_ONLY = ("* /api/v1/settings/system_mailer/", "POST /api/v1/settings/postfix_relayhost/", "POST /api/v1/auth/")


def accepts_port_0_with_202(call: Call, server: Stub) -> Reply:
    reply = server.send(call)
    return reply._replace(status=202) if call.label in WRITE.values() and reply.ok else reply


def _port_0(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["ServerPort"]["minimum"] = 0


def _no_port_limits(document: dict[str, Any]) -> None:
    port = document["components"]["schemas"]["ServerPort"]
    del port["minimum"], port["maximum"]


def _optional_members(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["MailServer"]["required"] = ["server_hostname"]


def _any_members(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["MailServer"]["additionalProperties"] = True


def _fault(name: str, **members: Any) -> Fault:
    return Fault(name, name, "shape", (), frozenset(), "drift", **members)


SERVERS = {
    "accepts_port_0_with_202": _fault("show8", plant=accepts_port_0_with_202, edit=_port_0),
    "no_port_limits": _fault("ports", edit=_no_port_limits),
    "optional_members": _fault("optional", edit=_optional_members),
    "any_members": _fault("any", edit=_any_members),
    **{name: fault for name, fault in CLEAN_VARIANTS.items() if fault.checks},
}


def made(application: Any, contract: Contract, only: tuple[str, ...] = _ONLY) -> Made:
    """Return what `check` makes of an application by a contract."""
    target = WsgiTarget(application)
    run = prepare(contract, target, seeded_identities(defaults.SEED_DATA), only=only, settle_seconds=0.0)
    outcome = check(run)
    report = Report(
        command="check",
        target=target.base_url,
        contract="openapi.yaml",
        contract_sha256=contract.document.sha256,
        seed=None,
        started=datetime.now(UTC),
        duration_seconds=0.0,
        requests=0,
        operations_total=len(contract.operations),
        verdicts=run.verdicts,
        evidence=Evidence(contract, run.secrets),
        outcome=outcome,
    )
    return Made(contract, run, as_json(report))


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_what_drifts_becomes_an_overlay_and_then_nothing_does(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "real.yaml"
    server = FaultyServer(SERVERS[name])
    first = made(server, clean_contract())
    last = follow(Options(write_overlay=path, apply=True), first, lambda _options, contract: made(server, contract))

    number = len(first.drift)
    assert number
    told = f"{number} drift finding{'' if number == 1 else 's'} before, {number} gone, 0 left, 0 new."
    assert told in capsys.readouterr().out
    assert {one.level for one in last.run.verdicts.findings()} <= {"violation"}

    # By the overlay the contract is well-formed, and the stub is such a server: nothing drifts there, either.
    assert [str(finding) for finding in lint(defaults.CONTRACT, [path])] == []
    contract = load_contract(defaults.CONTRACT, [path])
    assert contract.document.notes == ()
    stub = create_app(contract, seed_data=defaults.SEED_DATA).wsgi_app
    assert [f"{one.check} {one.operation} {one.detail}" for one in made(stub, contract).run.verdicts.findings()] == []
