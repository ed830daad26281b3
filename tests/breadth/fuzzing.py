"""Does the stub keep the contracts of others under generated requests? `mockserver fuzz` on every second document."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HEADING = f"{'document':44} {'seconds':>8}  {'exit':4}  verdict"
#: What a run says first where it could judge; anything else is a crash.
_VERDICTS = ("KEPT", "BROKEN", "NOT JUDGED", "INTERRUPTED")
_SHOWN = 12
_UNUSABLE = 2
_EMPTY = "has no operations, so there is nothing to test"


@dataclass(frozen=True, slots=True)
class FuzzRun:
    """One run.

    Attributes:
        code: its exit code; None where it took too long.
        text: what it wrote, standard error first.
    """

    path: Path
    code: int | None
    seconds: float
    text: str

    @property
    def verdict(self) -> str:
        """The line that says how it ended."""
        if self.code is None:
            return "too slow"
        lines = self.text.splitlines()
        return next((line for line in lines if line.startswith(_VERDICTS)), "no verdict: " + "".join(lines[-1:]))

    @property
    def kept(self) -> bool:
        """Whether there is a verdict, no violation and no traceback."""
        if self.code == _UNUSABLE and _EMPTY in self.text:
            return True  # nothing is promised, so nothing can be broken
        return self.code == 0 and self.verdict.startswith("KEPT") and "Traceback" not in self.text

    @property
    def row(self) -> str:
        """Its line of the table."""
        code = "-" if self.code is None else self.code
        return f"{self.path.name[:44]:44} {self.seconds:8.1f}  {code!s:4}  {self.verdict[:100]}"


def every_second(paths: list[Path]) -> list[Path]:
    """Return the second, the fourth ... of documents that stand in the order of their sizes."""
    return paths[1::2]


def run(
    paths: list[Path], *, jobs: int, max_examples: int, seconds: int, done: Callable[[FuzzRun], None]
) -> list[FuzzRun]:
    """Fuzz the stub of each document; `done` is called with each run in turn."""
    runs = []
    with ThreadPoolExecutor(jobs) as pool:
        for one in pool.map(lambda path: _fuzz(path, max_examples, seconds), paths):
            done(one)
            runs.append(one)
    return runs


def _fuzz(path: Path, max_examples: int, seconds: int) -> FuzzRun:
    command = [sys.executable, "-m", "mockserver", "fuzz", "--contract", str(path), "--max-examples", str(max_examples)]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    code: int | None
    try:
        out, errors = process.communicate(timeout=seconds)
        code = process.returncode
    except subprocess.TimeoutExpired:
        process.terminate()  # it writes what it has found so far
        try:
            out, errors = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate(timeout=30)
        code = None
    return FuzzRun(path, code, time.monotonic() - started, errors + out)


def details(runs: list[FuzzRun]) -> list[str]:
    """Return what was found where a contract was not kept."""
    lines = []
    for one in runs:
        if not one.kept:
            lines += ["", f"== {one.path.name}: {one.verdict}", *(line[:300] for line in _findings(one.text))]
    return lines


def _findings(text: str) -> list[str]:
    """Return the violations that are told, else the end of the text."""
    lines = text.splitlines()
    found = [
        line for start, one in enumerate(lines) if one.startswith("VIOLATION") for line in lines[start : start + 6]
    ]
    return found or lines[-_SHOWN:]
