"""`--example-database`: failures of earlier runs are stored and tried first in later runs, also by others.

A case is kept as what goes over the wire, without credentials, and not as Hypothesis' choices: those mean another case
after each change of the contract, and are gone with another version. The seeded cases do not depend on what is kept.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.database import ExampleDatabase as Store

from mockserver.contract.model import Operation
from mockserver.errors import UsageError
from mockserver.suite.cases.observed_response import observe
from mockserver.suite.cases.state_tracker import STATE_CHECKS, StateTracker, new_tracker
from mockserver.suite.checks.any_response import RESPONSE_CHECKS
from mockserver.suite.fuzz.reworded_failures import REWORDED
from mockserver.suite.identities.identities import credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.secrets.known_secrets import Secrets
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, failures_in
from mockserver.suite.verdicts.graded_findings import Finding
from mockserver.suite.verdicts.verdict import RunOutcome

VERSION = 1
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})
#: Fields that only say where or how a request travels.
_DROPPED = frozenset({"mock-world", "user-agent", "host"})
_VARIABLE = re.compile(r"\$([A-Z][A-Z0-9_]*)")
_MADE_UP = "SENT_SECRET_"
#: Checks whose failures are stored: those of responses and of state. Credential checks are made in each run anyway.
_CHECKS = frozenset(check.__name__ for check in (*RESPONSE_CHECKS, *STATE_CHECKS)) | REWORDED
_REDIS = ("redis", "rediss", "unix")


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A failure of an earlier run, with the requests that showed it.

    Attributes:
        label: the operation, as reports name it.
        status: status code of the last response.
        requests: method, path, fields and content in base64 each; a field without a value is the identity's own.
    """

    id: str
    check: str
    label: str
    title: str
    expected: str
    pointer: str
    rule: str
    status: int
    requests: tuple[tuple[str, str, tuple[tuple[str, str | None], ...], str | None], ...]


class FailureDatabase:
    """The stored failures of earlier runs, in a folder or on a Redis server."""

    def __init__(self, place: str, secrets: Secrets) -> None:
        """Open a database at a folder or at the URL of a Redis server.

        Raises:
            UsageError: it cannot be used; the message does not show the URL's password.
        """
        self._place = _public(place)
        self._store: Store
        if urlsplit(place).scheme in _REDIS:
            password = urlsplit(place).password
            if password:
                secrets.add("EXAMPLE_DATABASE_PASSWORD", password)
            self._store = self._redis(place)
        elif "://" in place:
            raise UsageError(f"--example-database {self._place}: is neither a folder nor redis://HOST:PORT/NUMBER")
        else:
            self._store = self._folder(Path(place))

    def _folder(self, path: Path) -> Store:
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / ".mockserver"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise UsageError(f"--example-database {path}: cannot be written: {error.strerror}") from error
        return DirectoryBasedExampleDatabase(path)

    def _redis(self, url: str) -> Store:
        try:
            import redis
            from hypothesis.extra.redis import RedisExampleDatabase
        except ImportError as error:
            raise UsageError(
                f"--example-database {self._place}: needs the package redis: pip install 'mockserver[redis]'"
            ) from error
        try:
            client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
            client.ping()
        except (redis.RedisError, ValueError) as error:
            raise UsageError(
                f"--example-database {self._place}: no Redis server responds there ({type(error).__name__})"
            ) from error
        return RedisExampleDatabase(client, key_prefix=b"mockserver:")

    def known(self, operation: Operation) -> Iterator[tuple[bytes, KnownFailure]]:
        """Yield the stored failures of an operation; entries of other versions are skipped."""
        for raw in sorted(self._store.fetch(_key(operation.label))):
            try:
                value = json.loads(raw)
                version = value.pop("version")
                if version == VERSION:
                    yield raw, KnownFailure(**{**value, "requests": tuple(map(tuple, value["requests"]))})
            except (ValueError, TypeError, KeyError, AttributeError):
                continue

    def keep(self, known: KnownFailure) -> None:
        """Store a failure, replacing stored ones of the same cause."""
        key = _key(known.label)
        raw = json.dumps({"version": VERSION, **asdict(known)}, sort_keys=True).encode()
        for other in list(self._store.fetch(key)):
            if other != raw and f'"id": "{known.id}"'.encode() in other:
                self._store.delete(key, other)
        self._store.save(key, raw)

    def forget(self, known: KnownFailure, raw: bytes) -> None:
        """Delete a stored failure that does not occur any more."""
        self._store.delete(_key(known.label), raw)


def keep_failures(run: Run, database: FailureDatabase) -> None:
    """Store the failures of a run, so that the next run tries them first."""
    for finding in run.verdicts.findings():
        if finding.check in _CHECKS and finding.owner != "environment":
            known = _known(run, finding)
            if known is not None:
                database.keep(known)


def replay(run: Run, database: FailureDatabase) -> RunOutcome:
    """Send the requests of stored failures of the run's operations again; the results are in `run.verdicts`."""
    cases = [
        (operation, raw, known)
        for operation in run.selected
        if run.division.owns(operation.label)
        for raw, known in database.known(operation)
    ]
    if not cases:
        return RunOutcome()
    run.progress.phase("known failures", len(cases))
    try:
        for operation, raw, known in cases:
            session = Session(run)
            if not _fails(session, operation, known):
                database.forget(known, raw)
            session.close()
            run.progress.step(operation.label)
    except KeyboardInterrupt:
        return RunOutcome(interrupted=True)
    return RunOutcome()


def _fails(session: Session, operation: Operation, known: KnownFailure) -> bool:
    """Send the requests of a stored failure; tell whether it still occurs, or could not be tried."""
    run = session.run
    tracker = new_tracker(run)
    tracker.session = session
    last: Exchange | None = None
    try:
        for stored in known.requests:
            request = _request(run, session, operation, stored)
            meant = run.resolver.methods_at(request.path).get(request.method)
            if meant is not None:
                last = Exchange(request, session.call(meant, request))
                _track(run, tracker, meant, last)
            else:
                last = session.probe(known.label, request)
    except NotRun as reason:
        run.verdicts.not_run("known_failures", operation.label, str(reason))
        return True
    if any(finding.id == known.id for finding in run.verdicts.findings()):
        return True
    response = last.response if last is not None else None
    if known.check not in REWORDED or response is None or response.status != known.status:
        return False
    run.verdicts.failed(_again(known, last, response))
    return True


def _track(run: Run, tracker: StateTracker, operation: Operation, exchange: Exchange) -> None:
    observed = observe(run.contract, operation, operation.label, exchange, run.secrets)
    for check in STATE_CHECKS if observed is not None else ():
        assert observed is not None
        try:
            check(tracker, observed)
        except (CheckFailure, ExceptionGroup) as error:
            for failure in failures_in(error):
                run.verdicts.failed(failure)


def _again(known: KnownFailure, exchange: Exchange | None, response: WireResponse) -> CheckFailure:
    """Return the failure of a stored check for a response that has the same status code as then."""
    return CheckFailure(
        known.check,
        known.label,
        known.title,
        expected=known.expected,
        got=str(response.status),
        pointer=known.pointer,
        rule=known.rule,  # type: ignore[arg-type]  # it was one when it was kept
        exchange=exchange,
    )


def _known(run: Run, finding: Finding) -> KnownFailure | None:
    """Return a finding as a failure to be stored, None if its requests cannot be sent again."""
    exchange = finding.evidence
    if exchange is None or exchange.response is None or run.contract.by_label.get(finding.operation) is None:
        return None
    requests = tuple(_stored(run, step.request) for step in (*exchange.history, exchange))
    mask = run.secrets.mask
    return KnownFailure(
        id=finding.id,
        check=finding.check,
        label=finding.operation,
        title=mask(finding.title),
        expected=mask(finding.detail.removeprefix("expected ").partition("; got ")[0]),
        pointer=finding.pointer,
        rule=finding.rule,
        status=exchange.response.status,
        requests=requests,
    )


def _stored(run: Run, request: WireRequest) -> tuple[str, str, tuple[tuple[str, str | None], ...], str | None]:
    mask = run.secrets.mask
    fields: list[tuple[str, str | None]] = []
    for name, value in request.fields:
        if name.lower() in _DROPPED:
            continue
        secret = mask(value) != value
        if name.lower() in _CREDENTIALS or not secret:
            fields.append((name, None if secret else value))
    body = None if request.body is None else base64.b64encode(mask(request.body.decode("latin-1")).encode("latin-1"))
    return request.method, mask(request.path), tuple(fields), None if body is None else body.decode()


def _request(run: Run, session: Session, operation: Operation, stored: Any) -> WireRequest:
    """Return a stored request with the current run's credentials and secrets.

    Raises:
        NotRun: it held a secret that this run does not know.
    """
    method, path, fields, body = stored
    identity = run.allowed(operation)
    shown = credentials(run.contract, operation, identity) if identity is not None else None
    own = dict(shown[0]) if shown else {}
    made = [(name, own.get(name) if value is None else value) for name, value in fields]
    content = None if body is None else _filled(run, base64.b64decode(body).decode("latin-1")).encode("latin-1")
    known = tuple((name, value) for name, value in made if value is not None)
    return session.in_world(WireRequest(method, _filled(run, path), known, content))


def _filled(run: Run, text: str) -> str:
    """Return a text with `$NAME` replaced by the current run's secret of that name."""
    values: Mapping[str, str] = {name: value for identity in run.identities.all for name, value in identity.secrets()}

    def value(match: re.Match[str]) -> str:
        if match[1] in values:
            return values[match[1]]
        if match[1].startswith(_MADE_UP):
            return run.canaries.make("of an earlier run")
        if match[1].endswith(("_SESSION_TOKEN", "DATABASE_PASSWORD")):
            raise NotRun(f"it needs ${match[1]}, which this run does not know")
        return match[0]

    return _VARIABLE.sub(value, text)


def _key(label: str) -> bytes:
    return f"mockserver/{label}".encode()


def _public(place: str) -> str:
    """Return a folder or URL without user name and password."""
    parts = urlsplit(place)
    return place if "@" not in parts.netloc else parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
