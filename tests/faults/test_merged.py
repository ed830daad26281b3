"""Two shards of a run, merged, find what the whole run finds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from junitparser import JUnitXml

from tests.faults.registry import FAULTS
from tests.faults.server import FaultyServer, serving

_PATHS = ("postfix_relayhost", "system_mailer")
_RUN = (
    *("fuzz", "--max-examples", "2", "--no-oracle"),
    *(word for path in _PATHS for word in ("--only", f"* /api/v1/settings/{path}/")),
)


def _mockserver(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mockserver", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _identities(folder: Path) -> tuple[str, str]:
    account = {"username": "admin", "token": "long-auth_token-here", "level": "MasterAdmin"}
    (folder / "identities.yaml").write_text(json.dumps({"identities": [account]}))
    return "--identities", "identities.yaml"


def _read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def test_shards_merged_are_the_whole_run(tmp_path: Path) -> None:
    identities = _identities(tmp_path)
    with serving(FaultyServer(FAULTS["port_as_text"])) as url:
        for name, part in (("one", ["--shard", "1/2"]), ("two", ["--shard", "2/2"]), ("whole", [])):
            _mockserver(*_RUN, url, *identities, *part, "--report", f"json={name}.json", folder=tmp_path)
    wanted = _read(tmp_path, "whole.json")
    assert wanted["summary"]["violation"] > 0, "there is nothing to find"

    reports = ("--report", "json=merged.json", "--report", "junit=merged.xml", "--report", "html=merged.html")
    done = _mockserver("report", "merge", "one.json", "two.json", *reports, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("BROKEN: ")
    merged = _read(tmp_path, "merged.json")
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
    read = JUnitXml.fromfile(str(tmp_path / "merged.xml"))
    assert read.failures > 0
    assert read.errors == 0

    alone = _mockserver("report", "merge", "two.json", folder=tmp_path)
    assert "shard 1/2 is missing" in alone.stdout.splitlines()[0]
    twice = _mockserver("report", "merge", "two.json", "two.json", folder=tmp_path)
    assert (twice.returncode, twice.stdout) == (2, "")
    assert twice.stderr == "mockserver: shard 2/2 is given twice; give each report once\n"
