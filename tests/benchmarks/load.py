"""The load generator: `wrk` where it is installed, else a slower one in Python.

Both keep some connections busy for some seconds and count answers; an answer that is no 2xx is an error.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.requests import WireRequest, parse_head
from tests.benchmarks.servers import HOST, LOAD_CORE, ROOT, pinned

_REQUESTS = re.compile(r"^\s*(\d+) requests in ([\d.]+)(us|ms|s|m)", re.MULTILINE)
_FAULTS = re.compile(r"^\s*(Non-2xx or 3xx responses: .*|Socket errors: .*)", re.MULTILINE)
_UNIT_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def generator() -> str:
    """Return the name of the load generator that is used here."""
    return "wrk" if shutil.which("wrk") else "python"


def measure(port: int, request: WireRequest, seconds: float, connections: int, folder: Path) -> tuple[int, float]:
    """Return the number of answers and the seconds that they took.

    Raises:
        RuntimeError: an answer was no 2xx, or a connection failed.
    """
    run = _measure_with_wrk if generator() == "wrk" else _measure_with_python
    return run(port, request, seconds, connections, folder)


def _measure_with_wrk(
    port: int, request: WireRequest, seconds: float, connections: int, folder: Path
) -> tuple[int, float]:
    script = folder / "request.lua"
    script.write_text(_lua(request), encoding="utf-8")
    command = [
        *("wrk", "--threads", "1", "--connections", str(connections)),
        *(
            "--duration",
            f"{max(1, round(seconds))}s",
            "--script",
            str(script),
            f"http://{HOST}:{port}{request.path}",
        ),
    ]
    done = subprocess.run(pinned(command, LOAD_CORE), capture_output=True, text=True, check=False)
    found = _REQUESTS.search(done.stdout)
    fault = _FAULTS.search(done.stdout)
    if done.returncode or found is None or fault is not None:
        raise RuntimeError(f"wrk: {fault[1] if fault else done.stdout + done.stderr}")
    return int(found[1]), float(found[2]) * _UNIT_SECONDS[found[3]]


def _lua(request: WireRequest) -> str:
    """Return the wrk script that sends a request; wrk formats it once."""
    lines = [
        f"wrk.method = {_quote(request.method)}",
        f"wrk.body = {_quote((request.content or b'').decode())}",
    ]
    lines += [f"wrk.headers[{_quote(name)}] = {_quote(value)}" for name, value in request.fields.items()]
    return "\n".join([*lines, ""])


def _quote(text: str) -> str:
    return '"' + "".join(f"\\{ord(char):03d}" if char in '"\\' or char < " " else char for char in text) + '"'


def _measure_with_python(
    port: int, request: WireRequest, seconds: float, connections: int, _folder: Path
) -> tuple[int, float]:
    job = json.dumps([port, seconds, connections, request.to_bytes().decode()])
    command = [sys.executable, "-m", "tests.benchmarks.load", job]
    done = subprocess.run(pinned(command, LOAD_CORE), capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"the load generator: {done.stderr.strip()}")
    count, elapsed = json.loads(done.stdout)
    return int(count), float(elapsed)


async def _keep_busy(port: int, message: bytes, until: float) -> int:
    """Send a request again and again on one connection; return the number of answers."""
    reader, writer = await asyncio.open_connection(HOST, port)
    count = 0
    while time.perf_counter() < until:
        writer.write(message)
        status, length, _ = parse_head((await reader.readuntil(b"\r\n\r\n"))[:-4])
        await reader.readexactly(length)
        if not 200 <= status < 300:
            raise RuntimeError(f"an answer was {status}")
        count += 1
    writer.close()
    return count


async def _generate(port: int, seconds: float, connections: int, message: bytes) -> tuple[int, float]:
    started = time.perf_counter()
    counts = await asyncio.gather(*(_keep_busy(port, message, started + seconds) for _ in range(connections)))
    return sum(counts), time.perf_counter() - started


if __name__ == "__main__":
    _port, _seconds, _connections, _message = json.loads(sys.argv[1])
    sys.stdout.write(json.dumps(asyncio.run(_generate(_port, _seconds, _connections, _message.encode()))))
