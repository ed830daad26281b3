"""No answer, and no mistake of our own, ends a run or loses a report (docs/suite.md, "Unusual responses")."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from mockserver.suite.checks import any_response, undefined_routes
from mockserver.suite.reports import files as writing
from mockserver.suite.run import check_run
from mockserver.suite.run.lifecycle import run_command
from mockserver.suite.run.run_options import Options
from mockserver.suite.verdicts.verdict import ExitCode
from tests.faults.hostile import KINDS, contract, hostile
from tests.faults.hostile_runs import REPORTS

#: One of each family; the table of hostile_runs.py has all kinds.
CHECKED = (
    *("right", "lone-surrogate", "lone-surrogates-right", "control-characters", "deep-300", "deep-right"),
    *("length-of-20-digits", "chunk-negative", "gzip-broken", "gzip-right", "coding-not-offered", "http-0.9"),
    *("status-999", "garbage-behind", "field-without-colon", "field-of-control-characters", "charset-of-nonsense"),
)
FUZZED = ("lone-surrogates-right", "deep-300", "chunk-negative", "location-of-nonsense", "status-101")
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def run(folder: Path, name: str, command: str = "check") -> tuple[int, dict[str, Any]]:
    """Return exit code and JSON report of a run on a hostile server, after all reports were found and read."""
    path = folder / "contract.json"
    path.write_text(json.dumps(contract()))
    files = {kind: folder / f"report.{kind}" for kind in REPORTS}
    with hostile(name) as url:
        options = Options(
            target=url,
            contract=path,
            no_oracle=True,
            timeout=1.0,
            report=tuple(f"{kind}={file}" for kind, file in files.items()),
        )
        code = run_command(command, options, _settings() if command == "fuzz" else None)
    texts = {kind: file.read_text() for kind, file in files.items() if file.exists()}
    ET.fromstring(texts["junit"])
    json.loads(texts["har"])
    assert {kind for kind, text in texts.items() if _INVISIBLE.search(text)} == set()
    return code, json.loads(texts["json"])


def _settings() -> Any:
    from mockserver.suite.fuzz.engine import FuzzSettings

    return FuzzSettings(3, None, 0, "", "")


@pytest.mark.parametrize("name", CHECKED)
def test_check_judges_whatever_comes(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = run(tmp_path, name)
    assert (code, report["run"]["error"]) == (KINDS[name].exit_code, "")
    output = capsys.readouterr()
    assert not _INVISIBLE.search(output.out)
    assert "Traceback" not in output.out + output.err


@pytest.mark.parametrize("name", FUZZED)
def test_fuzz_judges_whatever_comes(name: str, tmp_path: Path) -> None:
    code, report = run(tmp_path, name, "fuzz")
    assert (code, report["run"]["error"]) == (KINDS[name].exit_code, "")


def _failing(name: str = "failing") -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise KeyError("a mistake of ours")

    fail.__name__ = name
    return fail


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_a_mistake_in_a_claim_is_told_with_it_and_the_run_goes_on(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = _failing("headers_conform")
    claims = [failing if claim is any_response.headers_conform else claim for claim in any_response.RESPONSE_CHECKS]
    for module in ("mockserver.suite.run.session", "mockserver.suite.fuzz.generated_cases"):
        monkeypatch.setattr(f"{module}.RESPONSE_CHECKS", tuple(claims))
    code, report = run(tmp_path, "right", command)
    assert code == ExitCode.NOT_JUDGED
    for words in ("an internal error", "headers_conform", " /things", "KeyError"):
        assert words in report["run"]["error"]
    rows = [row for row in report["coverage"] if row["check"] == "headers_conform"]
    assert rows
    assert all("KeyError" in row["why"] for row in rows)
    assert any(row["result"] == "passed" for row in report["coverage"])


def test_a_mistake_does_not_hide_a_violation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undefined_routes, "undefined_paths_are_refused", _failing())
    code, report = run(tmp_path, "lone-surrogate")
    assert code == ExitCode.VIOLATION
    assert "KeyError" in report["run"]["error"]


def test_a_mistake_in_the_plan_leaves_the_other_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_run, "PLANNERS", (_failing(), *check_run.PLANNERS))
    code, report = run(tmp_path, "right")
    assert (code, "KeyError" in report["run"]["error"]) == (ExitCode.NOT_JUDGED, True)
    assert any(row["result"] == "passed" for row in report["coverage"])


def test_a_mistake_in_a_report_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(writing, "KINDS", {**writing.KINDS, "html": _failing()})
    code, _ = run(tmp_path, "right")
    assert code == ExitCode.NOT_JUDGED
    assert not (tmp_path / "report.html").exists()
    assert "the html report cannot be written" in capsys.readouterr().err


def test_a_mistake_in_evidence_leaves_the_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.suite.verdicts.evidence.Evidence.curl", _failing())
    code, report = run(tmp_path, "lone-surrogate")
    assert code == ExitCode.VIOLATION
    assert any("KeyError" in finding["detail"] for finding in report["findings"])
