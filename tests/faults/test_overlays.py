"""The loop from documentation to reality: what a server does otherwise becomes an overlay, and then nothing drifts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.lint.findings import lint
from mockserver.stub.app import create_app
from mockserver.suite.identities.identities import seeded_identities
from mockserver.suite.overlays.loop import Made, follow
from mockserver.suite.reports.json_report import Report, as_json
from mockserver.suite.run.check_run import check
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.run_options import Options
from mockserver.suite.target.targets import WsgiTarget
from mockserver.suite.verdicts.evidence import Evidence
from tests import defaults
from tests.faults.catalogue import Fault, Stub
from tests.faults.judging import identities_file
from tests.faults.messages import ADMIN, MAILER, OPERATIONS, READ, SETTINGS, TOKENS, WRITE, Call, Reply
from tests.faults.registry import CLEAN_VARIANTS
from tests.faults.server import FaultyServer, clean_contract, serving

if TYPE_CHECKING:
    from tests.conftest import Serve

#: One resource with all its operations is enough to see each kind of drift, and quick.
_MAILER = "* /api/v1/settings/system_mailer/"
_ONLY = (_MAILER,)


def accepts_port_0_with_202(call: Call, server: Stub) -> Reply:
    reply = server.send(call)
    return reply._replace(status=202) if call.label in WRITE.values() and reply.ok else reply


def html_mailer(call: Call, server: Stub) -> Reply:
    reply = server.send(call)
    is_page = call.label == READ[MAILER] and reply.status == 401
    return reply.with_field("Content-Type", "text/html").with_body(b"<h1>401</h1>") if is_page else reply


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
    return Fault(name, name, **members)


def says_a_password(call: Call, server: Stub) -> Reply:
    reply = server.send(call)
    return reply.changed(lambda setting: setting | {"old_password": "x"}) if call.label == READ[MAILER] else reply


SERVERS = {
    "says_a_password": _fault("password", plant=says_a_password),
    "accepts_port_0_with_202": _fault("show8", plant=accepts_port_0_with_202, edit=_port_0),
    "html_mailer": _fault("html", plant=html_mailer),
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


def write(path: Path, fault: Fault, only: tuple[str, ...] = _ONLY) -> None:
    """Write the overlay of what `check` sees of a server."""
    first = made(FaultyServer(fault), clean_contract(), only)
    follow(Options(write_overlay=path), first, lambda _options, _contract: first)


def test_fuzz_writes_the_overlay_applies_it_and_the_stub_goes_by_it(
    command: Callable[..., CompletedProcess[str]], serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "identities.yaml").write_text(identities_file())
    with serving(FaultyServer(SERVERS["accepts_port_0_with_202"])) as url:
        options = [
            "--identities",
            "identities.yaml",
            "--max-examples",
            "3",
            "--only",
            _MAILER,
            "--report",
            "json=r.json",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "mockserver", "fuzz", url, *options, "--write-overlay", "real.yaml", "--apply"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    told = re.search(r"run 2: (\d+) drift findings before, (\d+) gone, 0 left, 0 new", done.stdout)
    assert told is not None, done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("KEPT")] == [
        f"KEPT, with {told[1]} drift; 2xx on 3 of 3 operations",
        "KEPT: 0 violations, 0 drift; 2xx on 3 of 3 operations",
    ]
    assert told[1] == told[2]
    assert json.loads((tmp_path / "r.json").read_text())["findings"] == []
    value = {"server_hostname": "h", "server_port": 0, "username": "u", "password": "a-password"}
    answer = serve("--overlay", "real.yaml").client.call("POST", f"{SETTINGS}{MAILER}/", json=value)
    assert (answer.status, answer.json()["settings"]["value"]["server_port"]) == (202, 0)
    done = command("check", "--overlay", "real.yaml", "--fail-on", "drift")
    assert done.returncode == 0, done.stdout


def test_what_one_operation_shows_is_not_said_of_others(tmp_path: Path) -> None:
    path = tmp_path / "real.yaml"
    write(path, SERVERS["html_mailer"])
    contract = load_contract(defaults.CONTRACT, [path])
    refused = {
        operation.label: list(operation.responses["401"].content)
        for operation in contract.operations
        if operation.security
    }
    assert refused.pop(READ[MAILER]) == ["text/html"]
    assert set(map(tuple, refused.values())) == {("application/problem+json",)}


def test_the_overlay_is_the_same_for_the_same_server(tmp_path: Path) -> None:
    texts = []
    for name in ("one.yaml", "two.yaml"):
        write(tmp_path / name, SERVERS["html_refusals"])
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1]


def test_no_secret_stands_in_an_overlay_and_the_documented_sample_does(tmp_path: Path) -> None:
    path = tmp_path / "real.yaml"
    secret = TOKENS[ADMIN]

    def says_its_token(call: Call, server: Stub) -> Reply:
        reply = server.send(call)
        shown = {secret: 1, "by": secret, "at": f"https://admin:{secret}@example.com"}
        reply = reply.changed(lambda setting: setting | shown)
        return reply._replace(status=202) if call.label in WRITE.values() and reply.ok else reply

    write(path, _fault("telling", plant=says_its_token), only=OPERATIONS)
    text = path.read_text()
    assert secret not in text
    assert "value: long-imap-master-password-here" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["check", "--apply"], "--apply needs an overlay to apply: --write-overlay FILE"),
        (
            ["check", "--write-overlay", "none/real.yaml"],
            "--write-overlay none/real.yaml: cannot be written: its folder does not",
        ),
        (["check", "--write-overlay", "."], "--write-overlay .: cannot be written: it is a folder"),
        (["fuzz", "--shard", "1/2", "--write-overlay", "real.yaml"], "--write-overlay needs a whole run"),
        (
            ["check", "--overlay", "a.yaml", "--write-overlay", "a.yaml"],
            "--write-overlay a.yaml: is read as --overlay, too",
        ),
    ],
)
def test_options_that_lead_to_no_overlay_are_refused_before_the_run(
    command: Callable[..., CompletedProcess[str]], options: list[str], message: str
) -> None:
    done = command(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_without_drift_nothing_is_written(command: Callable[..., CompletedProcess[str]], tmp_path: Path) -> None:
    done = command("check", "--only", "GET /api/v1/auth/", "--write-overlay", "real.yaml", "--apply")
    assert done.returncode == 0
    assert "No overlay is written: there is no drift." in done.stdout
    assert not (tmp_path / "real.yaml").exists()


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_what_drifts_becomes_an_overlay_and_then_nothing_does(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "real.yaml"
    server = FaultyServer(SERVERS[name])
    first = made(server, clean_contract())
    last = follow(Options(write_overlay=path, apply=True), first, lambda _options, contract: made(server, contract))

    number = len(first.drift)
    if not number:  # only `fuzz` sees this one
        assert not path.exists()
        return
    told = f"{number} drift finding{'' if number == 1 else 's'} before, {number} gone, 0 left, 0 new."
    assert told in capsys.readouterr().out
    assert {one.level for one in last.run.verdicts.findings()} <= {"violation"}

    # By the overlay the contract is well-formed, and the stub is such a server: nothing drifts there, either.
    assert [str(finding) for finding in lint(defaults.CONTRACT, [path])] == []
    contract = load_contract(defaults.CONTRACT, [path])
    assert contract.document.notes == ()
    stub = create_app(contract, seed_data=defaults.SEED_DATA).wsgi_app
    assert [f"{one.check} {one.operation} {one.detail}" for one in made(stub, contract).run.verdicts.findings()] == []
