"""Two shards of a run, merged, find what the whole run finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from junitparser import JUnitXml

from mockserver.commands.report import merge_command
from mockserver.errors import UsageError
from mockserver.suite.fuzz.engine import FuzzSettings
from mockserver.suite.run.lifecycle import run_command
from mockserver.suite.run.run_options import Options
from tests.faults.judging import identities_file
from tests.faults.registry import FAULTS
from tests.faults.server import FaultyServer, serving

_PATHS = ("postfix_relayhost", "system_mailer")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reports of both shards, and of the whole run, of a server with a fault."""
    (tmp_path / "identities.yaml").write_text(identities_file(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with serving(FaultyServer(FAULTS["port_as_text"], played=True)) as url:
        for name, shard in (("one", "1/2"), ("two", "2/2"), ("whole", "")):
            options = Options(
                target=url,
                identities=tmp_path / "identities.yaml",
                settle=0.2,
                only=tuple(f"* /api/v1/settings/{path}/" for path in _PATHS),
                no_oracle=True,
                report=(f"json={name}.json",),
            )
            run_command("fuzz", options, FuzzSettings(max_examples=1, seed=1, shard=shard))
    return tmp_path


def _read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def test_shards_merged_are_the_whole_run(folder: Path) -> None:
    wanted = _read(folder, "whole.json")
    assert wanted["summary"]["violation"] > 0, "there is nothing to find"

    reports = ("--report", "json=merged.json", "--report", "junit=merged.xml", "--report", "html=merged.html")
    done = CliRunner().invoke(merge_command, ["one.json", "two.json", *reports], standalone_mode=False)
    assert (done.exception, done.return_value) == (None, 1)
    assert done.stdout.startswith("BROKEN: ")
    merged = _read(folder, "merged.json")
    assert [(found["id"], found["level"]) for found in merged["findings"]] == [
        (found["id"], found["level"]) for found in wanted["findings"]
    ]
    results = [
        {(item["check"], item["operation"]): (item["result"], item["why"]) for item in document["coverage"]}
        for document in (merged, wanted)
    ]
    # So few cases may leave out in a shard what came up by chance in the whole run; nothing may be told otherwise.
    assert results[0].items() <= results[1].items()
    assert len(results[0]) > len(results[1]) * 0.9
    assert merged["run"]["shard"] == ""
    read = JUnitXml.fromfile(str(folder / "merged.xml"))
    assert read.failures > 0
    assert read.errors == 0

    alone = CliRunner().invoke(merge_command, ["two.json"], standalone_mode=False)
    assert "shard 1/2 is missing" in alone.stdout.splitlines()[0]
    twice = CliRunner().invoke(merge_command, ["two.json", "two.json"], standalone_mode=False)
    assert isinstance(twice.exception, UsageError)
    assert (str(twice.exception), twice.stdout) == ("shard 2/2 is given twice; give each report once", "")
