"""What the suite says of a faulty server: in this process for tests, by the commands for the table."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from mockserver.suite.checks import robustness
from mockserver.suite.fuzz.engine import FuzzSettings
from mockserver.suite.identities.seeded_accounts import seeded_identities
from mockserver.suite.run.check_run import check
from mockserver.suite.run.fuzz_run import fuzz
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Run
from mockserver.suite.target.targets import HttpTarget, Target
from mockserver.suite.verdicts.verdict import RunOutcome
from tests import defaults
from tests.faults.catalogue import Fault
from tests.faults.messages import LEVELS, OPERATIONS, PASSWORDS, TOKENS
from tests.faults.server import Application, FaultyServer, clean_contract, serving
from tests.faults.verdicts import exit_code
from tests.wsgi_target import WsgiTarget

ROOT = Path(__file__).parents[2]
#: NoProgress costs the suite so long, several times; the servers here answer in milliseconds or not at all.
_TIMEOUT_SECONDS = 0.5


class Found(NamedTuple):
    """A finding, as far as it matters here."""

    id: str
    level: str
    check: str
    operation: str
    detail: str


class Verdict(NamedTuple):
    """What a run of the suite came to."""

    exit_code: int
    found: tuple[Found, ...]

    def right(self, fault: Fault) -> tuple[Found, ...]:
        """Return the findings that name the fault: an expected check and level at an operation of it."""
        return tuple(
            one
            for one in self.found
            if one.check in fault.checks and fault.is_at(one.operation) and one.level == fault.level
        )


def checked(fault: Fault, only: Sequence[str] = OPERATIONS) -> Verdict:
    """Return what `check` finds, run within this process; time is played."""
    server = FaultyServer(fault, played=True)
    # Large is what the stub refuses; the real size goes over the sockets of `mockserver check`.
    with patch.object(robustness, "LARGE_BYTES", 1_200_000):
        return _verdict(WsgiTarget(server, clock=server.now), check, only, server)


def checked_in_process(application: Application) -> Verdict:
    """Return what `check` finds on a WSGI application."""
    return _verdict(WsgiTarget(application), check)


def fuzzed(fault: Fault, max_examples: int, only: Sequence[str] = OPERATIONS) -> Verdict:
    """Return what `fuzz` finds, run within this process over a socket, with the seed 1."""
    return fuzzed_over_http(FaultyServer(fault, played=True), max_examples, only)


def fuzzed_over_http(application: Application, max_examples: int, only: Sequence[str] = OPERATIONS) -> Verdict:
    """Return what `fuzz` finds on a WSGI application that is served, with the seed 1."""
    settings = FuzzSettings(max_examples=max_examples, seed=1)
    with serving(application) as url:
        target = HttpTarget(url, timeout_seconds=_TIMEOUT_SECONDS)
        target.late_seconds = 2 * _TIMEOUT_SECONDS
        try:
            server = application if isinstance(application, FaultyServer) else None
            return _verdict(target, lambda run: fuzz(run, settings), only, server)
        finally:
            target.close()


def _verdict(
    target: Target,
    judge: Callable[[Run], RunOutcome],
    only: Sequence[str] = OPERATIONS,
    server: FaultyServer | None = None,
) -> Verdict:
    run = prepare(clean_contract(), target, seeded_identities(defaults.SEED_DATA), only=only)
    if server is not None:
        run.poller.clock, run.poller.sleep = server.now, server.pause
    outcome = judge(run)
    found = tuple(Found(*(getattr(one, name) for name in Found._fields)) for one in run.verdicts.findings())
    return Verdict(exit_code(run, outcome), found)


def judged(command: str, fault: Fault, options: Iterable[str] = ()) -> Verdict:
    """Return what `mockserver check` or `mockserver fuzz` finds on a faulty server, run as a user does."""
    with tempfile.TemporaryDirectory() as name, serving(FaultyServer(fault)) as url:
        report, identities = Path(name) / "report.json", Path(name) / "identities.yaml"
        identities.write_text(identities_file(), encoding="utf-8")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "mockserver", command, url, "--identities", str(identities)),
                *("--settle", str(fault.settle_seconds), "--report", f"json={report}", *options),
                *(text for pattern in OPERATIONS for text in ("--only", pattern)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            raise RuntimeError(f"{fault.name}: `{command}` ended with {done.returncode}: {done.stderr.strip()}")
        findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
    return Verdict(done.returncode, tuple(Found(*(str(one[name]) for name in Found._fields)) for one in findings))


def identities_file() -> str:
    """Return the seeded accounts as an identities file; JSON is YAML, too."""
    accounts = [
        {"username": name, "token": token, "password": PASSWORDS[name], "level": LEVELS[name]}
        for name, token in TOKENS.items()
    ]
    return json.dumps({"identities": accounts})
