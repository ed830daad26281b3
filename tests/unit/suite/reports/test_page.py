from __future__ import annotations

import copy
from typing import Any, get_args

import pytest

from mockserver.suite.reports.json_report import Document, with_summary
from mockserver.suite.reports.page import as_text, ordered_causes, printable
from mockserver.suite.reports.ranking import causes
from mockserver.suite.verdicts.failures import Rule


def _with(document: Document, *findings: dict[str, Any]) -> Document:
    """Return the document with findings like its own, each with some members changed."""
    base = document["findings"][0]
    document = copy.deepcopy(document)
    document["findings"] = [base | {"id": str(number)} | changes for number, changes in enumerate(findings)]
    document |= with_summary(document)
    return document


def test_text_gives_the_verdict_first(document: Document) -> None:
    lines = as_text(document).splitlines()
    assert lines[0] == "BROKEN: 1 violation; 2xx on 1 of 2 operations"
    assert "not run: other on GET /note, because it needs an identity" in lines


def test_a_finding_has_level_owner_rule_evidence_and_command(document: Document) -> None:
    text = as_text(document)
    assert "VIOLATION a 200 gives a secret back  [no_secret_comes_back]" in text
    assert "  owner: server, because this rule holds for every server\n  contract: /paths/~1note/put\n" in text
    assert '< 200 {"token": "$ADMIN_TOKEN"}' in text
    assert "$ curl -i -X PUT" in text


def test_secrets_and_credentials_come_first_then_what_concerns_most(document: Document) -> None:
    contract = {"rule": "contract", "check": "writes_echo_the_request"}
    told = _with(
        document,
        {"title": "drift", "level": "drift", "rule": "silent", "check": "undefined_paths_are_refused", "times": 900},
        {"title": "often", **contract, "times": 90},
        {"title": "wide", **contract, "operation": "GET /a"},
        {"title": "wide", **contract, "operation": "GET /b"},
        {"title": "crash", "rule": "universal", "check": "no_server_error"},
        {"title": "token", "rule": "universal", "check": "unknown_tokens_are_refused"},
        {"title": "known", "known": "ticket 7"},
    )
    assert [cause.first["title"] for cause in causes(told["findings"])] == [
        "token",
        "crash",
        "wide",
        "often",
        "drift",
        "known",
    ]
    assert as_text(told).splitlines()[0] == "BROKEN: 5 violations, 1 drift, 1 known; 2xx on 1 of 2 operations"


def test_what_kept_a_run_from_judging_comes_first(document: Document) -> None:
    drift = {"title": "drift", "level": "drift", "rule": "silent", "times": 900}
    obstacle = {"title": "refused", "level": "environment", "rule": "environment", "check": "credentials_are_accepted"}
    assert [cause.first["title"] for cause in ordered_causes(_with(document, drift, obstacle))] == ["refused", "drift"]
    broken = _with(document, {"title": "crash"}, drift, obstacle)
    assert [cause.first["title"] for cause in ordered_causes(broken)] == ["crash", "drift", "refused"]


def test_a_bad_server_fits_a_screen_and_the_rest_is_named(document: Document) -> None:
    many = _with(document, *({"title": f"number {number}", "times": 100 - number} for number in range(60)))
    lines = as_text(many).splitlines()
    assert len([line for line in lines if line.startswith("  $ curl")]) == 5
    assert len([line for line in lines if "VIOLATION number" in line]) == 60
    assert any("and 55 more" in line and "--report html=FILE" in line for line in lines)


def test_what_a_server_says_plays_no_tricks_on_the_terminal(document: Document) -> None:
    document["findings"][0]["detail"] = "\x1b[2J\x1b]0;owned\x07 \u202e \x9b31m"
    assert not {character for character in as_text(document) if not character.isprintable()} - {"\n"}
    assert printable("a\tü\x1b") == "a\\x09ü\\x1b"


@pytest.mark.parametrize("rule", get_args(Rule))
def test_every_rule_has_words(document: Document, rule: str) -> None:
    document["findings"][0]["rule"] = rule
    assert ", because " in as_text(document)
