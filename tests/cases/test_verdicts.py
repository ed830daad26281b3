"""Verdicts on small servers, right ones and faulty ones, that know nothing of mockserver: `verdicts.yaml` says which.

A case names a folder of `suite/` (`contract.yaml`, `server.py PORT VARIANT`, `identities.yaml` where somebody has to
log in) and a command. What it expects: `exit`; findings of the JSON report that are there or not (`must_find`,
`must_not_find`: regular expressions by member, `text` is the whole finding); rows of `coverage`; what the `page` says;
requests of the server's log, lines `METHOD TARGET STATUS`; what is left on the server. Answers that no client should
trust are in `tests/faults/hostile.py`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.suite.checks import robustness
from tests.conftest import PATIENCE_SECONDS, run_here

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = yaml.safe_load((HERE / "verdicts.yaml").read_text(encoding="utf-8"))
#: Our own stub, which costs as much again, has a say in none of these.
QUICK = ("--no-oracle", "--settle=0.3")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_verdict_is_right(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robustness, "LARGE_BYTES", 100_000)
    folder, expect = HERE / "suite" / case.get("dir", case["name"]), case["expect"]
    name, *options = shlex.split(case["command"])
    options += [f"--contract={folder / 'contract.yaml'}", "--report=json=report.json"]
    if (folder / "identities.yaml").exists() and not case.get("no_identities"):
        options.append(f"--identities={folder / 'identities.yaml'}")
    others = ("junit", "html", "har", "markdown") if case.get("all_reports") else ()
    options += [f"--report={kind}=r.{kind}" for kind in others]
    with served(folder, case.get("server_variant", "right"), tmp_path / "requests.log") as url:
        done = run_here(name, url + case.get("base", ""), *QUICK, *options, cwd=tmp_path)
    page = done.stdout + done.stderr
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8", errors="surrogatepass"))
    assert "Traceback" not in page
    assert "internal error" not in page
    assert done.returncode in _some(expect.get("exit", done.returncode)), page
    assert [kind for kind in others if not (tmp_path / f"r.{kind}").stat().st_size] == []
    _judge(document, expect)
    requests = (tmp_path / "requests.log").read_text(encoding="utf-8", errors="replace")
    for pattern in _some(expect.get("page", [])):
        assert re.search(pattern, page), page
    for pattern in _some(expect.get("page_not", [])):
        assert not re.search(pattern, page), page
    for pattern in _some(expect.get("requests_must", [])):
        assert re.search(pattern, requests, re.MULTILINE), requests
    for pattern in _some(expect.get("requests_must_not", [])):
        assert not re.search(pattern, requests, re.MULTILINE), requests


def _judge(document: dict[str, Any], expect: dict[str, Any]) -> None:
    findings = document["findings"]
    told = "\n".join(f"{one['level']} {one['check']} on {one['operation']}: {one['title']}" for one in findings)
    for wanted in expect.get("must_find", []):
        assert any(_matches(finding, wanted) for finding in findings), f"{wanted} is not among:\n{told}"
    for unwanted in expect.get("must_not_find", []):
        assert not any(_matches(finding, unwanted) for finding in findings), f"{unwanted} is among:\n{told}"
    for wanted in expect.get("coverage", []):
        asked = {member: pattern for member, pattern in wanted.items() if member != "result"}
        rows = [row for row in document["coverage"] if _matches(row, asked)]
        assert rows, wanted
        assert [row for row in rows if not re.search(wanted["result"], row["result"])] == []
    assert not (expect.get("no_run_error") and document["run"]["error"])
    assert document["ledger"]["left"] or not expect.get("something_left")
    assert not (expect.get("nothing_left") and document["ledger"]["left"])


def _matches(finding: dict[str, Any], wanted: dict[str, str]) -> bool:
    return all(
        re.search(pattern, json.dumps(finding) if member == "text" else str(finding.get(member, "")))
        for member, pattern in wanted.items()
    )


def _some(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@contextmanager
def served(folder: Path, variant: str, log: Path) -> Iterator[str]:
    """Serve a case in a process of its own, which ends with the context; its requests go to a log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    log.touch()
    command = [sys.executable, "-S", str(folder / "server.py"), str(port), str(variant)]
    process = subprocess.Popen(
        command, env={**os.environ, "CASE_LOG": str(log)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the case's own server did not start"
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    pytest.fail("the case's own server does not listen")
