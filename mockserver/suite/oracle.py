"""The oracle: the same run on our own stub, to tell mistakes of the contract from those of the server.

::

    run ── consult() ── python -m mockserver.suite.oracle ── HTTP ── a stub of its own, in a fresh world
     │                        │
     └── verdicts.excuse(findings) ◄── report in version 1

A process of its own, with accounts like those of the run and made-up secrets: nothing of the user's is told to it, and
on a machine with two cores it costs little time. See docs/decisions/0023-oracle-first.md.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mockserver.contract.model import Contract
from mockserver.errors import MockServerError
from mockserver.plugins.discovery import load
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.run.check_run import check
from mockserver.suite.run.interrupts import interruptible, terminable
from mockserver.suite.run.preparation import prepare, seeded
from mockserver.suite.safety.original_values import OriginalValues
from mockserver.suite.secrets.known_secrets import Canaries
from mockserver.suite.selection.chosen_checks import ChosenChecks
from mockserver.suite.survey.given_values import load_values
from mockserver.suite.target import processes
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.target.processes import StubProcess
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.graded_findings import Finding

if TYPE_CHECKING:
    from mockserver.suite.fuzz.engine import FuzzSettings
    from mockserver.suite.run.run_options import Options
    from mockserver.suite.run.session import Run

#: Share of an operation's cases that may contradict the contract on our own stub without a note in the report.
MAX_SHARE = 0.5
_STOP_SECONDS = 10.0
_PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Count:
    """For one operation: the responses of our own stub, and how many of them contradict the contract."""

    operation: str
    cases: int
    touched: int

    @property
    def unfit(self) -> bool:
        """Whether most responses of our own stub contradict the contract for this operation."""
        return self.touched > MAX_SHARE * self.cases


@dataclass(frozen=True, slots=True)
class Opinion:
    """Results of the oracle: of the same run against our own stub.

    Attributes:
        failures: what contradicts the contract there, each with its fingerprint.
        counts: of each operation that succeeded or failed there.
        ended: why the run there ended early, "" if it did not.
    """

    failures: tuple[tuple[str, Finding], ...] = ()
    counts: tuple[Count, ...] = ()
    ended: str = ""

    @property
    def unfit(self) -> str:
        """Why no server can be judged by the contract, "" unless our stub contradicts it on every operation."""
        if not self.counts or not all(count.unfit for count in self.counts):
            return ""
        worst = max(self.counts, key=lambda count: count.touched)
        return (
            f"our own stub contradicts the contract on every operation ({worst.operation}: {worst.touched} of "
            f"{worst.cases} cases); mend the contract, or judge without our stub: --no-oracle"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for the report about our own stub's contradictions to the contract."""
        told = [
            f"our own stub contradicts the contract in {count.touched} of {count.cases} cases of {count.operation}: "
            "mend the contract there, or judge without our stub (--no-oracle)"
            for count in self.counts
            if count.unfit
        ]
        if self.ended:
            told.append(f"the run on our own stub ended early: {self.ended}")
        return tuple(told)


class Oracle:
    """The same run on our own stub, in a process that ends with the context."""

    def __init__(
        self,
        run: Run,
        command: str,
        settings: FuzzSettings | None,
        options: Options,
    ) -> None:
        self._spec = {
            "command": command,
            "contract": None if options.contract is None else str(options.contract.resolve()),
            "api": options.api,
            "overlays": [str(path.resolve()) for path in options.overlay],
            "settings": None if settings is None else asdict(replace(settings, database="")),
            "accounts": [_account(identity) for identity in run.identities.all],
            "foreign": run.target.foreign,
            "allow_writes": list(run.policy.patterns),
            "restorable": sorted(run.policy.restorable),
            "only": [operation.label for operation in run.selected],
            "checks": sorted(run.checks.only),
            "exclude_checks": sorted(run.checks.left_out),
            "settle": run.settle_seconds,
            "values": None if options.values is None else str(options.values.resolve()),
            "own_fields": sorted(run.identities.own_fields),
        }
        self._process: subprocess.Popen[str] | None = None
        self._opinion: Opinion | None = None

    def __enter__(self) -> Oracle:
        self._process = processes.start("mockserver.suite.oracle", self._spec)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            processes.end(process, _STOP_SECONDS)

    def opinion(self) -> Opinion:
        """Wait for the run on our own stub and return its results.

        Raises:
            MockServerError: it could not be made; with the last words of its process.
            KeyboardInterrupt: the user ended the run.
        """
        if self._opinion is None:
            assert self._process is not None
            assert self._process.stdout is not None
            with interruptible:
                result = self._process.stdout.readline()
            if not result.startswith("{"):
                words = processes.last_words(self._process)
                raise MockServerError(f"the run on our own stub could not be made: {words}")
            self._opinion = _opinion(json.loads(result))
        return self._opinion


def _opinion(result: Mapping[str, Any]) -> Opinion:
    if result["error"]:
        raise MockServerError(f"the run on our own stub could not be made: {result['error']}; try --no-oracle")
    return Opinion(
        failures=tuple((raw["fingerprint"], _finding(raw)) for raw in result["failures"]),
        counts=tuple(Count(*count) for count in result["counts"]),
        ended=result["ended"],
    )


def _finding(raw: Mapping[str, Any]) -> Finding:
    """Return a finding from the JSON of the other process, with its evidence."""
    evidence = raw["evidence"]
    fields = ("id", "level", "check", "operation", "title", "detail", "source", "pointer", "rule")
    return Finding(
        **{name: raw[name] for name in fields},
        times=raw["times"],
        evidence=None if evidence is None else _exchange(evidence),
    )


def _account(identity: Identity) -> dict[str, Any]:
    """Return what the other process is told about an identity: no secrets."""
    return {
        "username": identity.username,
        "level": identity.level,
        "token": identity.token is not None or identity.issued is not None or identity.needs_no_scheme,
        "schemes": list(identity.schemes),
        "password": identity.password is not None,
    }


# The other process.


def main() -> None:
    """Read a specification from standard input, make the run, and write its result as one line of JSON."""
    spec = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with terminable(at_once=True):  # so that the stub is ended on the way out
            result = _make(spec)
    except KeyboardInterrupt:
        sys.exit(1)
    except MockServerError as error:
        result = {"error": str(error)}
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def _make(spec: Mapping[str, Any]) -> dict[str, Any]:
    file = None if spec["contract"] is None else Path(spec["contract"])
    contract = load(file, spec["api"], spec["overlays"])
    identities = _made_up(spec["accounts"])
    with _stub(file, spec["api"], spec["overlays"], identities) as target:
        # The stub is asked as the target will be: what is withheld there is withheld here.
        target.foreign = spec["foreign"]
        run = prepare(
            contract,
            target,
            identities,
            allow_writes=spec["allow_writes"],
            only=spec["only"],
            checks=ChosenChecks(frozenset(spec["checks"]), frozenset(spec["exclude_checks"])),
            settle_seconds=spec["settle"],
            # Nothing is put back there, but it may be written.
            originals=OriginalValues(dict.fromkeys(spec["restorable"])),
            given=load_values(None if spec["values"] is None else Path(spec["values"]), contract),
        )
        run.oracle = True
        run.fingerprints.leave_out(spec["own_fields"])
        if spec["settings"] is None:
            outcome = check(run)
        else:
            from mockserver.suite.run.fuzz_run import FuzzSettings, fuzz

            outcome = fuzz(run, FuzzSettings(**spec["settings"]))
        if outcome.interrupted:
            raise KeyboardInterrupt
        found = [item for item in run.verdicts.failures() if _contradicts(contract, item[1])]
        return {
            "error": "",
            "ended": outcome.error,
            "failures": [{"fingerprint": fingerprint, **_written(finding)} for fingerprint, finding in found],
            "counts": _counts(run, [finding for _, finding in found]),
        }


def _counts(run: Run, found: Sequence[Finding]) -> list[tuple[str, int, int]]:
    """Return label, number of responses and number of contradictions for each operation.

    A case that contradicts several statements counts once: what counts is the cause that most cases have.
    """
    times = Counter[tuple[str, str]]()
    for finding in found:
        times[finding.operation, finding.id] += finding.times
    touched: dict[str, int] = {}
    for (label, _), number in times.items():
        touched[label] = max(number, touched.get(label, 0))
    cases = {operation.label: sum(run.verdicts.statuses.of(operation.label).values()) for operation in run.selected}
    return [(label, count, min(count, touched.get(label, 0))) for label, count in cases.items() if count]


def _contradicts(contract: Contract, finding: Finding) -> bool:
    """Tell whether a failure of our own stub is the contract's fault: the stub breaks one of its statements.

    Not so: that the contract is silent; what no contract could excuse (a universal rule); a response that says that the
    stub has none; our own problem details where the contract lists no error.
    """
    if finding.check == "valid_requests_are_accepted":
        return True  # what our stub refuses, too, may be no valid request
    if finding.rule not in {"contract", "oracle"}:
        return False
    response = finding.evidence.response if finding.evidence else None
    if response is None:
        return True
    if response.status == HTTPStatus.NOT_IMPLEMENTED:
        return False
    operation = contract.by_label.get(finding.operation)
    documented = operation.response_for(response.status) if operation is not None else None
    ours = response.media_type == _PROBLEM
    return not ours or (documented is not None and _PROBLEM in documented.content)


@contextmanager
def _stub(
    contract: Path | None, api: str | None, overlays: Sequence[str], identities: Identities
) -> Iterator[HttpTarget]:
    with seeded(identities) as seed:
        options = [*seed, *(text for path in overlays for text in ("--overlay", path))]
        with StubProcess(contract, [*options, "--strict"], api=api) as stub:
            target = HttpTarget(stub.base_url, own_stub=True)
            try:
                yield target
            finally:
                target.close()


def _made_up(accounts: Sequence[Mapping[str, Any]]) -> Identities:
    """Return identities like the run's, with made-up secrets."""
    canaries = Canaries()
    return Identities(
        tuple(
            Identity(
                username=account["username"],
                level=account["level"],
                token=canaries.make("token") if account["token"] else None,
                schemes={name: canaries.make(name) for name in account["schemes"]},
                password=canaries.make("password") if account["password"] else None,
            )
            for account in accounts
        )
    )


def _written(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON for the parent process, unmasked, since its secrets are made up."""
    return {
        **{name: getattr(finding, name) for name in ("id", "level", "check", "operation", "title", "detail")},
        **{name: getattr(finding, name) for name in ("source", "pointer", "rule", "times")},
        "evidence": None if finding.evidence is None else _plain(finding.evidence),
    }


def _plain(exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    return {
        "request": [request.method, request.path, request.fields, _text(request.body)],
        "response": None if response is None else [response.status, response.fields, _text(response.body)],
        "problem": exchange.problem,
        "history": [_plain(step) for step in exchange.history],
    }


def _exchange(raw: Mapping[str, Any]) -> Exchange:
    method, path, fields, body = raw["request"]
    response = raw["response"]
    return Exchange(
        WireRequest(method, path, _fields(fields), _bytes(body)),
        None if response is None else WireResponse(response[0], _fields(response[1]), _bytes(response[2]) or b""),
        raw["problem"],
        tuple(map(_exchange, raw["history"])),
    )


def _fields(raw: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in raw)


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("latin-1")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("latin-1")


def _end_with_parent() -> None:
    sys.stdin.read()  # ends when the parent closes it, or is gone
    signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    main()
