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
from tests.faults.judging import identities_file, judged
from tests.faults.messages import OPERATIONS
from tests.faults.registry import FAULTS
from tests.faults.server import FaultyServer, serving

_DEADLINE_SECONDS = 60.0


def fuzz(folder: Path, *options: str) -> Mapping[str, Any]:
    """Return the report of a run of few cases."""
    report = folder / f"{len(list(folder.iterdir()))}.json"
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "mockserver",
                "fuzz",
                "--max-examples",
                "3",
                "--report",
                f"json={report}",
                *options,
            ),
            *(text for pattern in OPERATIONS for text in ("--only", pattern)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document: Mapping[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return document


def results(document: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    return {(item["check"], item["operation"]): item["result"] for item in document["coverage"]}


def test_parts_together_tell_what_one_run_tells(tmp_path: Path) -> None:
    whole = fuzz(tmp_path)
    shards = [fuzz(tmp_path, "--shard", "1/2"), fuzz(tmp_path, "--shard", "2/2")]
    files = [str(tmp_path / f"{number}.json") for number in (1, 2)]
    merged_file = tmp_path / "merged.json"
    merging = CliRunner().invoke(cli, ["report", "merge", *files, "--report", f"json={merged_file}"])
    assert merging.exit_code == 0, merging.output
    workers = fuzz(tmp_path, "--workers", "2")
    merged = json.loads(merged_file.read_text(encoding="utf-8"))
    assert results(merged) == results(workers) == results(whole)
    assert all(results(shard) != results(whole) for shard in shards)
    assert [shard["run"]["shard"] for shard in shards] == ["1/2", "2/2"]
    assert (merged["run"]["shard"], workers["run"]["shard"], workers["run"]["workers"]) == ("", "", 2)


def test_parts_find_on_one_faulty_server_what_one_run_finds_and_know_what_is_known(tmp_path: Path) -> None:
    fault, options = FAULTS["lost_write"], ("--max-examples", "3", "--seed", "1")
    whole = judged("fuzz", fault, options)
    entries = [{"id": found.id, "reason": "ticket 1", "expires": "2999-12-31"} for found in whole.found]
    baseline = tmp_path / "known.yaml"
    baseline.write_text(json.dumps({"known": entries}), encoding="utf-8")
    parts = judged("fuzz", fault, (*options, "--workers", "2", "--baseline", str(baseline)))
    assert parts.right(fault)
    assert {found.id for found in parts.found} == {found.id for found in whole.found}
    assert (whole.exit_code, parts.exit_code) == (1, 0)


def test_ctrl_c_ends_all_parts_with_a_report(tmp_path: Path) -> None:
    report, identities = tmp_path / "report.json", tmp_path / "identities.yaml"
    identities.write_text(identities_file(), encoding="utf-8")
    at_work = threading.Event()
    server, cases = FaultyServer(), iter(range(50))

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        if "HTTP_X_SCHEMATHESIS_TESTCASEID" in environ and next(cases, None) is None:
            at_work.set()
        return server(environ, start_response)

    with serving(application) as url:
        options = (url, "--identities", str(identities), "--no-oracle", "--time", "120", "--report", f"json={report}")
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
    assert json.loads(report.read_text(encoding="utf-8"))["run"]["interrupted"], errors
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
def test_what_cannot_be_divided_is_refused(
    options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JOB_COMPLETION_INDEX", raising=False)
    result = CliRunner().invoke(cli, ["fuzz", *options])
    assert words in result.output + str(result.exception)
    assert result.exit_code != 0


def test_a_part_that_cannot_be_made_is_told_once() -> None:
    result = CliRunner().invoke(cli, ["fuzz", "http://127.0.0.1:1", "--workers", "2", "--no-oracle"])
    assert "nothing listens at http://127.0.0.1:1" in result.output
    assert result.output.count("nothing listens") == 1
    assert result.exit_code == 2 or str(result.exception)
