"""A server that allows 15 requests a second and bans after repeated excess; here all is ten times as fast."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.safety.conftest import FEW, REMOTE_FEW, Suite
from tests.safety.server import Environ, Gate, RemoteServer

#: 15 in a tenth of a second, as 150 a second; the default of 10 requests a second is 100.
SCALED = ("--treat-as-remote", "--rate", "100/s", "--no-oracle", *FEW)


def gate() -> Gate:
    return Gate(allowed=15, window_seconds=0.1)


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_a_run_with_defaults_is_not_banned(suite: Suite, remote: Callable[..., RemoteServer], command: str) -> None:
    server = remote(gate())
    done = suite.run(command, server.url, *SCALED)
    assert server.gate is not None
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(server.log) > 150
    assert (server.gate.strikes, server.gate.banned) == (0, False)
    assert server.gate.peak <= 12
    assert (server.connections, server.most_open) == (1, 1)


def test_the_gate_bites_and_a_ban_ends_the_run_as_environment(
    suite: Suite, remote: Callable[..., RemoteServer]
) -> None:
    server = remote(gate())
    done = suite.run("check", server.url, "--treat-as-remote", "--rate", "2000/s", "--no-oracle")
    assert done.returncode == 2
    assert "NOT JUDGED: the server asks for a pause of 3600 seconds (429 with Retry-After: 3600)" in done.stdout
    assert server.gate is not None
    assert server.gate.strikes > 0
    assert sum(entry.status == 429 for entry in server.log) == 1  # it stopped at once


def test_the_plan_tells_what_the_defaults_amount_to(suite: Suite, remote: Callable[..., RemoteServer]) -> None:
    server = remote()
    done = suite.run("fuzz", server.url, "--treat-as-remote", "--dry-run", *FEW)
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines[1] == "operations: 6 called, 5 safe (GET 5) and 1 unsafe (POST 1); 9 withheld"
    assert lines[2].startswith("requests: about 180, from 10 examples for each operation; at most 1800, 300 for each")
    assert lines[2].endswith(": 1500 safe (GET 1500) and 300 unsafe (POST 300)")
    assert lines[3] == "time: about 18 s; at most 3 min, with 10 requests a second over one connection"


@pytest.mark.parametrize(("command", "status"), [("check", 429), ("fuzz", 503)])
def test_what_was_asked_to_come_later_is_asked_again_and_no_finding(
    suite: Suite, remote: Callable[..., RemoteServer], command: str, status: int
) -> None:
    server = remote()
    later: list[float] = []

    def before(_environ: Environ) -> tuple[int, list[tuple[str, str]]] | None:
        # Claims, then generated cases.
        if len(server.log) not in {20, 150} or len(later) > 1:
            return None
        later.append(time.monotonic())
        return status, [("Retry-After", "1")]

    server.before = before
    done = suite.run(command, server.url, *REMOTE_FEW)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("KEPT: 0 violations, 0 drift")
    assert len(later) == 2
    for number, entry in enumerate(server.log):
        if entry.status == status:
            again = server.log[number + 1]
            assert (again.method, again.path) == (entry.method, entry.path)
            assert again.at - entry.at >= 1.0


class Window:
    """Lets in so many requests a second of the default world, as `--rate-limit` does, and counts crossings."""

    def __init__(self, allowed: int = 20, window_seconds: float = 1.0) -> None:
        self.crossings = 0
        self._allowed = allowed
        self._window_seconds = window_seconds
        self._recent: list[float] = []

    def __call__(self, _environ: Environ) -> tuple[int, list[tuple[str, str]]] | None:
        now = time.monotonic()
        self._recent = [at for at in self._recent if at > now - self._window_seconds]
        if self.crossings >= 3:
            return 429, [("Retry-After", "3600")]
        if len(self._recent) >= self._allowed:
            self.crossings += 1
            return 429, [("Retry-After", "1")]
        self._recent.append(now)
        return None


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_on_loopback_a_run_that_is_told_to_slow_down_does_and_is_judged(
    suite: Suite, remote: Callable[..., RemoteServer], command: str
) -> None:
    server = remote()
    server.before = window = Window()
    few = ("--max-examples=2",) * (command == "fuzz")
    done = suite.run(command, server.url, "--no-oracle", "--only=auth_get", *few)
    assert done.returncode == 0, done.stdout + done.stderr
    assert window.crossings == 1
    [told] = [number for number, entry in enumerate(server.log) if entry.status == 429]
    first, last = server.log[0], server.log[told - 1]
    assert last.at - first.at < 1.0  # as fast as it goes, until it is told
    again = server.log[told + 1]
    assert (again.path, again.at - server.log[told].at >= 1.0) == (server.log[told].path, True)
    rest = server.log[told + 1 :]
    assert len(rest) > 20
    assert (rest[-1].at - rest[0].at) / (len(rest) - 1) >= 0.095
