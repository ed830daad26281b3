"""The servers that are measured, each in a process of its own that is ended by its own number."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mockserver.stub.serving.server import BACKLOG
from tests.benchmarks.requests import SETTING, WireRequest, exchange

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
SERVER_CORE, LOAD_CORE = 0, 1
START_SECONDS = 30.0
_POLL_SECONDS = 0.001
_STOP_SECONDS = 10.0
#: Threads of granian that run Python.
_THREADS = 64


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its port, the process that was started, and the file with all that it printed."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def printed(self) -> str:
        """Return its output so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def stub_command(port: int, *options: str) -> list[str]:
    """Return the command of the stub, log and journal on, as a user starts it."""
    return [sys.executable, "-m", "mockserver", "serve", "--port", str(port), *options]


def granian_command(port: int, application: str, *options: str) -> list[str]:
    """Return granian's own command for an application, one worker and one thread of its own."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"),
        *("--host", HOST, "--port", str(port), "--workers", "1", "--backlog", str(BACKLOG)),
        *("--runtime-mode", "mt", "--runtime-threads", "1", "--runtime-blocking-threads", "64"),
        *("--blocking-threads", str(_THREADS), "--no-access-log", "--log-level", "warning"),
        # A worker that is told to end just while it starts misses the signal; granian waits for it for ever by default.
        *("--workers-kill-timeout", "2"),
        *(*options, f"tests.benchmarks.applications:{application}"),
    ]


def commands(port: Mapping[str, int]) -> dict[str, list[str]]:
    """Return the commands of the three servers that the throughput is measured of, by name."""
    return {
        "stub": stub_command(port["stub"]),
        "flask": granian_command(port["flask"], "make_flask", "--factory"),
        "bare": granian_command(port["bare"], "bare"),
    }


@contextmanager
def serving(command: Sequence[str], port: int, log: Path, *, core: int | None = SERVER_CORE) -> Iterator[Server]:
    """Start a server, wait for its first 2xx, and end it with SIGTERM to its own process afterwards."""
    with serving_for(SETTING, command, port, log, core=core) as server:
        yield server


@contextmanager
def serving_for(
    request: WireRequest, command: Sequence[str], port: int, log: Path, *, core: int | None = SERVER_CORE
) -> Iterator[Server]:
    """Start a server, wait until it answers a request with 2xx, and end it afterwards."""
    server = start(command, port, log, core=core)
    try:
        wait_until_answering(server, request)
        yield server
    finally:
        stop(server)


def start(command: Sequence[str], port: int, log: Path, *, core: int | None = SERVER_CORE) -> Server:
    """Start a server and return at once; its standard output and error go to the file `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned(command, core), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT
        )
    return Server(port, process, log)


def stop(server: Server) -> None:
    """End a server as a user does; one that does not end is killed, and that is an error."""
    if server.process.poll() is None:
        server.process.terminate()
    try:
        server.process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
        raise RuntimeError(f"process {server.process.pid} did not end on SIGTERM") from None


def wait_until_answering(server: Server, request: WireRequest = SETTING) -> float:
    """Return the moment (`time.perf_counter`) of the first 2xx.

    Raises:
        RuntimeError: the server ended, answered with anything else, or did not answer in time.
    """
    deadline = time.perf_counter() + START_SECONDS
    while time.perf_counter() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended with {server.process.returncode}: {server.printed()}")
        try:
            status, content = exchange(server.port, request)
        except OSError:
            time.sleep(_POLL_SECONDS)
            continue
        answered = time.perf_counter()
        if not 200 <= status < 300:
            raise RuntimeError(f"the first answer was {status}: {content[:500]!r}")
        return answered
    raise RuntimeError(f"no answer within {START_SECONDS:.0f} s: {server.printed()}")


def free_port() -> int:
    """Return a port of the loopback interface on which nothing listens."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def pinned(command: Sequence[str], core: int | None) -> list[str]:
    """Return a command that runs on one core alone, where the machine has more and `taskset`."""
    taskset = shutil.which("taskset")
    if core is None or taskset is None or (os.cpu_count() or 1) <= core:
        return list(command)
    return [taskset, "-c", str(core), *command]


def processor_seconds(process: int) -> float:
    """Return the processor time that a process and its children have used (Linux), in seconds."""
    folder = Path("/proc") / str(process)
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = [child for task in (folder / "task").iterdir() for child in (task / "children").read_text().split()]
    return own + sum(processor_seconds(int(child)) for child in children)


def resident_kilobytes(process: int) -> int:
    """Return the resident memory of a process (Linux), in kB."""
    for line in (Path("/proc") / str(process) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"/proc/{process}/status tells no VmRSS")
