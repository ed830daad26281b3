"""Runs on hostile servers, as a table: `python -m tests.faults.hostile_runs [NAME ...]`.

Each kind is met by `check` and by `fuzz`. A row is right where the exit code is the kind's, all five reports are there,
no error of the run is told, and all processes of the run together stay below 400 MiB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.tables import say, table
from tests.faults.hostile import KINDS, Kind, contract, hostile

REPORTS = ("json", "junit", "html", "har", "markdown")
MAX_MEBIBYTES = 400
COMMANDS = {"check": (), "fuzz": ("--max-examples", "3")}
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one run.

    Attributes:
        problems: what is not as it should be, "" where all is right.
    """

    kind: str
    command: str
    exit_code: int
    reports: int
    mebibytes: float
    seconds: float
    problems: str


def run(kind: Kind, command: str, folder: Path) -> Row:
    """Return what comes of a run on a server of a kind."""
    (folder / "contract.json").write_text(json.dumps(contract()))
    files = {name: folder / f"{kind.name}-{command}.{name}" for name in REPORTS}
    asked = [option for name, path in files.items() for option in ("--report", f"{name}={path}")]
    with hostile(kind.name) as url:
        call = [sys.executable, "-m", "mockserver", command, url, "--contract", "contract.json", "--no-oracle"]
        began = time.monotonic()
        process = subprocess.Popen(
            [*call, "--timeout", "1", *COMMANDS[command], *asked],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        peak = 0
        while True:
            try:
                output, _ = process.communicate(timeout=0.05)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, _resident(process.pid))
    seconds = time.monotonic() - began
    written = sum(path.is_file() and path.stat().st_size > 0 for path in files.values())
    problems = []
    if process.returncode != kind.exit_code:
        problems.append(f"exit code {kind.exit_code} expected")
    if b"Traceback" in output or b"error of mockserver" in output:
        problems.append("an error of mockserver itself")
    if written < len(REPORTS):
        problems.append("reports are missing")
    elif error := json.loads(files["json"].read_text())["run"]["error"]:
        problems.append(error)
    if peak > MAX_MEBIBYTES * 2**20:
        problems.append(f"more than {MAX_MEBIBYTES} MiB")
    return Row(kind.name, command, process.returncode, written, peak / 2**20, seconds, "; ".join(problems))


def _resident(root: int) -> int:
    """Return the bytes that a process and all below it hold."""
    total, pending = 0, [root]
    while pending:
        number = pending.pop()
        try:
            total += int(Path(f"/proc/{number}/statm").read_text().split()[1]) * _PAGE
            for task in Path(f"/proc/{number}/task").iterdir():
                pending += map(int, (task / "children").read_text().split())
        except (OSError, ValueError):
            continue
    return total


def main(names: list[str]) -> int:
    """Print the table; return 1 where a row is not right."""
    head = ("kind".ljust(32), "command", "exit", "reports", "MiB", "seconds", "wrong")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names or KINDS:
            for command in COMMANDS:
                row = run(KINDS[name], command, Path(folder))
                rows.append(row)
                numbers = (str(row.exit_code), str(row.reports), f"{row.mebibytes:.0f}", f"{row.seconds:.1f}")
                line = (row.kind.ljust(32), row.command.ljust(7), *numbers, row.problems)
                # Row by row: the whole table takes minutes.
                say(table(head, [line]) if len(rows) == 1 else table(head, [line]).splitlines()[-1])
    return int(any(row.problems for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
