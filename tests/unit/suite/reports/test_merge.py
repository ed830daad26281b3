from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.errors import UsageError
from mockserver.suite.reports.json_report import Document, verdict_of
from mockserver.suite.reports.merge import load_report, merge
from mockserver.suite.verdicts.tally import NOTHING_CAME_UP, OTHER_SHARD


@pytest.fixture
def shard(document: Document) -> Callable[..., Document]:
    def make(number: str, **run: Any) -> Document:
        made = copy.deepcopy(document)
        made["run"] |= {"shard": number, **run}
        return made

    return make


def _item(result: str, cases: int = 0, why: str = "") -> dict[str, Any]:
    return {"operation": "GET /note", "check": "claim", "result": result, "why": why, "cases": cases}


def test_one_cause_in_two_shards_is_one_finding(shard: Callable[..., Document]) -> None:
    one, two = shard("1/2", duration_seconds=3.0), shard("2/2", duration_seconds=5.0)
    two["findings"][0] |= {"times": 4, "level": "drift", "rule": "silent", "request": None, "response": None}
    two["ledger"] = {"writes": 2, "restored": ["x"], "left": ["note"]}
    whole = merge([two, one])
    assert [(found["id"], found["times"], found["level"]) for found in whole["findings"]] == [
        (one["findings"][0]["id"], 5, "violation")
    ]
    assert whole["findings"][0]["rule"] == "universal"
    assert whole["findings"][0]["request"] is not None, "the evidence of the graver one, though it is larger"
    assert whole["run"]["requests"] == 14
    assert whole["run"]["duration_seconds"] == 5.0
    assert whole["run"]["shard"] == ""
    assert whole["run"]["error"] == ""
    assert whole["ledger"] == {"writes": 3, "restored": ["x"], "left": ["note"]}
    assert whole["summary"] == {"violation": 1, "drift": 0, "environment": 0}


def test_the_smaller_of_two_alike_is_shown(shard: Callable[..., Document]) -> None:
    one, two = shard("1/2"), shard("2/2")
    two["findings"][0]["response"] = {"status": 200, "headers": {}, "body": ""}
    assert merge([one, two])["findings"][0]["response"]["body"] == ""
    assert merge([two, one])["findings"][0]["response"]["body"] == ""


@pytest.mark.parametrize(
    ("one", "two", "whole"),
    [
        (_item("passed", 2), _item("passed", 3), _item("passed", 5)),
        (_item("passed", 2), _item("failed", 3), _item("failed", 5)),
        (_item("passed", 2), _item("not run", 0, OTHER_SHARD), _item("passed", 2)),
        (_item("in part", 2, OTHER_SHARD), _item("in part", 1, OTHER_SHARD), _item("passed", 3)),
        (_item("passed", 2), _item("not run", 0, NOTHING_CAME_UP), _item("passed", 2)),
        (_item("passed", 2), _item("in part", 1, "no login"), _item("in part", 3, "no login")),
        (_item("passed", 2), _item("not run", 0, "no login"), _item("in part", 2, "no login")),
        (_item("not run", 0, "a; b"), _item("not run", 0, "b; c"), _item("not run", 0, "a; b; c")),
        (_item("not run", 0, "no login"), _item("failed", 1), _item("failed", 1)),
        (_item("not run", 0, OTHER_SHARD), _item("not run", 0, OTHER_SHARD), _item("not run", 0, OTHER_SHARD)),
    ],
)
def test_coverage_is_that_of_one_run(
    shard: Callable[..., Document], one: dict[str, Any], two: dict[str, Any], whole: dict[str, Any]
) -> None:
    first, second = shard("1/2"), shard("2/2")
    first["coverage"], second["coverage"] = [one], [two]
    assert merge([first, second])["coverage"] == [whole]
    assert merge([second, first])["coverage"][0]["result"] == whole["result"]


def test_what_is_excused_in_one_shard_is_held_against_the_server_where_another_saw_more(
    shard: Callable[..., Document],
) -> None:
    one, two = shard("1/2"), shard("2/2")
    one["findings"][0] |= {"owner": "contract", "level": "drift", "rule": "oracle"}
    assert merge([one, two])["findings"][0]["level"] == "violation"
    two["findings"][0] |= {"owner": "contract", "level": "drift", "rule": "oracle"}
    assert merge([one, two])["findings"][0]["level"] == "drift"


def test_an_operation_succeeded_if_it_did_in_any_shard(shard: Callable[..., Document]) -> None:
    one, two = shard("1/2"), shard("2/2")
    one["reach"] = [
        {"operation": "GET /note", "best_status": 404, "attempts": 3, "why": "answered with 404 (3 times)"},
        {
            "operation": "PUT /note",
            "best_status": None,
            "attempts": 0,
            "why": "not called, because this belongs to another shard",
        },
    ]
    two["reach"] = [
        {"operation": "GET /note", "best_status": 200, "attempts": 2, "why": ""},
        {"operation": "PUT /note", "best_status": 401, "attempts": 1, "why": "answered with 401"},
    ]
    for reports in ([one, two], [two, one]):
        merged = merge(reports)
        assert merged["reach"] == [
            {"operation": "GET /note", "best_status": 200, "attempts": 5, "why": ""},
            {"operation": "PUT /note", "best_status": 401, "attempts": 1, "why": "answered with 401"},
        ]
        assert merged["run"]["operations_succeeded"] == 1


def test_a_missing_shard_is_no_verdict(shard: Callable[..., Document]) -> None:
    reports = [shard("1/3"), shard("3/3")]
    for report in reports:
        report["findings"] = []
    part = merge(reports)
    assert part["run"]["error"] == "the report of shard 2/3 is missing"
    assert verdict_of(part).code == 2
    last = shard("2/3")
    last["findings"] = []
    whole = merge([part, last])
    assert whole["run"]["shard"] == ""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"contract_sha256": "other"}, "different contracts: 0 and other"),
        ({"seed": 7}, "different seeds: None and 7"),
        ({"target": "http://other"}, "http://127.0.0.1:1 and http://other"),
        ({"command": "fuzz"}, "different commands: check and fuzz"),
        ({"shard": "1/2"}, "shard 1/2 is given twice"),
        ({"shard": "2/3"}, "different numbers of shards: 2 and 3"),
        ({"shard": ""}, "a whole run"),
    ],
)
def test_reports_of_different_runs_are_not_joined(
    shard: Callable[..., Document], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        merge([shard("1/2"), shard("2/2", **changes)])


def test_stubs_of_their_own_may_listen_anywhere(shard: Callable[..., Document]) -> None:
    reports = [shard("1/2", own_stub=True), shard("2/2", own_stub=True, target="http://127.0.0.1:2")]
    assert merge(reports)["run"]["error"] == ""


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "is not JSON"), ("[]", "is not a report"), ("{}", "is not a report"), (None, "No such file")],
)
def test_files_that_are_no_reports_are_told(tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / "x.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=told):
        load_report(path)


def test_a_report_of_another_version_is_told(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document | {"version": 2}))
    with pytest.raises(UsageError, match="is version 2"):
        load_report(path)
