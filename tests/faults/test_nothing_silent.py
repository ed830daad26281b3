"""A check that a contract gives no occasion for, and content that cannot be made, are told, each with its reason."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from mockserver.suite.reports.json_report import Document
from mockserver.suite.reports.merge import merge
from mockserver.suite.verdicts.tally import EVERYWHERE
from tests.faults.small import Answer, checked, fuzzed

#: Whose claims hold if nothing is ever told of them.
_TOLD_IF_BROKEN = {"valid_writes_are_accepted", "valid_requests_are_accepted"}
DOCS = Path(__file__).parents[2] / "docs" / "suite.md"
OPEN = {"/a": {"get": {"responses": {"200": {"description": ""}}}}}


def _documented() -> set[str]:
    own = DOCS.read_text(encoding="utf-8").partition("### Of schemathesis")[0].partition("## Checks")[2]
    return set(re.findall(r"^\| `(\w+)` \|", own, re.MULTILINE)) - _TOLD_IF_BROKEN


def _answer(call: Request) -> Answer:
    return (200, None) if call.path == "/a" and call.method == "GET" else (404, None)


@pytest.mark.parametrize("run", [checked, fuzzed])
def test_every_check_has_a_row(write_contract: Callable[..., Path], run: Callable[..., Any]) -> None:
    judged = run(write_contract(OPEN), _answer)
    assert _documented() <= {row.check for row in judged.coverage}
    assert [row for row in judged.coverage if row.result in {"not run", "in part"} and not row.why] == []
    assert judged.result("calls_without_credentials_are_refused", EVERYWHERE) == (
        "not run",
        "no operation asks for credentials",
    )


def test_the_page_and_the_reports_tell_it_in_few_lines(
    write_contract: Callable[..., Path], tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    reports = [f"--report={kind}={tmp_path / kind}" for kind in ("json", "html", "junit", "markdown")]
    done = command("check", "--contract", str(write_contract(OPEN)), *reports)
    assert done.returncode == 0, done.stdout
    assert "not run: 4 checks, because no operation asks for credentials" in done.stdout
    assert len(done.stdout.splitlines()) < 60  # of 80 columns
    document = json.loads((tmp_path / "json").read_text())
    assert document["run"]["operations_tested"] == 1
    for kind in ("html", "junit", "markdown"):
        assert "no operation asks for credentials" in (tmp_path / kind).read_text()


def test_what_one_shard_had_an_occasion_for_is_not_missing() -> None:
    def shard(number: int, operation: str, result: str, cases: int) -> Document:
        run: dict[str, Any] = {"command": "fuzz", "target": "http://a", "contract_sha256": "", "seed": 1}
        run |= {"shard": f"{number}/2", "started": "", "duration_seconds": 0, "requests": 0, "operations_total": 1}
        row = {"operation": operation, "check": "c", "result": result, "why": "none" * (not cases), "cases": cases}
        rest: dict[str, Any] = {"summary": {}, "findings": [], "ledger": {"writes": 0, "restored": [], "left": []}}
        return {"version": 1, "run": run, "coverage": [row], **rest}

    merged = merge([shard(1, "GET /a", "passed", 1), shard(2, EVERYWHERE, "not run", 0)])["coverage"]
    assert [(row["operation"], row["result"]) for row in merged] == [("GET /a", "passed")]
    neither = merge([shard(1, EVERYWHERE, "not run", 0), shard(2, EVERYWHERE, "not run", 0)])["coverage"]
    assert [(row["operation"], row["result"]) for row in neither] == [(EVERYWHERE, "not run")]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"application/xml": {"schema": {"type": "string"}}}, "no JSON content"),
        ({"application/json": {"schema": {"type": "string", "pattern": "^(?=a)b$"}}}, "no valid value could be made"),
        ({"application/json": {}}, "nothing says what its application/json content is"),
    ],
)
def test_content_that_cannot_be_made(write_contract: Callable[..., Path], body: Any, why: str) -> None:
    operation = {"requestBody": {"required": True, "content": body}, "responses": {"200": {"description": ""}}}
    judged = checked(write_contract({"/a": {"post": operation}}), lambda _: (400, None))
    for check in ("malformed_json_is_refused", "undocumented_media_types_are_refused", "hostile_bodies_do_no_harm"):
        result, reason = judged.result(check, "POST /a")
        assert result == "not run"
        assert why in reason


def test_a_parameter_of_which_nothing_is_said_is_any_text(write_contract: Callable[..., Path]) -> None:
    parameters = [{"name": "q", "in": "query", "required": True}]
    operation = {"parameters": parameters, "responses": {"200": {"description": ""}}}
    judged = checked(
        write_contract({"/a": {"get": operation}}), lambda call: (200 if call.args.get("q") else 400, None)
    )
    assert judged.result("repeats_get_the_same_answer", "GET /a")[0] == "passed"
