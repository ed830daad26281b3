"""How long the stub takes from process start to its first 2xx, beside a one-route Flask app under granian."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from tests.benchmarks.servers import (
    free_port,
    granian_command,
    start,
    stop,
    stub_command,
    wait_until_answering,
)
from tests.benchmarks.tables import say, table

#: The most that it may take, as a multiple (issue 2, "Must show" 7).
AIM = 1.5


def report(rounds: int) -> bool:
    """Measure, print the table, and tell whether the aim is met."""
    times = measure(rounds)
    rows = [
        (name, f"{median(taken) * 1000:.0f}", f"{min(taken) * 1000:.0f} to {max(taken) * 1000:.0f}")
        for name, taken in times.items()
    ]
    say(f"{rounds} rounds, one after the other on one core")
    say(table(("server", "ms to first 2xx (median)", "range"), rows))
    ratios = [mine / its for mine, its in zip(times["stub"], times["flask"], strict=True)]
    reached = median(ratios)
    verdict = "met" if reached <= AIM else "MISSED"
    say(f"stub/flask: {reached:.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}); aim at most {AIM:g}: {verdict}")
    return reached <= AIM


def measure(rounds: int) -> dict[str, list[float]]:
    """Return the seconds that each start took; a first one, not counted, fills the caches."""
    times: dict[str, list[float]] = {"stub": [], "flask": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            for name, taken in times.items():
                seconds = _start_once(name, Path(folder) / f"{name}.log")
                if number:
                    taken.append(seconds)
    return times


def _start_once(name: str, log: Path) -> float:
    port = free_port()
    command = stub_command(port) if name == "stub" else granian_command(port, "make_flask", "--factory")
    started = time.perf_counter()
    server = start(command, port, log)
    try:
        return wait_until_answering(server) - started
    finally:
        stop(server)
