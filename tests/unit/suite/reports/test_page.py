from __future__ import annotations

import copy
import shlex
from typing import Any, get_args

import pytest

from mockserver.suite.reports.json_report import Document, with_summary
from mockserver.suite.reports.page import as_text, ordered_causes, printable
from mockserver.suite.reports.ranking import causes
from mockserver.suite.verdicts.failures import Rule


def _with(document: Document, *findings: dict[str, Any]) -> Document:
    """Return the document with findings like its own, each with some members changed."""
    base = {name: value for name, value in document["findings"][0].items() if name != "cause"}
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


def test_the_worst_comes_first_however_many_operations_have_something_else(document: Document) -> None:
    contract = {"rule": "contract", "check": "media_type_is_documented"}
    told = _with(
        document,
        {"title": "drift", "level": "drift", "rule": "silent", "check": "undefined_paths_are_refused", "times": 900},
        {"title": "often", **contract, "times": 90},
        {"title": "wide", **contract, "operation": "GET /a"},
        {"title": "wide", **contract, "operation": "GET /b"},
        {"title": "gone", "rule": "contract", "check": "valid_requests_are_accepted", "pointer": "/paths/~1a/get"},
        {"title": "crash", "rule": "universal", "check": "no_server_error"},
        {"title": "lost", "rule": "contract", "check": "reads_show_the_last_write"},
        {"title": "other status", "rule": "contract", "check": "unknown_tokens_are_refused"},
        {"title": "token", "rule": "universal", "check": "unknown_tokens_are_refused"},
        {"title": "known", "known": "ticket 7"},
    )
    assert [cause.first["title"] for cause in causes(told["findings"])] == [
        "token",
        "lost",
        "crash",
        "gone",
        "wide",
        "often",
        "other status",
        "drift",
        "known",
    ]
    assert as_text(told).splitlines()[0] == "BROKEN: 8 violations, 1 drift, 1 known; 2xx on 1 of 2 operations"


def test_what_kept_a_run_from_judging_comes_first(document: Document) -> None:
    drift = {"title": "drift", "level": "drift", "rule": "silent", "times": 900}
    obstacle = {"title": "refused", "level": "environment", "rule": "environment", "check": "credentials_are_accepted"}
    assert [cause.first["title"] for cause in ordered_causes(_with(document, drift, obstacle))] == ["refused", "drift"]
    broken = _with(document, {"title": "crash"}, drift, obstacle)
    assert [cause.first["title"] for cause in ordered_causes(broken)] == ["crash", "drift", "refused"]


def test_a_bad_server_fits_a_screen_and_the_rest_is_counted(document: Document) -> None:
    many = _with(document, *({"title": f"number {number}", "times": 100 - number} for number in range(60)))
    many["reach"] = [
        {"operation": f"GET /{'x' * n}", "best_status": n, "attempts": 1, "why": f"answered with {n}"}
        for n in range(100, 140)
    ]
    many["run"]["notes"] = ["a long note " * 50] * 9
    many["ledger"] |= {"left": [f"thing {n}" for n in range(90)], "restored": ["x"] * 90}
    many["coverage"] *= 30
    lines = as_text(many).splitlines()
    assert len(lines) <= 60
    assert lines[0] == lines[-1] == "BROKEN: 60 violations; 2xx on 0 of 40 operations"
    assert lines[1] == "0 of 40 operations succeeded"
    told = len([line for line in lines if "VIOLATION number" in line])
    assert told >= 4
    assert f"  ... and {60 - told} more" in lines
    assert "--report html=FILE" in as_text(many)
    assert "  and 85 more (all of them: --report json=FILE)" in "\n".join(lines).replace("left: and", "and")


def test_findings_that_differ_in_operation_alone_are_one_cause_with_the_smallest_evidence(document: Document) -> None:
    small: dict[str, Any] = {"method": "GET", "path": "/", "headers": {}, "body": None}
    same = {"cause": "errors are sent as text/plain, not as application/json", "check": "media_type_is_documented"}
    told = _with(
        document,
        {"title": "the content of a 404 is sent as text/plain", "operation": "GET /a", "times": 9, **same},
        {"title": "the content of a 400 is sent as text/plain", "operation": "GET /b", "request": small, **same},
        {"title": "the content of a 401 is sent as text/plain", "operation": "GET /c", "known": "ticket 7", **same},
    )
    one, known = causes(told["findings"])
    assert (one.title, one.operations, one.times) == (same["cause"], ["GET /b", "GET /a"], 10)
    assert known.title == "the content of a 401 is sent as text/plain"
    text = as_text(told)
    assert f"VIOLATION {same['cause']}\n  [media_type_is_documented]\n" in text
    assert "  on 2 operations, 10 times: GET /b, GET /a\n" in text


def test_long_commands_go_on_in_the_next_line_as_a_shell_reads_them(document: Document) -> None:
    command = (
        'curl -i -X POST -H \'Content-Type: application/json\' -d \'{"a": "it is  blank"}\' "http://127.0.0.1:1/a b"'
    )
    document["findings"][0]["reproduce"] = command
    lines = [line for line in as_text(document).splitlines() if line.startswith(("  $ ", "      "))]
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80
    shown = "\n".join(lines).removeprefix("  $ ").replace(" \\\n", " ")
    assert shlex.split(shown) == shlex.split(command)


def test_what_a_server_says_plays_no_tricks_on_the_terminal(document: Document) -> None:
    document["findings"][0]["detail"] = "\x1b[2J\x1b]0;owned\x07 \u202e \x9b31m"
    assert not {character for character in as_text(document) if not character.isprintable()} - {"\n"}
    assert printable("a\tü\x1b") == "a\\x09ü\\x1b"


@pytest.mark.parametrize("rule", get_args(Rule))
def test_every_rule_has_words(document: Document, rule: str) -> None:
    document["findings"][0]["rule"] = rule
    assert ", because " in as_text(document)
