"""What the contract itself gets wrong is told as the contract's, and not held against a server."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from mockserver.cli import cli
from mockserver.suite.oracle import Count, Opinion
from mockserver.suite.target.exchange import Exchange, WireRequest
from tests.unit.suite import notes

if TYPE_CHECKING:
    from tests.conftest import Serve


@pytest.fixture
def judged(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """Return how `check` judges the stub of a changed contract by that contract: exit code, report, page."""

    def judge(change: Callable[[dict[str, Any]], None], *options: str) -> tuple[int, dict[str, Any], str]:
        monkeypatch.chdir(tmp_path)
        document = copy.deepcopy(notes.DOCUMENT)
        change(document)
        Path("changed.json").write_text(json.dumps(document), encoding="utf-8")
        server = serve("--contract", "changed.json")
        arguments = ["check", server.url, "--contract", "changed.json", "--report", "json=report.json", *options]
        result = CliRunner().invoke(cli, arguments, standalone_mode=False)
        assert result.exception is None, result.output
        return result.return_value, json.loads(Path("report.json").read_text(encoding="utf-8")), result.output

    return judge


_IMPOSSIBLE = {"type": "string", "not": {"type": "string"}}


def _rare_field(document: dict[str, Any]) -> None:
    """Demand a field, which the stub cannot make up, of a response that few requests get."""
    refused = document["paths"]["/title"]["put"]["responses"]["415"]
    document["paths"]["/title"]["put"]["responses"]["415"] = refused | {
        "headers": {"X-Never": {"required": True, "schema": _IMPOSSIBLE}}
    }


def _member_that_is_never_there(document: dict[str, Any]) -> None:
    content = document["paths"]["/title"]["get"]["responses"]["200"]["content"]["application/json"]
    content["schema"] = content["schema"] | {"required": ["title", "never"]}


def test_what_our_own_stub_breaks_too_is_the_contracts(judged: Callable[..., Any]) -> None:
    code, report, page = judged(_rare_field)
    assert [(one["owner"], one["level"], one["check"]) for one in report["findings"]] == [
        ("contract", "drift", "headers_conform")
    ]
    assert report["findings"][0]["rule"] == "oracle"
    assert report["findings"][0]["request"]["path"] == "/title"
    assert code == 0, page


def test_without_the_oracle_the_same_is_held_against_the_server(judged: Callable[..., Any]) -> None:
    code, report, _ = judged(_rare_field, "--no-oracle")
    assert [(one["owner"], one["level"]) for one in report["findings"]] == [("server", "violation")]
    assert code == 1


def test_where_a_contract_contradicts_itself_that_operation_alone_is_the_contracts(judged: Callable[..., Any]) -> None:
    code, report, page = judged(_member_that_is_never_there)
    assert code == 0, page
    assert {(one["level"], one["owner"], one["rule"]) for one in report["findings"]} == {
        ("drift", "contract", "oracle")
    }
    assert {one["operation"] for one in report["findings"]} == {"GET /title"}
    passed = {row["operation"] for row in report["coverage"] if row["result"] == "passed"}
    assert {"PUT /title", "GET /notes/{id}"} <= passed
    assert "--no-oracle" in page


def _without_examples(document: dict[str, Any]) -> None:
    """Leave our own stub without a response of the contract's to a read: no behaviour, no example."""
    for operation in document["paths"]["/title"].values():
        del operation["x-mockserver-behaviour"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["properties"]["title"].pop("examples", True)


def test_what_our_own_stub_makes_up_is_valid_so_nobody_is_blamed(judged: Callable[..., Any]) -> None:
    # It does not keep what was written either, which is a finding of its own on any server.
    of_state = "--exclude-checks=singletons_show_what_was_written,control_characters_come_back_as_sent"
    code, report, page = judged(_without_examples, of_state)
    assert (code, report["findings"]) == (0, []), page


@pytest.mark.parametrize(
    ("counts", "unfit", "told"),
    [
        ((), False, 0),
        (((10, 5), (10, 0)), False, 0),
        (((10, 6), (10, 0)), False, 1),
        (((10, 6), (10, 10)), True, 2),
    ],
)
def test_a_contract_judges_nobody_only_where_it_contradicts_itself_everywhere(
    counts: tuple[tuple[int, int], ...], unfit: bool, told: int
) -> None:
    opinion = Opinion((), tuple(Count(f"GET /{number}", *count) for number, count in enumerate(counts)))
    assert ("--no-oracle" in opinion.unfit) is unfit
    assert len(opinion.notes) == told


def test_evidence_survives_the_way_between_the_processes() -> None:
    from mockserver.suite.oracle import _exchange, _plain

    before = Exchange(WireRequest("POST", "/a?b=%FF", (("X", "é"),), b"\x00\xff"), None, "silent")
    whole = Exchange(WireRequest("GET", "/"), None, "silent", (before,))
    assert _exchange(json.loads(json.dumps(_plain(whole)))) == whole
