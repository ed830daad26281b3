"""Laboratory: the process that serves the mutants, and runs of the suite against single mutants."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from mockserver.contract.model import Contract
from mockserver.errors import MockServerError
from mockserver.selftest.kills import FindingKey, PlantedMutant
from mockserver.suite.fuzz.engine import FuzzSettings, drive
from mockserver.suite.identities.identities import Identities, require_known_schemes
from mockserver.suite.identities.seeded_accounts import seed_data, with_tokens
from mockserver.suite.run.preparation import invented, prepare, who_calls
from mockserver.suite.run.run_options import Options
from mockserver.suite.run.session import Run
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.processes import StubControl, StubProcess
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.verdict import RunOutcome

#: Where the process lists its mutants, with the number of requests that each has changed.
CONTROL_PATH = "/__mutants__/"
#: Generated cases for each operation, for a mutant that the checks of `check` leave alive.
_EXAMPLES = 10
#: A mutant that keeps clients waiting waits longer than this, and all other responses take milliseconds.
_SHORT_SECONDS = 0.3
_PROGRAM = ("mockserver.selftest",)


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Running process with all mutants, and the identities and connections to judge them with."""

    contract: Contract
    identities: Identities
    target: HttpTarget
    impatient: HttpTarget
    token: str
    seed: int
    _runs: Iterator[int] = field(default_factory=count)

    def run(self, prefix: str, only: Sequence[str] = (), *, slow: bool = False) -> Run:
        """Return a run of the suite in new worlds whose names begin with a prefix, which selects the mutant."""
        target = self.impatient if slow else self.target
        run = prepare(
            self.contract,
            target,
            self.identities,
            only=only,
            settle_seconds=0.0,
            control=StubControl(target, self.token),
        )
        run.world_prefix = f"{prefix}-{next(self._runs)}"
        return run

    def mutants(self) -> list[PlantedMutant]:
        """Return all mutants of the process, each with the number of requests that it has changed so far.

        Raises:
            MockServerError: the process does not respond.
        """
        request = WireRequest("GET", CONTROL_PATH, (("Authorization", f"Bearer {self.token}"),))
        response = self.target.send(request).response
        if response is None or not response.successful:
            raise MockServerError("the process that serves the mutants does not respond")
        return [_planted(raw) for raw in response.json()["mutants"]]

    def generate(self, run: Run, max_seconds: int | None = None) -> RunOutcome:
        """Send schemathesis' generated cases to the mutant of a run; failures go to the run's verdicts."""
        base = f"{run.target.base_url}/__world__/{run.world_prefix}-generated"
        assert isinstance(run.target, HttpTarget)
        target = HttpTarget(base, timeout_seconds=run.target.timeout_seconds, own_stub=True)
        try:
            within = prepare(
                self.contract, target, self.identities, only=[item.label for item in run.selected], settle_seconds=0.0
            )
            within.verdicts = run.verdicts
            return drive(within, FuzzSettings(max_examples=_EXAMPLES, max_seconds=max_seconds, seed=self.seed))
        finally:
            target.close()


@contextmanager
def laboratory(contract: Contract, options: Options, seed: int) -> Iterator[Laboratory]:
    """Start the process with the mutants of a contract; it ends with the context.

    Raises:
        UsageError: the identities file cannot be used.
        MockServerError: the process does not start.
    """
    seeded = options.own_seed_data
    identities = who_calls(options.identities, seed_data=seeded)
    require_known_schemes(identities, contract)
    identities = with_tokens(identities)
    more = [text for path in options.overlay for text in ("--overlay", str(path.resolve()))]
    with tempfile.TemporaryDirectory(prefix="mockserver-self-test-") as folder:
        if seeded is None:
            identities = identities if identities.all else invented(contract)
            accounts = Path(folder) / "seed.json"
            accounts.write_text(json.dumps(seed_data(identities)), encoding="utf-8")
            more += ["--seed-data", str(accounts)] if identities.all else []
        with StubProcess(options.contract, more, program=_PROGRAM, api=options.api) as process:
            target = HttpTarget(process.base_url, own_stub=True)
            impatient = HttpTarget(process.base_url, timeout_seconds=_SHORT_SECONDS, own_stub=True)
            try:
                yield Laboratory(contract, identities, target, impatient, process.control_token, seed)
            finally:
                target.close()
                impatient.close()


def _planted(raw: dict[str, Any]) -> PlantedMutant:
    return PlantedMutant(
        number=raw["id"],
        kind=raw["class"],
        theme=raw["theme"],
        operation=raw["operation"],
        signs=frozenset(FindingKey(*sign) for sign in raw["signs"]),
        slow=raw["slow"],
        equivalent=raw["equivalent"],
        acted=raw["acted"],
        broken=raw["broken"],
    )
