"""The loop from documentation to reality: what a server does otherwise becomes an overlay, and then nothing drifts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.errors import UsageError
from mockserver.lint.findings import lint
from mockserver.stub.app import create_app
from mockserver.suite.fuzz.engine import FuzzSettings
from mockserver.suite.identities.seeded_accounts import seeded_identities
from mockserver.suite.overlays.overlay_run import CompletedRun, follow
from mockserver.suite.reports.json_report import Report, as_json
from mockserver.suite.run.check_run import check
from mockserver.suite.run.lifecycle import run_command
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.run_options import Options
from mockserver.suite.verdicts.evidence import Evidence
from tests import defaults
from tests.conftest import Client, send_to_app
from tests.faults.catalogue import Edit, Fault, Stub, combined
from tests.faults.judging import identities_file
from tests.faults.messages import ADMIN, IMAP, MAILER, OPERATIONS, READ, SETTINGS, TOKENS, WRITE, Call, Reply
from tests.faults.registry import CLEAN_VARIANTS
from tests.faults.server import FaultyServer, clean_contract
from tests.faults.small import commanded
from tests.faults.test_clean import GROUPS
from tests.wsgi_target import WsgiTarget

#: One resource with all its operations is enough to see each kind of drift, and quick.
_MAILER = "* /api/v1/settings/system_mailer/"
_ONLY = (_MAILER,)
#: Told of generated requests alone.
_OF_FUZZ = {"unsupported_method", "positive_data_acceptance"}


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


def _edited(*edits: Edit) -> Edit:
    def edit(document: dict[str, Any]) -> None:
        for one in edits:
            one(document)

    return edit


HTML_MAILER = _fault("html", plant=html_mailer)
PORT_0 = _fault("port 0", plant=accepts_port_0_with_202, edit=_port_0)
#: Each differs in several ways that do not get into each other's way; alone they do: `python -m tests.faults --table`.
SERVERS = {
    "loose": _fault("loose", edit=_edited(_no_port_limits, _optional_members, _any_members)),
    "telling": combined([HTML_MAILER, _fault("password", plant=says_a_password)]),
    "lax": combined([CLEAN_VARIANTS[name] for name in GROUPS["lax"]]),
    "lax otherwise": combined([CLEAN_VARIANTS[name] for name in GROUPS["lax otherwise"]]),
    "talkative": CLEAN_VARIANTS["extra_fields"],
}


def made(application: Any, contract: Contract, only: tuple[str, ...] = _ONLY) -> CompletedRun:
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
    return CompletedRun(contract, run, as_json(report))


def write(path: Path, fault: Fault, only: tuple[str, ...] = _ONLY) -> None:
    """Write the overlay of what `check` sees of a server."""
    first = made(FaultyServer(fault), clean_contract(), only)
    follow(Options(write_overlay=path), first, lambda _options, _contract: first)


def test_fuzz_writes_the_overlay_applies_it_and_the_stub_goes_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    identities = tmp_path / "identities.yaml"
    identities.write_text(identities_file(), encoding="utf-8")
    options: dict[str, Any] = {
        "identities": identities,
        "only": _ONLY,
        "write_overlay": Path("real.yaml"),
        "apply": True,
    }
    told = commanded("fuzz", FaultyServer(PORT_0, played=True), tmp_path, max_examples=3, **options)
    assert told.exit_code == 0, told.page
    run = re.search(r"run 2: (\d+) drift findings before, (\d+) resolved, 0 left, 0 new", told.page)
    assert run is not None, told.page
    verdicts = dict.fromkeys(line for line in told.page.splitlines() if line.startswith("KEPT"))
    assert list(verdicts) == [
        f"KEPT, with {run[1]} drift; 2xx on 3 of 3 operations",
        "KEPT: 0 violations, 0 drift; 2xx on 3 of 3 operations",
    ]
    assert run[1] == run[2]
    assert told.report["findings"] == []
    contract = load_contract(defaults.CONTRACT, [tmp_path / "real.yaml"])
    stub = create_app(contract, seed_data=defaults.SEED_DATA).wsgi_app
    value = {"server_hostname": "h", "server_port": 0, "username": "u", "password": "a-password"}
    answer = Client(send_to_app(stub)).call("POST", f"{SETTINGS}{MAILER}/", json=value)
    assert (answer.status, answer.json()["settings"]["value"]["server_port"]) == (202, 0)
    assert made(stub, contract, OPERATIONS).run.verdicts.findings() == ()


def test_the_overlay_is_the_same_for_the_same_server_and_says_nothing_of_other_operations(tmp_path: Path) -> None:
    paths = [tmp_path / "one.yaml", tmp_path / "two.yaml"]
    for path in paths:
        write(path, HTML_MAILER)
    assert paths[0].read_text() == paths[1].read_text()
    contract = load_contract(defaults.CONTRACT, paths[:1])
    refused = {
        operation.label: list(operation.responses["401"].content)
        for operation in contract.operations
        if operation.security
    }
    assert refused.pop(READ[MAILER]) == ["text/html"]
    assert set(map(tuple, refused.values())) == {("application/problem+json",)}


def test_no_secret_stands_in_an_overlay_and_the_documented_sample_does(tmp_path: Path) -> None:
    path = tmp_path / "real.yaml"
    secret = TOKENS[ADMIN]

    def says_its_token(call: Call, server: Stub) -> Reply:
        reply = server.send(call)
        shown = {secret: 1, "by": secret, "at": f"https://admin:{secret}@example.com"}
        reply = reply.changed(lambda setting: setting | shown)
        return reply._replace(status=202) if call.label in WRITE.values() and reply.ok else reply

    write(path, _fault("telling", plant=says_its_token), only=(f"* {SETTINGS}{IMAP}/",))
    text = path.read_text()
    assert secret not in text
    assert "value: long-imap-master-password-here" in text


@pytest.mark.parametrize(
    ("options", "shard", "message"),
    [
        ({"apply": True}, "", "--apply needs an overlay to apply: give --write-overlay FILE, too"),
        (
            {"write_overlay": Path("none/real.yaml")},
            "",
            "--write-overlay none/real.yaml: cannot be written: its folder does not",
        ),
        ({"write_overlay": Path()}, "", "--write-overlay .: cannot be written: it is a folder"),
        ({"write_overlay": Path("real.yaml")}, "1/2", "--write-overlay needs a whole run"),
        (
            {"overlay": (Path("a.yaml"),), "write_overlay": Path("a.yaml")},
            "",
            "--write-overlay a.yaml: is also given as --overlay",
        ),
    ],
)
def test_options_that_lead_to_no_overlay_are_refused_before_the_run(
    options: dict[str, Any], shard: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    # Neither its overlay nor its target is there.
    with pytest.raises(UsageError, match=re.escape(message)):
        run_command("fuzz", Options(target="http://127.0.0.1:1", **options), FuzzSettings(shard=shard))


def test_without_drift_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "real.yaml"
    first = made(FaultyServer(), clean_contract())
    assert follow(Options(write_overlay=path, apply=True), first, lambda _options, _contract: first) is first
    assert "No overlay is written: there is no drift." in capsys.readouterr().out
    assert not path.exists()


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_what_drifts_becomes_an_overlay_and_then_nothing_does(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "real.yaml"
    server = FaultyServer(SERVERS[name])
    first = made(server, clean_contract())
    last = follow(Options(write_overlay=path, apply=True), first, lambda _options, contract: made(server, contract))

    number = len(first.drift)
    assert SERVERS[name].checks <= {one.check for one in first.drift} | _OF_FUZZ
    told = f"{number} drift finding{'' if number == 1 else 's'} before, {number} resolved, 0 left, 0 new."
    assert told in capsys.readouterr().out
    assert {one.level for one in last.run.verdicts.findings()} <= {"violation"}

    # By the overlay the contract is well-formed, and the stub is such a server: nothing drifts there, either.
    assert [str(finding) for finding in lint(defaults.CONTRACT, [path])] == []
    contract = load_contract(defaults.CONTRACT, [path])
    assert contract.document.notes == ()
    stub = create_app(contract, seed_data=defaults.SEED_DATA).wsgi_app
    assert [f"{one.check} {one.operation} {one.detail}" for one in made(stub, contract).run.verdicts.findings()] == []
