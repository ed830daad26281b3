"""What the contract itself gets wrong is told as the contract's, and not held against a server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.contract.source.loading import parse_yaml
from mockserver.suite.oracle import Count, Opinion
from mockserver.suite.target.exchange import Exchange, WireRequest
from tests import defaults
from tests.faults.judging import identities_file

if TYPE_CHECKING:
    from tests.conftest import Serve

Command = Callable[..., "subprocess.CompletedProcess[str]"]
_READ = "/api/v1/settings/system_mailer/"


@pytest.fixture
def judged(tmp_path: Path, serve: Serve, command: Command) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """Return how `check` judges the stub of a changed contract by that contract: exit code, report, page."""

    def judge(change: Callable[[dict[str, Any]], None], *options: str) -> tuple[int, dict[str, Any], str]:
        document = parse_yaml(defaults.CONTRACT, defaults.CONTRACT.read_text(encoding="utf-8"))
        change(document)
        contract, report, identities = (tmp_path / name for name in ("contract.json", "report.json", "identities.yaml"))
        contract.write_text(json.dumps(document), encoding="utf-8")
        identities.write_text(identities_file(), encoding="utf-8")
        server = serve("--contract", str(contract), "--seed-data", str(defaults.SEED_DATA))
        done = command(
            *("check", server.url, "--contract", str(contract), "--identities", str(identities)),
            *("--report", f"json={report}", "--only", "setting_*", *options),
        )
        return done.returncode, json.loads(report.read_text(encoding="utf-8")), done.stdout

    return judge


_IMPOSSIBLE = {"type": "string", "not": {"type": "string"}, "x-source": "setting_post"}


def _rare_field(document: dict[str, Any]) -> None:
    """Demand a field, which the stub cannot make up, of an answer that few requests get."""
    shared = document["components"]["responses"]["UnsupportedMediaType"]
    document["paths"][_READ]["post"]["responses"]["415"] = shared | {
        "headers": {"X-Never": {"required": True, "x-source": "setting_post", "schema": _IMPOSSIBLE}}
    }


def _member_that_is_never_there(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["SystemMailerShown"]["required"].append("never")


def test_what_our_own_stub_breaks_too_is_the_contracts(judged: Callable[..., Any]) -> None:
    code, report, page = judged(_rare_field)
    assert [(one["owner"], one["level"], one["check"]) for one in report["findings"]] == [
        ("contract", "drift", "headers_conform")
    ]
    assert report["findings"][0]["rule"] == "oracle"
    assert report["findings"][0]["request"]["path"] == _READ
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
    assert {one["operation"] for one in report["findings"]} == {f"GET {_READ}"}
    passed = {row["operation"] for row in report["coverage"] if row["result"] == "passed"}
    assert "GET /api/v1/settings/postfix_relayhost/" in passed
    assert "--no-oracle" in page


def _without_examples(document: dict[str, Any]) -> None:
    """Leave our own stub without an answer of the contract's to a read: no behaviour, no example."""
    read = document["paths"][_READ]["get"]
    del read["responses"]["200"]["content"]["application/json"]["examples"]
    del read["responses"]["204"]
    for method, operation in document["paths"][_READ].items():
        if method.startswith("x-"):
            continue
        operation.pop("x-mockserver-behaviour", None)
        for response in operation["responses"].values():
            response.pop("links", None)


def test_what_our_own_stub_makes_up_is_valid_so_nobody_is_blamed(judged: Callable[..., Any]) -> None:
    code, report, page = judged(_without_examples)
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
