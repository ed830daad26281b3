"""How long the stub of a large contract takes to its first 2xx and what memory it holds, beside Prism.

Prism and the Node that it needs are installed by npm into the user's cache folder, once; only this benchmark uses them.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from mockserver.contract.reading.document import load_contract
from tests.benchmarks.requests import WireRequest, exchange
from tests.benchmarks.servers import Server, free_port, resident_kilobytes, start, stop, stub_command
from tests.benchmarks.tables import say, table

#: The most that the stub may take, as a part of Prism's (issue 4, "Must show" 4).
AIMS = {"seconds": 0.25, "megabytes": 0.5}
_PACKAGES = ("node@24", "@stoplight/prism-cli")
_INSTALL_SECONDS, _START_SECONDS, _POLL_SECONDS = 600.0, 180.0, 0.005


class Start(NamedTuple):
    """One start: seconds from the process to its first 2xx, and the resident memory then."""

    seconds: float
    megabytes: float


def report(contract: Path, rounds: int) -> bool:
    """Measure, print the table, and tell whether both aims are met."""
    contract = contract.resolve()
    request = WireRequest("GET", _simple_path(contract))
    prism = _installed()
    measured: dict[str, list[Start]] = {"stub": [], "prism": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, starts in measured.items():
                port = free_port()
                command = stub_command(port, "--contract", str(contract))
                if name == "prism":
                    command = [*prism, "mock", "--host", "127.0.0.1", "--port", str(port), str(contract)]
                starts.append(_start_once(command, port, request, Path(folder) / f"{name}.log"))
    say(f"{contract.name}, GET {request.path}; {rounds} rounds, one after the other on one core; medians")
    rows = [
        (name, f"{median(one.seconds for one in starts):.2f}", f"{median(one.megabytes for one in starts):.0f}")
        for name, starts in measured.items()
    ]
    say(table(("server", "s to first 2xx", "MB resident"), rows))
    verdicts = [_judge(measured, name, aim) for name, aim in AIMS.items()]  # each is printed
    return all(verdicts)


def _judge(measured: dict[str, list[Start]], name: str, aim: float) -> bool:
    pairs = zip(measured["stub"], measured["prism"], strict=True)
    ratios = [getattr(mine, name) / getattr(its, name) for mine, its in pairs]
    reached: float = median(ratios)
    verdict = "met" if reached <= aim else "MISSED"
    spread = f"rounds {min(ratios):.3f} to {max(ratios):.3f}"
    say(f"stub/prism, {name}: {reached:.3f} ({spread}); aim at most {aim:g}: {verdict}")
    return reached <= aim


def _simple_path(contract: Path) -> str:
    """Return the first path that GET needs no parameter and no credential for."""
    for operation in load_contract(contract).operations:
        needed = any(parameter.required for parameter in operation.parameters)
        if operation.method == "GET" and not needed and not operation.security and "{" not in operation.path:
            return operation.path
    raise SystemExit(f"{contract}: has no GET without parameters and credentials to measure with")


def _installed() -> list[str]:
    """Return the command of Prism, installed where it is not yet."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(cache) / "mockserver-benchmarks"
    node, prism = (folder / "node_modules" / ".bin" / name for name in ("node", "prism"))
    if not (node.exists() and prism.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", *_PACKAGES]
        subprocess.run(command, check=True, timeout=_INSTALL_SECONDS, stdin=subprocess.DEVNULL)
    return [str(node), str(prism)]


def _start_once(command: list[str], port: int, request: WireRequest, log: Path) -> Start:
    started = time.perf_counter()
    server = start(command, port, log)
    try:
        _wait(server, request)
        return Start(time.perf_counter() - started, resident_kilobytes(server.process.pid) / 1024)
    finally:
        stop(server)


def _wait(server: Server, request: WireRequest) -> None:
    deadline = time.perf_counter() + _START_SECONDS
    while time.perf_counter() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended with {server.process.returncode}: {server.printed()}")
        try:
            status, _ = exchange(server.port, request)
        except OSError:
            time.sleep(_POLL_SECONDS)
            continue
        if 200 <= status < 300:
            return
        raise RuntimeError(f"the first answer was {status}")
    raise RuntimeError(f"no answer within {_START_SECONDS:.0f} s: {server.printed()}")
