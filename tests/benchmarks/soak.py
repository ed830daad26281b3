"""A long run of mixed requests, valid and hostile: no 5xx, no lost answer, no memory that grows.

The requests of a seed are always the same; only how 32 connections interleave is left to chance.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.hostile import Mix
from tests.benchmarks.requests import WireRequest, parse_head
from tests.benchmarks.servers import HOST, free_port, resident_kilobytes, serving, stub_command
from tests.benchmarks.tables import say, table

#: Growth of resident memory after the first quarter that is allowed (issue 2, "Must show" 8).
MOST_GROWTH = 0.10
_RETRIES = 3


@dataclass(slots=True)
class Result:
    """What came of a soak: answers by status, answers that never came, memory in kB by answers so far."""

    statuses: Counter[int] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    memory: dict[int, int] = field(default_factory=dict)
    server_errors: list[str] = field(default_factory=list)

    @property
    def answers(self) -> int:
        """Number of answers."""
        return self.statuses.total()

    def growth(self) -> float:
        """Return the growth of memory from the first sample to the last, as a fraction."""
        first, *_, last = self.memory.values()
        return last / first - 1


def report(requests: int, connections: int, seed: int) -> bool:
    """Run, print what came of it, and tell whether the aims are met."""
    say(f"{requests:,} mixed requests, {connections} connections, seed {seed}")
    result = run(requests, connections, seed)
    rows = [(str(status), f"{count:,}") for status, count in sorted(result.statuses.items())]
    say(table(("status", "answers"), rows))
    for request in [*result.server_errors[:10], *result.lost[:10]]:
        say(f"failed: {request}")
    say("resident memory: " + ", ".join(f"{kb:,} kB after {n:,}" for n, kb in result.memory.items()))
    met = not result.server_errors and not result.lost and result.growth() <= MOST_GROWTH
    say(
        f"5xx: {len(result.server_errors)}, lost: {len(result.lost)}, growth {result.growth():+.1%}; "
        f"aim no 5xx, none lost, growth at most {MOST_GROWTH:.0%}: {'met' if met else 'MISSED'}"
    )
    return met


def run(requests: int, connections: int, seed: int) -> Result:
    """Send the requests of a seed to a stub of its own; memory is sampled after each quarter."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with serving(stub_command(port, "--max-body", "1MiB"), port, Path(folder) / "stub.log") as server:
            soak = _Soak(port, server.process.pid, requests, Mix(random.Random(seed)))
            asyncio.run(soak.run(connections))
            return soak.result


class _Soak:
    """The connections' common store of requests, and what came of them."""

    def __init__(self, port: int, process: int, requests: int, mix: Mix) -> None:
        self._port = port
        self._process = process
        self._left = requests
        self._sample_every = max(1, requests // 4)
        self._mix = mix
        self.result = Result()

    async def run(self, connections: int) -> None:
        """Send everything."""
        await asyncio.gather(*(self._work() for _ in range(connections)))

    async def _work(self) -> None:
        connection = _Connection(self._port)
        while self._left > 0:
            self._left -= 1
            request = self._mix.next()
            answer = await _send_stubbornly(connection, request)
            if answer is None:
                self.result.lost.append(_describe(request))
                continue
            status, content = answer
            self._note(request, status, content)
        connection.close()

    def _note(self, request: WireRequest, status: int, content: bytes) -> None:
        result = self.result
        result.statuses[status] += 1
        self._mix.learn(request, status, content)
        if status >= 500:
            result.server_errors.append(f"{status} {_describe(request)}")
        if result.answers % self._sample_every == 0:
            result.memory[result.answers] = resident_kilobytes(self._process)


class _Connection:
    """A kept connection under asyncio; opened anew when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: WireRequest) -> tuple[int, bytes]:
        """Return status and content of the answer.

        Raises:
            OSError, EOFError: the connection was closed before the answer was complete.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._streams
        writer.write(request.to_bytes())
        status, length, closes = parse_head((await reader.readuntil(b"\r\n\r\n"))[:-4])
        bodiless = request.method == "HEAD" or status in (204, 304)
        content = b"" if bodiless else await reader.readexactly(length)
        if closes:
            self.close()
        return status, content

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _send_stubbornly(connection: _Connection, request: WireRequest) -> tuple[int, bytes] | None:
    """Return the answer, or None where it does not come, again and again.

    A server may close a kept connection whenever it likes, for one after content that it refused to read
    (RFC 9112, section 9.5), so a request whose connection was closed is sent again on a fresh one.
    """
    for _ in range(_RETRIES):
        try:
            return await connection.send(request)
        except (OSError, EOFError):
            connection.close()
    return None


def _describe(request: WireRequest) -> str:
    return f"{request.method} {request.path} {(request.content or b'')[:200]!r}"
