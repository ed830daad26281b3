from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mockserver.contract.model import Contract
from mockserver.http import basic
from mockserver.suite.reports.json_report import Document, Report, as_json, verdict_of
from mockserver.suite.reports.page import as_text
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.verdicts.failures import CheckFailure
from mockserver.suite.verdicts.graded_findings import judge
from mockserver.suite.verdicts.tally import Verdicts
from mockserver.suite.verdicts.verdict import RunOutcome
from tests.unit.suite.reports.conftest import PASSWORD, TOKEN


def test_json_has_the_documented_members(document: Document) -> None:
    data = document
    assert list(data) == ["version", "run", "summary", "reach", "findings", "coverage", "ledger"]
    assert set(data["run"]) == {
        "command",
        "target",
        "own_stub",
        "contract",
        "contract_sha256",
        "seed",
        "shard",
        "started",
        "duration_seconds",
        "requests",
        "operations_tested",
        "operations_succeeded",
        "notes",
        "identities_unused",
        "operations_total",
        "interrupted",
        "error",
    }
    assert data["summary"] == {"violation": 1, "drift": 0, "environment": 0}
    assert set(data["findings"][0]) == {
        "id",
        "cause",
        "level",
        "owner",
        "rule",
        "check",
        "operation",
        "title",
        "detail",
        "source",
        "pointer",
        "times",
        "known",
        "before",
        "request",
        "response",
        "reproduce",
    }
    assert data["reach"] == [
        {"operation": "GET /note", "best_status": 200, "attempts": 2, "why": ""},
        {"operation": "PUT /note", "best_status": None, "attempts": 0, "why": "not called, because no writes"},
    ]
    assert [set(item) for item in data["coverage"]] == [{"operation", "check", "result", "why", "cases", "seconds"}] * 3
    assert data["ledger"] == {"writes": 1, "restored": [], "left": ["note"]}


def test_no_secret_is_in_any_output(report: Report) -> None:
    for output in (json.dumps(as_json(report)), as_text(as_json(report))):
        assert TOKEN not in output
        assert PASSWORD not in output
        assert basic.encode(f"admin:{TOKEN}") not in output
        assert "$ADMIN_TOKEN" in output


def test_command_repeats_the_request_in_a_shell(report: Report) -> None:
    command = as_json(report)["findings"][0]["reproduce"]
    assert command == (
        "curl -i -X PUT -u admin:\"$ADMIN_TOKEN\" -H 'Content-Type: application/json' --data-binary "
        '\'{"text": "it\'"\'"\'s $HOME", "secret": "********"}\' http://127.0.0.1:1/note'
    )


@pytest.mark.parametrize(
    ("levels", "run", "fail_on_drift", "code"),
    [
        ([], {}, False, 0),
        (["drift"], {}, False, 0),
        (["drift"], {}, True, 1),
        (["violation"], {}, False, 1),
        (["violation"], {"error": "lost"}, False, 1),
        (["violation"], {"interrupted": True}, False, 130),
        (["environment"], {}, False, 2),
        ([], {"error": "lost"}, False, 2),
    ],
)
def test_exit_codes(
    document: Document, levels: list[str], run: dict[str, object], fail_on_drift: bool, code: int
) -> None:
    document["findings"] = [{"level": level, "check": "claim"} for level in levels]
    document["run"] |= run | {"fail_on": "drift" if fail_on_drift else ""}
    assert verdict_of(document).code == code


def test_without_any_success_nothing_was_judged_whatever_is_known(document: Document) -> None:
    document["findings"] = [{"level": "environment", "check": "claim", "known": "ticket 7"}]
    document["reach"] = [{"operation": "GET /note", "best_status": 401, "attempts": 2, "why": "answered with 401"}]
    assert verdict_of(document).code == 2
    document["findings"] = []
    assert as_text(document).startswith("NOT JUDGED: no operation ever succeeded; 2xx on 0 of 1 operations")
    document["reach"][0] |= {"best_status": None, "attempts": 0}
    assert verdict_of(document).code == 2
    document["run"]["shard"] = "1/2"  # the operation is another shard's
    assert verdict_of(document).code == 0


def test_the_first_line_says_on_how_many_operations_the_verdict_rests(document: Document) -> None:
    page = as_text(document).splitlines()
    assert page[0] == "BROKEN: 1 violation; 2xx on 1 of 2 operations"
    assert "  never succeeded: PUT /note: not called, because no writes" in page
    assert "note: the moon is full" in page


def test_what_our_own_stub_showed_is_told_as_such(report: Report) -> None:
    failure = CheckFailure(
        "headers_conform",
        "GET /note",
        "the field X is missing in a 200",
        expected="the field X",
        got="an answer without it",
        pointer="/paths/~1note/get",
        rule="contract",
        exchange=Exchange(WireRequest("GET", "/note"), WireResponse(200, (), b"")),
    )
    report.verdicts.excuse([("", judge(report.verdicts._contract, failure))])
    found = next(one for one in as_json(report)["findings"] if one["check"] == "headers_conform")
    assert (found["level"], found["owner"], found["rule"]) == ("drift", "contract", "oracle")
    assert found["title"] == "our own stub: the field X is missing in a 200"
    assert "127.0.0.1:1/" not in found["reproduce"]
    assert "mockserver serve --contract note.json" in found["reproduce"]


def test_what_is_known_decides_nothing(document: Document) -> None:
    document["findings"] = [{"level": "violation", "check": "claim", "known": "ticket 7"}]
    assert verdict_of(document).code == 0


def test_nothing_tested_is_not_judged(report: Report, contract: Contract) -> None:
    empty = replace(report, verdicts=Verdicts(contract))
    assert verdict_of(as_json(empty)).code == 2
    lost = as_json(replace(empty, outcome=RunOutcome(error="nothing listens")))
    assert as_text(lost).splitlines()[0] == "NOT JUDGED: nothing listens; 2xx on 1 of 2 operations"
