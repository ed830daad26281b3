"""Runs of the suite on a small contract and a server of a few lines."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from werkzeug.wrappers import Request, Response

from mockserver.contract.reading.document import load_contract
from mockserver.suite.checks import robustness
from mockserver.suite.fuzz.engine import FuzzSettings
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.run.check_run import check
from mockserver.suite.run.fuzz_run import fuzz
from mockserver.suite.run.lifecycle import run_command
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.run_options import Options
from mockserver.suite.run.session import Run
from mockserver.suite.target.exchange import parse_json
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.graded_findings import Finding
from mockserver.suite.verdicts.tally import Coverage
from mockserver.suite.verdicts.verdict import RunOutcome
from tests.faults.server import Application, serving
from tests.faults.verdicts import exit_code
from tests.wsgi_target import WsgiTarget

#: What a server of a few lines answers: status, value of the content (None for none), more fields.
Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]
Handler = Callable[[Request], Answer]
#: Large enough for servers of a few lines.
_LARGE_BYTES = 100_000


class Judged(NamedTuple):
    """What a run came to."""

    exit_code: int
    found: tuple[Finding, ...]
    coverage: tuple[Coverage, ...]
    run: Run

    def at(self, level: str) -> list[tuple[str, str, str]]:
        """Return check, operation and title of each finding of a level."""
        return [(one.check, one.operation, one.title) for one in self.found if one.level == level]

    def result(self, check: str, operation: str) -> tuple[str, str]:
        """Return how a check fared on an operation, and why."""
        rows = [row for row in self.coverage if (row.check, row.operation) == (check, operation)]
        assert len(rows) == 1, f"{check} on {operation} has {len(rows)} rows"
        return rows[0].result, rows[0].why


class Told(NamedTuple):
    """What a command came to."""

    exit_code: int
    page: str
    report: dict[str, Any]

    @property
    def first(self) -> str:
        """The first line of the page."""
        return self.page.partition("\n")[0]

    def titles(self, level: str) -> list[tuple[str, str]]:
        """Return operation and title of each finding of a level."""
        return [(one["operation"], one["title"]) for one in self.report["findings"] if one["level"] == level]


class _PlayedTime:
    """A clock that only its own sleep moves."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Return seconds since the start."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let time pass, at once."""
        self._now += seconds


def content_of(call: Request) -> Any:
    """Return the JSON value of a request's content, None where it is none that a server would take."""
    try:
        value = parse_json(call.get_data())
        json.dumps(value, ensure_ascii=False).encode()  # half of a pair of surrogates is no text
    except ValueError:
        return None
    return value


def application(handler: Handler) -> Application:
    """Return the WSGI application of a handler; its contents are JSON unless its fields say otherwise."""

    def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        status, value, *more = handler(Request(environ))
        body = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        response = Response(body, status, more[0] if more else {})
        if not more or "Content-Type" not in more[0]:
            response.headers.pop("Content-Type")
        if value is not None:
            response.headers.setdefault("Content-Type", "application/json")
        return response(environ, start_response)

    return answer


def checked(path: Path, handler: Handler, *identities: Identity, only: Iterable[str] = ()) -> Judged:
    """Return what `check` makes of a server, in this process; nobody waits for what does not show."""
    run = prepare(load_contract(path), WsgiTarget(application(handler)), Identities(identities), only=list(only))
    time = _PlayedTime()
    run.poller.clock, run.poller.sleep = time.now, time.sleep
    with patch.object(robustness, "LARGE_BYTES", _LARGE_BYTES):
        return _judged(run, check(run))


def fuzzed(path: Path, handler: Handler, *identities: Identity, max_examples: int = 5) -> Judged:
    """Return what `fuzz` makes of a server, over a socket."""
    with _served(path, handler, identities) as run:
        return _judged(run, fuzz(run, FuzzSettings(max_examples=max_examples, seed=1)))


def commanded(command: str, server: Application, folder: Path, *, base: str = "", **options: Any) -> Told:
    """Return what a command tells of a server, made in this process.

    The options are those of `Options`, and `max_examples` of `fuzz`. Our own stub is not asked, unless they say so.
    """
    report = folder / "report.json"
    examples = options.pop("max_examples", None)
    settings = None if examples is None else FuzzSettings(max_examples=examples, seed=1)
    options = {"no_oracle": True, "settle": 0.2, **options}
    page = io.StringIO()
    with (
        serving(server) as url,
        redirect_stdout(page),
        redirect_stderr(io.StringIO()),
        patch.object(robustness, "LARGE_BYTES", _LARGE_BYTES),
    ):
        code = run_command(command, Options(target=url + base, report=(f"json={report}",), **options), settings)
    return Told(code, page.getvalue(), json.loads(report.read_text(encoding="utf-8")))


def checked_over_http(path: Path, handler: Handler, *, timeout_seconds: float, late_seconds: float) -> Judged:
    """Return what `check` makes of a server that may keep silent, over a socket."""
    with _served(path, handler, (), timeout_seconds) as run:
        assert isinstance(run.target, HttpTarget)
        run.target.late_seconds = late_seconds
        return _judged(run, check(run))


@contextmanager
def _served(
    path: Path, handler: Handler, identities: tuple[Identity, ...], timeout_seconds: float | None = None
) -> Iterator[Run]:
    with serving(application(handler)) as url:
        target = HttpTarget(url, timeout_seconds=timeout_seconds)
        try:
            yield prepare(load_contract(path), target, Identities(identities))
        finally:
            target.close()


def _judged(run: Run, outcome: RunOutcome) -> Judged:
    return Judged(exit_code(run, outcome), run.verdicts.findings(), run.verdicts.coverage(), run)
