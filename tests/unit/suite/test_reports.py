from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mockserver.contract.model import Contract
from mockserver.errors import UsageError
from mockserver.suite.evidence import Evidence
from mockserver.suite.exchanges import Exchange, WireRequest, WireResponse
from mockserver.suite.identities import basic
from mockserver.suite.ledger import Ledger
from mockserver.suite.reports import Report, as_json, as_text, parse_report_option, write_json
from mockserver.suite.secrecy import Secrets
from mockserver.suite.verdicts import CheckFailure, Outcome, Verdicts

TOKEN = "token-of-the-admin"
PASSWORD = "password-in-a-body"


@pytest.fixture
def report(contract: Contract) -> Report:
    secrets = Secrets()
    secrets.add("ADMIN_TOKEN", TOKEN)
    verdicts = Verdicts(contract)
    verdicts.passed("claim", "GET /note", 3)
    request = WireRequest(
        "PUT",
        "/note",
        (("Authorization", basic(f"admin:{TOKEN}")), ("Content-Type", "application/json"), ("Mock-World", "w")),
        json.dumps({"text": "it's $HOME", "secret": PASSWORD}).encode(),
    )
    response = WireResponse(200, (("X-Echo", TOKEN),), f'{{"token": "{TOKEN}"}}'.encode())
    verdicts.failed(
        CheckFailure(
            "no_secret_comes_back",
            "PUT /note",
            "a 200 gives a secret back",
            expected="none",
            got=f"the token {TOKEN}",
            pointer="/paths/~1note/put",
            rule="universal",
            exchange=Exchange(request, response),
        )
    )
    verdicts.not_run("other", "GET /note", "it needs an identity")
    return Report(
        command="check",
        target="http://127.0.0.1:1",
        contract="note.json",
        contract_sha256="0",
        seed=None,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        duration_seconds=1.5,
        requests=7,
        operations_total=2,
        verdicts=verdicts,
        evidence=Evidence(contract, secrets),
        ledger=Ledger(1, (), ("note",)),
    )


def test_json_has_the_documented_members(report: Report, tmp_path: Path) -> None:
    write_json(report, tmp_path / "report.json")
    data = json.loads((tmp_path / "report.json").read_text())
    assert list(data) == ["version", "run", "summary", "findings", "coverage", "ledger"]
    assert set(data["run"]) == {
        "target",
        "contract",
        "contract_sha256",
        "seed",
        "started",
        "duration_seconds",
        "requests",
        "operations_tested",
        "operations_total",
    }
    assert data["summary"] == {"violation": 1, "drift": 0, "environment": 0}
    assert set(data["findings"][0]) == {
        "id",
        "level",
        "owner",
        "check",
        "operation",
        "title",
        "detail",
        "source",
        "pointer",
        "times",
        "request",
        "response",
        "reproduce",
    }
    assert [set(item) for item in data["coverage"]] == [{"operation", "check", "result", "why", "cases"}] * 3
    assert data["ledger"] == {"writes": 1, "restored": [], "left": ["note"]}


def test_no_secret_is_in_any_output(report: Report) -> None:
    for output in (json.dumps(as_json(report)), as_text(report)):
        assert TOKEN not in output
        assert PASSWORD not in output
        assert basic(f"admin:{TOKEN}") not in output
        assert "$ADMIN_TOKEN" in output


def test_command_repeats_the_request_in_a_shell(report: Report) -> None:
    command = as_json(report)["findings"][0]["reproduce"]
    assert command == (
        "curl -i -X PUT -u admin:\"$ADMIN_TOKEN\" -H 'Content-Type: application/json' --data-binary "
        '\'{"text": "it\'"\'"\'s $HOME", "secret": "********"}\' http://127.0.0.1:1/note'
    )


def test_text_gives_the_verdict_first(report: Report) -> None:
    lines = as_text(report).splitlines()
    assert lines[0] == "BROKEN: 1 violation"
    assert "not run: other on GET /note, because it needs an identity" in lines


def test_text_of_a_target_that_is_not_there(report: Report, contract: Contract) -> None:
    from dataclasses import replace

    empty = replace(report, verdicts=Verdicts(contract), outcome=Outcome(error="nothing listens"))
    assert as_text(empty).splitlines()[0] == "NOT JUDGED: nothing listens"


@pytest.mark.parametrize("text", ["html=x", "json", "json=", "=x"])
def test_unknown_reports_are_told(text: str) -> None:
    with pytest.raises(UsageError, match="--report"):
        parse_report_option(text)


def test_report_that_cannot_be_written_is_told(report: Report, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write_json(report, tmp_path / "no" / "report.json")
