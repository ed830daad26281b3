"""Parts of a run as processes: one report, one exit code, and no process left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mockserver.cli import cli
from tests.faults.server import serving
from tests.faults.small import application
from tests.unit.suite import notes

_DEADLINE_SECONDS = 120.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    notes.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fuzz(*options: str) -> tuple[int, Mapping[str, Any]]:
    """Return exit code and report of a run of few cases."""
    run = ["fuzz", *options, "--contract", "notes.json", "--max-examples", "3", "--report", "json=report.json"]
    result = CliRunner().invoke(cli, run, standalone_mode=False)
    assert result.exception is None, result.output
    return int(result.return_value), json.loads(Path("report.json").read_text(encoding="utf-8"))


def results(document: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    return {(item["check"], item["operation"]): item["result"] for item in document["coverage"]}


def test_parts_together_tell_what_one_run_tells() -> None:
    with notes.served("crash") as url:
        code, whole = fuzz(url, "--no-oracle")
        for number in (1, 2):
            fuzz(url, "--no-oracle", "--shard", f"{number}/2")
            Path("report.json").rename(f"{number}.json")
        shards = [json.loads(Path(f"{number}.json").read_text(encoding="utf-8")) for number in (1, 2)]
        known = [{"id": found["id"], "reason": "ticket 1", "expires": "2999-12-31"} for found in whole["findings"]]
        Path("known.yaml").write_text(json.dumps({"known": known}), encoding="utf-8")
        known_code, workers = fuzz(url, "--no-oracle", "--workers", "2", "--baseline", "known.yaml")
    merging = CliRunner().invoke(cli, ["report", "merge", "1.json", "2.json", "--report", "json=m.json"])
    assert merging.exception is None, merging.output
    merged = json.loads(Path("m.json").read_text(encoding="utf-8"))
    assert results(merged) == results(workers) == results(whole)
    assert all(results(shard) != results(whole) for shard in shards)
    assert [shard["run"]["shard"] for shard in shards] == ["1/2", "2/2"]
    assert (merged["run"]["shard"], workers["run"]["shard"], workers["run"]["workers"]) == ("", "", 2)
    ids = [{found["id"] for found in document["findings"]} for document in (whole, merged, workers)]
    assert ids[0]
    assert ids[0] == ids[1] == ids[2]
    assert (code, known_code) == (1, 0)


def test_ctrl_c_ends_all_parts_with_a_report() -> None:
    at_work = threading.Event()
    server, cases = application(notes.Notes()), iter(range(50))

    def counting(environ: dict[str, Any], start_response: Any) -> Any:
        if "HTTP_X_SCHEMATHESIS_TESTCASEID" in environ and next(cases, None) is None:
            at_work.set()
        return server(environ, start_response)

    with serving(counting) as url:
        options = (url, "--contract", "notes.json", "--no-oracle", "--time", "120", "--report", "json=report.json")
        process = subprocess.Popen(
            [sys.executable, "-m", "mockserver", "fuzz", "--workers", "2", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert at_work.wait(_DEADLINE_SECONDS)
            parts = list(children(process.pid))
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=_DEADLINE_SECONDS)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 130, errors
    assert json.loads(Path("report.json").read_text(encoding="utf-8"))["run"]["interrupted"], errors
    assert len(parts) == 2
    assert not [part for part in parts if is_running(part)]


def children(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        yield from map(int, task.read_text().split())


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["https://example.org", "--workers", "2"], "one connection"),
        (["http://127.0.0.1:1", "--treat-as-remote", "--workers", "2"], "one connection"),
        (["--workers", "2", "--shard", "1/2"], "give one of them"),
        (["--workers", "2", "--report", "har=x.har"], "leave --workers out"),
        (["--workers", "2", "--write-overlay", "x.yaml"], "leave --workers out"),
        (["--shard", "3/2"], "no shard 3 of 2"),
        (["--shard", "auto/2"], "JOB_COMPLETION_INDEX"),
    ],
)
def test_what_cannot_be_divided_is_refused(options: list[str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOB_COMPLETION_INDEX", raising=False)
    result = CliRunner().invoke(cli, ["fuzz", *options])
    assert words in result.output + str(result.exception)
    assert result.exit_code != 0


def test_a_part_that_cannot_be_made_is_told_once() -> None:
    result = CliRunner().invoke(cli, ["fuzz", "http://127.0.0.1:1", "--workers", "2", "--no-oracle"])
    assert "nothing listens at http://127.0.0.1:1" in result.output
    assert result.output.count("nothing listens") == 2  # the verdict stands first and last
    assert result.exit_code == 2 or str(result.exception)
