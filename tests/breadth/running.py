"""All documents, a process for each part of one, so that none can hold up or take down another."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.breadth.contracts import RawDocument

#: Operations of one process; large documents are read by several.
PART = 400
#: Longer without a word than every time-out of a worker, so the worker itself hangs.
_SILENCE_SECONDS = 180.0


@dataclass(slots=True)
class Report:
    """What was found of one document.

    Attributes:
        started: seconds to the application, None where it did not start.
        refused: why the document is refused as a whole, "" if it is not.
        found: a row for each operation, by label.
    """

    path: Path
    labels: list[str] = field(default_factory=list)
    started: float | None = None
    refused: str = ""
    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        """Return how many operations are `right`, `wrong` or `refused`."""
        return sum(row["kind"] == kind for row in self.found.values())


def run(paths: list[Path], jobs: int, *, options: Sequence[str] = (), done: Callable[[Report], None]) -> list[Report]:
    """Ask every operation of every document; `done` is called with each report in turn, `options` are the workers'."""
    with ThreadPoolExecutor(jobs) as pool:
        reports = []
        for report, parts in [_planned(path, pool, options=options) for path in reversed(paths)]:  # the largest first
            for part in parts:
                part.result()
            _complete(report)
            done(report)
            reports.append(report)
    return reports


def _planned(path: Path, pool: ThreadPoolExecutor, *, options: Sequence[str]) -> tuple[Report, list[Any]]:
    report = Report(path)
    try:
        report.labels = [operation.label for operation in RawDocument(path).operations()]
    except Exception as error:  # noqa: BLE001 - a document that a plain parser cannot read is a row of the table
        report.refused = f"plain parser: {error}"
        return report, []
    starts = range(0, max(len(report.labels), 1), PART)
    return report, [pool.submit(_part, report, start, start + PART, options=options) for start in starts]


def _complete(report: Report) -> None:
    """Give every operation a row, so that none is dropped silently."""
    why = report.refused and f"document refused: {report.refused}"
    for label in report.labels:
        kind = "refused" if why else "wrong"
        report.found.setdefault(label, {"operation": label, "kind": kind, "why": why or "worker ended before it"})


def _part(report: Report, start: int, stop: int, *, options: Sequence[str]) -> None:
    """Run workers over a part; one that hangs or crashes loses the operation that it was at, and the next goes on."""
    labels = report.labels[start:stop]
    while True:
        asking = ""
        for line in _worker(report.path, start, stop, options=options):
            if "started" in line:
                report.started = line["started"]
            elif "refused" in line:
                report.refused = line["refused"]
            elif "asking" in line:
                asking = line["asking"]
            else:
                report.found[line["operation"]] = line
                asking = ""
            if "crash" in line:
                report.refused = report.refused or ("" if report.started else line["crash"])
        if not asking:
            return
        report.found[asking] = {"operation": asking, "kind": "wrong", "why": "worker hangs or crashes"}
        start = report.labels.index(asking) + 1
        if start >= stop or start >= len(report.labels) or not labels:
            return


def _worker(path: Path, start: int, stop: int, *, options: Sequence[str]) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.breadth.worker", str(path), "--start", str(start), "--stop", str(stop)]
    command += options
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    try:
        while select.select([worker.stdout], [], [], _SILENCE_SECONDS)[0]:
            line = worker.stdout.readline()
            if not line:
                break
            yield _read(line)
    finally:
        worker.kill()
        _, errors = worker.communicate(timeout=20)
    if errors.strip() and worker.returncode not in {0, -9}:
        yield {"crash": errors.strip().splitlines()[-1], "operation": "", "kind": "wrong", "why": ""}


def _read(line: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(line)
    return read
