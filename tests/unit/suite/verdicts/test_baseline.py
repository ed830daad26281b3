"""Known findings: who is known for how long, what is told, and what is no baseline."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mockserver.cli import cli
from mockserver.contract.source.loading import parse_yaml
from mockserver.errors import UsageError
from mockserver.suite.verdicts.baseline import load_baseline, write_baseline
from tests.unit.suite import notes

TODAY = date(2026, 11, 25)
ONE, TWO, THREE = "0123456789ab", "123456789abc", "23456789abcd"
ENTRY = {"id": ONE, "reason": "ticket 1", "expires": "2026-12-31", "operation": "GET /a", "check": "claim"}


def file(tmp_path: Path, *entries: Any) -> Path:
    path = tmp_path / "known.yaml"
    path.write_text(json.dumps({"known": entries}))
    return path


def report(*findings: str, level: str = "violation", cases: int = 1, **run: Any) -> dict[str, Any]:
    members = {"level": level, "operation": "GET /a", "check": "claim", "title": "is broken"}
    return {
        "run": {"error": "", "interrupted": False, **run},
        "findings": [{"id": name, **members} for name in findings],
        "coverage": [{"check": "claim", "operation": "GET /a", "cases": cases}],
    }


def test_an_entry_is_known_with_its_reason_to_the_end_of_its_day(tmp_path: Path) -> None:
    path = file(tmp_path, ENTRY)
    assert load_baseline(path, date(2026, 12, 31)).reasons() == {ONE: "ticket 1 (until 2026-12-31)"}
    assert load_baseline(path, date(2027, 1, 1)).reasons() == {}
    assert load_baseline(None, TODAY).reasons() == {}


def test_what_is_known_is_marked_and_does_not_count(tmp_path: Path) -> None:
    marked = load_baseline(file(tmp_path, ENTRY), TODAY).mark(report(ONE, TWO))
    assert [finding["known"] for finding in marked["findings"]] == ["ticket 1 (until 2026-12-31)", ""]
    assert marked["summary"] == {"violation": 1, "drift": 0, "environment": 0}


def test_what_expired_and_is_still_there_is_told(tmp_path: Path) -> None:
    path = file(tmp_path, ENTRY | {"expires": "2026-11-24"})
    told = f"{path}: {ONE} (claim on GET /a) expired on 2026-11-24, so it counts again: ticket 1"
    assert list(load_baseline(path, TODAY).remarks(report(ONE), whole=True)) == [told]


@pytest.mark.parametrize("expires", ["2026-11-24", "2026-12-31"])
def test_what_is_gone_is_told(tmp_path: Path, expires: str) -> None:
    path = file(tmp_path, ENTRY | {"expires": expires})
    told = [f"{path}: {ONE} (claim on GET /a) no longer occurs; remove the entry"]
    assert list(load_baseline(path, TODAY).remarks(report(TWO), whole=False)) == told


@pytest.mark.parametrize(
    ("entry", "document", "whole"),
    [
        (ENTRY, report(ONE), True),
        (ENTRY, report(cases=0), True),
        (ENTRY | {"check": "another"}, report(), True),
        (ENTRY, report(error="target lost"), True),
        (ENTRY, report(interrupted=True), True),
        ({name: ENTRY[name] for name in ("id", "reason", "expires")}, report(), False),
    ],
)
def test_nothing_is_called_gone_that_was_not_looked_for(
    tmp_path: Path, entry: dict[str, str], document: dict[str, Any], whole: bool
) -> None:
    assert list(load_baseline(file(tmp_path, entry), TODAY).remarks(document, whole=whole)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("known: [", "is not valid YAML"),
        ("[]", "must have the one key `known:` with a list"),
        ("known: []\nmore: 1", "must have the one key `known:` with a list"),
        ("known: [1]", "entry 1: must be an object of strings with id, reason, expires"),
        (json.dumps({"known": [ENTRY, ENTRY | {"id": "x"}]}), "entry 2: `id` must be the id of a finding"),
        (json.dumps({"known": [ENTRY | {"reason": " "}]}), f"entry 1 ({ONE}): has no `reason`"),
        (json.dumps({"known": [ENTRY | {"reason": "TODO: say why"}]}), f"entry 1 ({ONE}): has no `reason`"),
        (json.dumps({"known": [{"id": ONE, "reason": "x"}]}), "`expires` must be a date such as 2027-01-31, not ''"),
        (
            json.dumps({"known": [ENTRY | {"expires": "soon"}]}),
            "`expires` must be a date such as 2027-01-31, not 'soon'",
        ),
        (json.dumps({"known": [ENTRY | {"until": "soon"}]}), "entry 1: 'until' is unknown"),
        (json.dumps({"known": [ENTRY, ENTRY]}), f"{ONE} is listed twice"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "known.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as raised:
        load_baseline(path, TODAY)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_written_baseline_keeps_what_is_known_and_asks_for_the_rest(tmp_path: Path) -> None:
    expired = ENTRY | {"id": TWO, "expires": "2026-01-01"}
    known = load_baseline(file(tmp_path, ENTRY, expired, ENTRY | {"id": "aaaaaaaaaaaa"}), TODAY)
    path = tmp_path / "new.yaml"
    assert write_baseline(path, report(ONE, TWO, THREE), known) == 2
    written = parse_yaml(path, path.read_text())["known"]
    assert [(entry["id"], entry["reason"], entry["expires"]) for entry in written] == [
        (ONE, "ticket 1", "2026-12-31"),
        (TWO, "TODO: expired on 2026-01-01; it was: ticket 1", "2027-02-23"),
        (THREE, "TODO: say why", "2027-02-23"),
    ]
    assert {entry["title"] for entry in written} == {"is broken"}
    with pytest.raises(UsageError, match="has no `reason`"):
        load_baseline(path, TODAY)
    path.write_text(path.read_text().replace("TODO", "Really"))
    assert set(load_baseline(path, TODAY).reasons()) == {ONE, TWO, THREE}


def test_nobody_s_fault_is_not_for_a_baseline(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    assert write_baseline(path, report(ONE, level="environment"), load_baseline(None, TODAY)) == 0


def test_known_findings_do_not_fail_the_run_and_new_ones_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes.write(tmp_path)
    monkeypatch.chdir(tmp_path)

    def checked(fault: str, *options: str) -> tuple[Any, str]:
        with notes.served(fault) as url:
            arguments = ["check", url, "--contract", "notes.json", "--no-oracle", *options]
            result = CliRunner().invoke(cli, arguments, standalone_mode=False)
        return result.exception or result.return_value, result.output

    known = tmp_path / "known.yaml"
    code, page = checked("text", "--write-baseline", "known.yaml")
    assert code == 1
    assert "Baseline known.yaml is written; " in page
    refused, page = checked("text", "--baseline", "known.yaml")
    assert isinstance(refused, UsageError)
    assert page == ""
    known.write_text(known.read_text().replace("TODO: say why", "ticket 4711"))
    code, page = checked("text", "--baseline", "known.yaml", "--report", "json=r.json")
    assert code == 0, page
    assert "ticket 4711 (until " in page
    found = json.loads((tmp_path / "r.json").read_text())["findings"]
    assert {finding["known"][:11] for finding in found} == {"ticket 4711"}
    code, page = checked("crash", "--baseline", "known.yaml")
    assert code == 1
    assert " no longer occurs; remove the entry" in page
