"""What the suite says of a faulty server: in this process for tests, by the commands for the table."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from mockserver import defaults
from mockserver.suite.checking import check
from mockserver.suite.governor import WritePolicy
from mockserver.suite.identities import seeded_identities
from mockserver.suite.secrecy import Secrets
from mockserver.suite.session import Run
from mockserver.suite.targets import HttpTarget, Target, WsgiTarget
from mockserver.suite.verdicts import Verdicts
from tests.faults.catalogue import Fault
from tests.faults.messages import PASSWORDS, TOKENS
from tests.faults.server import FaultyServer, clean_contract, serving

ROOT = Path(__file__).parents[2]
#: Silence costs the suite so long, several times; the servers here answer in milliseconds or not at all.
_TIMEOUT_SECONDS = 0.5
_LEVELS = dict(zip(TOKENS, ("MasterAdmin", "DomainAdmin", "MailUser"), strict=True))


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
            if one.check in fault.checks and one.operation in fault.at and one.level == fault.level
        )


def checked(fault: Fault) -> Verdict:
    """Return what `check` finds, run within this process (over a socket where the fault needs one)."""
    with _target(fault) as target:
        run = Run(
            contract=clean_contract(),
            target=target,
            identities=seeded_identities(defaults.SEED_DATA),
            policy=WritePolicy(foreign=False),
            verdicts=(verdicts := Verdicts(clean_contract())),
            secrets=Secrets(),
            selected=clean_contract().operations,
            settle_seconds=0.0,
        )
        outcome = check(run)
    found = tuple(Found(one.id, one.level, one.check, one.operation, one.detail) for one in verdicts.findings())
    return Verdict(2 if outcome.error else int(bool(found)), found)


@contextmanager
def _target(fault: Fault) -> Iterator[Target]:
    server = FaultyServer(fault)
    if not fault.needs_socket:
        yield WsgiTarget(server)
        return
    with serving(server) as url:
        target = HttpTarget(url, timeout_seconds=_TIMEOUT_SECONDS)
        try:
            yield target
        finally:
            target.close()


def judged(command: str, fault: Fault, options: Iterable[str] = ()) -> Verdict:
    """Return what `mockserver check` or `mockserver fuzz` finds on a faulty server, run as a user does."""
    with tempfile.TemporaryDirectory() as name, serving(FaultyServer(fault)) as url:
        report, identities = Path(name) / "report.json", Path(name) / "identities.yaml"
        identities.write_text(_identities(), encoding="utf-8")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "mockserver", command, url, "--identities", str(identities)),
                *("--settle", "0.2", "--report", f"json={report}", *options),
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


def _identities() -> str:
    """Return the seeded accounts as an identities file; JSON is YAML, too."""
    accounts = [
        {"username": name, "token": token, "password": PASSWORDS[name], "level": _LEVELS[name]}
        for name, token in TOKENS.items()
    ]
    return json.dumps({"identities": accounts})
