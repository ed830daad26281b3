"""How many requests a second the stub answers on a route, beside a Flask app of three routes and a bare WSGI callable.

All three are up at once on one core and get the load in turns (stub, flask, bare, stub, ...), so that
whatever else the machine does hits them alike; a ratio is taken within each round. What else the machine does
still spoils rates; the processor time of a request hardly minds it, so it stands beside them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks import load
from tests.benchmarks.requests import ROUTES, Route, exchange
from tests.benchmarks.servers import Server, commands, free_port, processor_seconds, serving
from tests.benchmarks.tables import say, table

#: What the stub must reach. The setting is the oldest aim; for a list and a change of one of many the stub looks up,
#: filters and asks whose they are, of which the others do nothing.
AIMS: Mapping[str, Mapping[str, float]] = {
    "setting": {"flask": 4.0, "bare": 0.45},
    "domains": {"flask": 3.0, "bare": 0.45},
    "account": {"flask": 2.0, "bare": 0.25},
}
_WARM_UP_SECONDS = 1.0


class Round(NamedTuple):
    """One server's part of a round: requests a second, and processor time that each took it."""

    rate: float
    processor_microseconds: float


def report(name: str, rounds: int, seconds: float, connections: int) -> bool:
    """Measure, print the table, and tell whether the aims are met."""
    say(f"{name}: {rounds} rounds of {seconds:g} s, {connections} connections, load by {load.generator()}")
    measured = measure(ROUTES[name], rounds, seconds, connections)
    rows = [
        (
            server,
            f"{median(part.rate for part in parts):,.0f}",
            f"{min(part.rate for part in parts):,.0f} to {max(part.rate for part in parts):,.0f}",
            f"{median(part.processor_microseconds for part in parts):.1f}",
        )
        for server, parts in measured.items()
    ]
    say(table(("server", "requests/s (median)", "range", "processor µs/request"), rows))
    met = [_judge(measured, other, aim) for other, aim in AIMS[name].items()]
    return all(met)


def measure(route: Route, rounds: int, seconds: float, connections: int) -> Mapping[str, Sequence[Round]]:
    """Return the rounds of each server.

    Raises:
        RuntimeError: a server answered anything but the same 2xx.
    """
    measured: dict[str, list[Round]] = {}
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        ports = {server: free_port() for server in ("stub", "flask", "bare")}
        servers = {
            server: stack.enter_context(serving(command, ports[server], folder / f"{server}.log"))
            for server, command in commands(ports).items()
        }
        for server in servers.values():
            status, content = exchange(server.port, route.request)
            if status != 200 or json.loads(content) != route.answer:
                raise RuntimeError(f"{server.process.args!r} answers {status} {content!r}")
            _load(server, route, _WARM_UP_SECONDS, connections, folder)
        for _ in range(rounds):
            for server_name, server in servers.items():
                measured.setdefault(server_name, []).append(_load(server, route, seconds, connections, folder))
    return measured


def _load(server: Server, route: Route, seconds: float, connections: int, folder: Path) -> Round:
    before = processor_seconds(server.process.pid)
    count, elapsed = load.measure(server.port, route.request, seconds, connections, folder)
    used = processor_seconds(server.process.pid) - before
    return Round(count / elapsed, used / count * 1e6)


def _judge(measured: Mapping[str, Sequence[Round]], other: str, aim: float) -> bool:
    rounds = list(zip(measured["stub"], measured[other], strict=True))
    ratios = [mine.rate / its.rate for mine, its in rounds]
    by_time = median(its.processor_microseconds / mine.processor_microseconds for mine, its in rounds)
    reached = median(ratios)
    verdict = "met" if reached >= aim else "MISSED"
    say(
        f"stub/{other}: {reached:.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}; "
        f"by processor time {by_time:.2f}); "
        f"aim at least {aim:g}: {verdict}"
    )
    return reached >= aim
