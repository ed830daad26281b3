"""Judge the Fleet servers: `python -m tests.fleet [--only NAME ...] [--command check|fuzz] [--keep DIR]`.

The contract, a server in Flask and one in FastAPI were written by somebody who had not seen the suite, and thirty
faults were planted by another one (faults.yaml says what each is and where it may be named). A fault is named by a
violation that the same server without it does not have, at an operation and in words that faults.yaml allows.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
_ROOT = HERE.parent.parent
#: The servers, which take a port and the environment variable FAULT.
SERVERS = ("flask", "fastapi")
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Fault:
    """Planted fault: where it is, and what a finding has to match to name it."""

    name: str
    server: str
    kind: str
    what: str
    operation: str
    text: str

    def named_by(self, findings: Sequence[dict[str, Any]]) -> bool:
        """Tell whether a finding names the fault."""
        return any(
            re.fullmatch(self.operation, finding["operation"])
            and re.search(self.text, " ".join((finding["check"], finding["title"], finding["detail"])), re.IGNORECASE)
            for finding in findings
        )


def faults() -> list[Fault]:
    """Return the planted faults of both servers."""
    return [Fault(**raw) for raw in yaml.safe_load((HERE / "faults.yaml").read_text())]


@contextmanager
def served(server: str, fault: str = "") -> Iterator[str]:
    """Serve one of the servers in a process of its own; yield its base URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, str(HERE / f"{server}_server.py"), str(port)],
        env={**os.environ, "FAULT": fault},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/health")
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def judged(server: str, fault: str = "", command: str = "check", keep: Path | None = None) -> dict[str, Any]:
    """Run `check` or `fuzz` on a server; return its JSON report with the exit code as `exit`."""
    with tempfile.TemporaryDirectory() as folder, served(server, fault) as url:
        report = (keep or Path(folder)) / f"{server}-{fault or 'clean'}.json"
        arguments = [
            command,
            url,
            "--contract",
            str(HERE / "contract.yaml"),
            "--identities",
            str(HERE / "identities.yaml"),
        ]
        arguments += ["--report", f"json={report}"]
        done = subprocess.run(
            [sys.executable, "-m", "mockserver", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False
        )
        if keep is not None:
            report.with_suffix(".txt").write_text(done.stdout + done.stderr)
        return {**json.loads(report.read_text()), "exit": done.returncode}


def violations(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the findings of a report that are violations."""
    return [finding for finding in report["findings"] if finding["level"] == "violation"]


def new(findings: Sequence[dict[str, Any]], clean: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the findings that the run on the server without a fault does not have."""
    known = {finding["id"] for finding in clean["findings"]}
    return [finding for finding in findings if finding["id"] not in known]


def main() -> int:
    """Judge the chosen faults, print a line for each, and return 0 if 28 of 30 are named and the clean servers kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--command", choices=("check", "fuzz"), default="check")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    chosen = [fault for fault in faults() if not options.only or fault.name in options.only]
    named = 0
    kept = True
    clean: dict[str, dict[str, Any]] = {}
    for server in SERVERS:
        report = clean[server] = judged(server, command=options.command, keep=options.keep)
        kept &= report["exit"] == 0
        print(f"{server:8} without a fault: exit {report['exit']}, {report['summary']}")  # noqa: T201
        for finding in violations(report):
            print(f"    FALSE? {finding['check']} {finding['operation']}: {finding['title']}")  # noqa: T201
    for fault in chosen:
        report = judged(fault.server, fault.name, options.command, options.keep)
        found = new(violations(report), clean[fault.server])
        hit = fault.named_by(found) and report["exit"] == 1
        named += hit
        drift = not hit and fault.named_by(new(report["findings"], clean[fault.server]))
        verdict = "named" if hit else "drift only" if drift else "MISSED"
        told = sorted({f"{finding['check']} {finding['operation']}" for finding in found})
        line = f"{verdict:10} {fault.server:8} {fault.kind:12} {fault.name:22} exit {report['exit']}  {told[:3]}"
        print(line, flush=True)  # noqa: T201
    print(f"{named} of {len(chosen)} named")  # noqa: T201
    return 0 if kept and named >= len(chosen) - 2 else 1


if __name__ == "__main__":
    sys.exit(main())
