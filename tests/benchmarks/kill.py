"""`kill -9` in the middle of parallel writes: what was acknowledged is there when the server is back.

Each writer has a world of its own, so that "the last write" is well-defined, and notes what was acknowledged;
the one request that was under way when the server died may have taken effect or not. Only the process whose
number `serve` prints is killed, and the next server takes the same port and file.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.requests import ADMIN, AUTH, PASSWORD, SETTINGS, Connection, WireRequest, as_json, basic
from tests.benchmarks.servers import START_SECONDS, Server, free_port, start, stop, stub_command
from tests.benchmarks.tables import say

WRITERS = 8
#: A login more than this would revoke the oldest token of the account (mockserver/behaviour/mail/logins.py).
_MOST_LOGINS = 100
_READY = re.compile(r"serving .* on \S+:(\d+) \(process (\d+),")
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.1, 0.8


@dataclass(slots=True)
class Tally:
    """What was checked, what was missing, and which writes the living server refused."""

    acknowledged: int = 0
    compared: int = 0
    lost: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def report(kills: int, workers: int) -> bool:
    """Kill and compare so many times, print what came of it, and tell whether nothing was lost."""
    tally = run(kills, workers)
    say(
        f"{kills} kills during {WRITERS} writers, {workers} worker(s): "
        f"{tally.acknowledged:,} acknowledged writes and logins, "
        f"{tally.compared:,} last values and tokens compared, {len(tally.lost)} lost, "
        f"{len(tally.refused)} refused"
    )
    for line in [*tally.lost, *tally.refused][:20]:
        say(f"failed: {line}")
    return not tally.lost and not tally.refused


def run(kills: int, workers: int = 1, writers: int = WRITERS) -> Tally:
    """Kill and compare so many times, with one port and one file, which is new to the first server."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        options = ("--state", f"sqlite:///{folder / 'state.db'}", "--workers", str(workers))
        for number in range(kills):
            writing = [Writer(port, f"kill{number}-writer{index}") for index in range(writers)]
            with _serving(port, options, folder) as printed:
                _write_until_killed(writing, printed)
            with _serving(port, options, folder):
                for writer in writing:
                    writer.compare(tally)
    return tally


def _write_until_killed(writing: list[Writer], process: int) -> None:
    threads = [threading.Thread(target=writer.write_until_it_fails) for writer in writing]
    for thread in threads:
        thread.start()
    time.sleep(random.uniform(_SHORTEST_SECONDS, _LONGEST_SECONDS))  # when it hits is left to chance
    os.kill(process, signal.SIGKILL)
    for thread in threads:
        thread.join()


@contextmanager
def _serving(port: int, options: tuple[str, ...], folder: Path) -> Iterator[int]:
    """Start the stub and give the process number that it prints; end it unless it is dead."""
    server = start(stub_command(port, *options), port, folder / "stub.log", core=None)
    try:
        yield _printed_process(server)
    finally:
        stop(server)


def _printed_process(server: Server) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = _READY.search(server.printed())
        if found:
            return int(found[2])
        if server.process.poll() is not None:
            break
        time.sleep(0.01)
    raise RuntimeError(f"the stub does not serve port {server.port}: {server.printed()}")


class _RefusedError(Exception):
    """A living server answered a valid write with anything but 200."""


class Writer:
    """Writes to one world and knows what was acknowledged there."""

    def __init__(self, port: int, world: str) -> None:
        self._connection = Connection(port)
        self._world = world
        self._acknowledged: dict[str, Any] = {}
        self._under_way: tuple[str, Any] = ("", None)
        self._tokens: list[str] = []
        self._refusal = ""
        self._count = 0

    def write_until_it_fails(self) -> None:
        """Write and log in, round and round, until the server is gone."""
        steps = (self._write_mailer, self._write_relay, self._write_days, self._write_password, self._log_in)
        try:
            for number in range(1_000_000):
                steps[number % len(steps)](number)
                self._count += 1
        except _RefusedError as refused:
            self._refusal = f"{self._world}: {refused}"
        except OSError:
            self._connection.close()

    def compare(self, tally: Tally) -> None:
        """Compare what the server has now with what it acknowledged."""
        tally.acknowledged += self._count
        tally.refused += [self._refusal] if self._refusal else []
        for name, value in self._acknowledged.items():
            status, answer = self._send("GET", f"{SETTINGS}{name}/")
            found = answer["settings"]["value"] if status == 200 else None
            tally.compared += 1
            # Of a write under way the answer is unknown; a made-up password cannot be told beforehand.
            allowed = [value, self._under_way[1]] if self._under_way[0] == name else [value]
            unforeseen = self._under_way == (name, None)
            if status != 200 or (found not in allowed and not unforeseen):
                tally.lost.append(f"{self._world} {name}: {status} {found!r}, acknowledged {value!r}")
        for token in self._tokens:
            status, _ = self._send("GET", AUTH, token=token)
            tally.compared += 1
            if status != 200:
                tally.lost.append(f"{self._world} token {token}: {status}")
        self._connection.close()

    def _write_mailer(self, number: int) -> None:
        self._write_mail_server("system_mailer", number)

    def _write_relay(self, number: int) -> None:
        self._write_mail_server("postfix_relayhost", number)

    def _write_mail_server(self, name: str, number: int) -> None:
        shown = {
            "server_hostname": f"{self._world}.example",
            "server_port": number % 65535 + 1,
            "username": f"number-{number}",
        }
        self._write(name, {**shown, "password": f"secret-{number}"}, shown)

    def _write_days(self, number: int) -> None:
        value = {"junk_days": number % 36500, "trash_days": number // 36500}
        self._write("junk_trash_clearing_interval", value, value)

    def _write_password(self, _number: int) -> None:
        self._write("imap_master_password", {"null": None}, None)

    def _write(self, name: str, content: object, expected: object) -> None:
        self._under_way = (name, expected)
        status, answer = self._send("POST", f"{SETTINGS}{name}/", content)
        if status != 200:
            raise _RefusedError(f"{name}: {status} {answer!r}")
        self._acknowledged[name] = answer["settings"]["value"]
        self._under_way = ("", None)

    def _log_in(self, _number: int) -> None:
        if len(self._tokens) < _MOST_LOGINS:
            status, answer = self._send("POST", AUTH, {"username": ADMIN, "password": PASSWORD})
            if status != 200:
                raise _RefusedError(f"login: {status} {answer!r}")
            self._tokens.append(answer["auth"]["auth_token"])

    def _send(self, method: str, path: str, content: object = None, *, token: str | None = None) -> tuple[int, Any]:
        fields = {
            "Mock-World": self._world,
            "Authorization": basic() if token is None else basic(token=token),
        }
        body = None if content is None else as_json(content)
        if body is not None:
            fields["Content-Type"] = "application/json"
        status, answer = self._connection.send(WireRequest(method, path, body, fields))
        return status, json.loads(answer) if answer else None
