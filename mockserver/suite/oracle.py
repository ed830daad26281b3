"""The oracle: the same run on our own stub, so that what the contract itself gets wrong is not the server's fault.

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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mockserver import defaults
from mockserver.contract.building import load_contract
from mockserver.errors import MockServerError
from mockserver.suite import processes
from mockserver.suite.checking import check
from mockserver.suite.exchanges import Exchange, WireRequest, WireResponse
from mockserver.suite.identities import Identities, Identity
from mockserver.suite.interrupts import interruptible, terminable
from mockserver.suite.inventing import seeded
from mockserver.suite.originals import Originals
from mockserver.suite.preparing import prepare
from mockserver.suite.secrecy import Canaries
from mockserver.suite.stub_process import StubProcess
from mockserver.suite.targets import HttpTarget
from mockserver.suite.verdicts import Finding

if TYPE_CHECKING:
    from mockserver.suite.engine import FuzzSettings
    from mockserver.suite.session import Run

#: More failures than this share of the cases, and the contract is not fit to judge anybody by.
MAX_SHARE = 0.01
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the same run said of our own stub.

    Attributes:
        findings: what failed there, evidence included; each has the owner `contract`.
        cases: requests that were sent.
        touched: cases among them in which something failed.
        bare: labels of operations on which no claim held, so that nothing can be judged there.
    """

    findings: tuple[Finding, ...] = ()
    cases: int = 0
    touched: int = 0
    bare: tuple[str, ...] = ()

    @property
    def unfit(self) -> str:
        """Why the contract is not fit to judge by, "" if it is."""
        if self.bare:
            return f"our own stub keeps no claim of the contract on {', '.join(self.bare)}; mend the contract there"
        if self.touched > MAX_SHARE * self.cases:
            share = f"{100 * self.touched / self.cases:.1f} %" if self.cases else "all"
            return f"our own stub breaks the contract in {share} of the cases (at most 1 %); mend the contract first"
        return ""

    @property
    def summary(self) -> str:
        """One line for reports."""
        failed = f"{len(self.findings)} of the contract's own" if self.findings else "nothing"
        return f"{self.cases} requests to our own stub, {failed} failed"


class Oracle:
    """The run on our own stub, in a process that ends with the context, whatever happens."""

    def __init__(
        self,
        run: Run,
        command: str,
        settings: FuzzSettings | None,
        contract: Path | None,
        overlays: Sequence[Path] = (),
    ) -> None:
        self._spec = {
            "command": command,
            "contract": None if contract is None else str(contract.resolve()),
            "overlays": [str(path.resolve()) for path in overlays],
            "settings": None if settings is None else asdict(replace(settings, database="")),
            "accounts": [_account(identity) for identity in run.identities.all],
            "foreign": run.target.foreign,
            "allow_writes": list(run.policy.patterns),
            "restorable": sorted(run.policy.restorable),
            "only": [operation.label for operation in run.selected],
            "settle": run.settle_seconds,
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
        """Wait for the run on our own stub, and return what it said.

        Raises:
            MockServerError: it could not be made; with the last words of its process.
            KeyboardInterrupt: the user ended the run.
        """
        if self._opinion is None:
            assert self._process is not None
            assert self._process.stdout is not None
            with interruptible:
                answer = self._process.stdout.readline()
            if not answer.startswith("{"):
                words = processes.last_words(self._process)
                raise MockServerError(f"the run on our own stub could not be made: {words}")
            self._opinion = _opinion(json.loads(answer))
        return self._opinion


def _opinion(answer: Mapping[str, Any]) -> Opinion:
    if answer["error"]:
        raise MockServerError(f"the run on our own stub could not be made: {answer['error']}")
    return Opinion(
        findings=tuple(_finding(raw) for raw in answer["findings"]),
        cases=answer["cases"],
        touched=sum(raw["times"] for raw in answer["findings"]),
        bare=tuple(answer["bare"]),
    )


def _finding(raw: Mapping[str, Any]) -> Finding:
    """Return a finding as it was written by the other process, with its evidence."""
    evidence = raw["evidence"]
    fields = ("id", "level", "check", "operation", "title", "detail", "source", "pointer", "rule")
    return Finding(
        **{name: raw[name] for name in fields},
        owner="contract",
        times=raw["times"],
        evidence=None if evidence is None else _exchange(evidence),
    )


def _account(identity: Identity) -> dict[str, Any]:
    """Return what the other process may know of an identity: no secret."""
    return {
        "username": identity.username,
        "level": identity.level,
        "token": identity.token is not None or bool(identity.schemes),
        "password": identity.password is not None,
    }


# The other process.


def main() -> None:
    """Read a specification from standard input, make the run, and write one line of JSON to standard output."""
    spec = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with terminable(at_once=True):  # so that the stub is ended on the way out
            answer = _make(spec)
    except KeyboardInterrupt:
        sys.exit(1)
    except MockServerError as error:
        answer = {"error": str(error), "findings": [], "cases": 0, "bare": []}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _make(spec: Mapping[str, Any]) -> dict[str, Any]:
    contract = load_contract(spec["contract"] or defaults.CONTRACT, spec["overlays"])
    identities = _made_up(spec["accounts"])
    with _stub(spec["contract"], spec["overlays"], identities) as target:
        # The stub is asked as the target will be: what is withheld there is withheld here.
        target.foreign = spec["foreign"]
        run = prepare(
            contract,
            target,
            identities,
            allow_writes=spec["allow_writes"],
            only=spec["only"],
            settle_seconds=spec["settle"],
            originals=Originals(dict.fromkeys(spec["restorable"])),  # nothing is put back there, but it may be written
        )
        if spec["settings"] is None:
            outcome = check(run)
        else:
            from mockserver.suite.fuzzing import FuzzSettings, fuzz

            outcome = fuzz(run, FuzzSettings(**spec["settings"]))
        if outcome.interrupted:
            raise KeyboardInterrupt
        found = [finding for finding in run.verdicts.findings() if not _is_beyond_the_stub(finding)]
        beyond = {finding.operation for finding in run.verdicts.findings() if _is_beyond_the_stub(finding)}
        coverage = run.verdicts.coverage()
        kept = {item.operation for item in coverage if item.passed}
        tried = {item.operation for item in coverage if item.cases}
        return {
            "error": outcome.error,
            "findings": [_written(finding) for finding in found],
            "cases": target.governor.requests,
            "bare": sorted(tried - kept - beyond),
        }


@contextmanager
def _stub(contract: str | None, overlays: Sequence[str], identities: Identities) -> Iterator[HttpTarget]:
    with seeded(identities) as seed:
        options = [*seed, *(text for path in overlays for text in ("--overlay", path))]
        with StubProcess(None if contract is None else Path(contract), options) as stub:
            target = HttpTarget(stub.base_url)
            try:
                yield target
            finally:
                target.close()


def _made_up(accounts: Sequence[Mapping[str, Any]]) -> Identities:
    """Return identities like the run's, with secrets of their own."""
    canaries = Canaries()
    return Identities(
        tuple(
            Identity(
                username=account["username"],
                level=account["level"],
                token=canaries.make("token") if account["token"] else None,
                password=canaries.make("password") if account["password"] else None,
            )
            for account in accounts
        )
    )


def _written(finding: Finding) -> dict[str, Any]:
    """Return a finding for the parent; its secrets are made up, so it may see all of it."""
    return {
        **{name: getattr(finding, name) for name in ("id", "level", "check", "operation", "title", "detail")},
        **{name: getattr(finding, name) for name in ("source", "pointer", "rule", "times")},
        "evidence": None if finding.evidence is None else _plain(finding.evidence),
    }


def _is_beyond_the_stub(finding: Finding) -> bool:
    """Tell whether it is about an answer that says that the stub has none: that is not the contract's mistake."""
    response = finding.evidence.response if finding.evidence else None
    return response is not None and response.status == HTTPStatus.NOT_IMPLEMENTED


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
