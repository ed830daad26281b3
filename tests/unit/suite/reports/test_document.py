from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mockserver.contract.model import Contract
from mockserver.suite.identities import basic
from mockserver.suite.reports.document import Document, Report, as_json, exit_code_of
from mockserver.suite.reports.page import as_text
from mockserver.suite.verdicts import Outcome, Verdicts
from tests.unit.suite.reports.conftest import PASSWORD, TOKEN


def test_json_has_the_documented_members(document: Document) -> None:
    data = document
    assert list(data) == ["version", "run", "summary", "findings", "coverage", "ledger"]
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
        "operations_total",
        "interrupted",
        "error",
    }
    assert data["summary"] == {"violation": 1, "drift": 0, "environment": 0}
    assert set(data["findings"][0]) == {
        "id",
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
        "request",
        "response",
        "reproduce",
    }
    assert [set(item) for item in data["coverage"]] == [{"operation", "check", "result", "why", "cases"}] * 3
    assert data["ledger"] == {"writes": 1, "restored": [], "left": ["note"]}


def test_no_secret_is_in_any_output(report: Report) -> None:
    for output in (json.dumps(as_json(report)), as_text(as_json(report))):
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
    document["findings"] = [{"level": level} for level in levels]
    document["run"] |= run
    assert exit_code_of(document, fail_on_drift=fail_on_drift) == code


def test_what_is_known_decides_nothing(document: Document) -> None:
    document["findings"] = [{"level": "violation", "known": "ticket 7"}]
    assert exit_code_of(document) == 0


def test_nothing_tested_is_not_judged(report: Report, contract: Contract) -> None:
    empty = replace(report, verdicts=Verdicts(contract))
    assert exit_code_of(as_json(empty)) == 2
    lost = as_json(replace(empty, outcome=Outcome(error="nothing listens")))
    assert as_text(lost).splitlines()[0] == "NOT JUDGED: nothing listens"
