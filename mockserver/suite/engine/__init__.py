"""schemathesis, driven: the one module that knows its insides (pinned to 4.32.5; docs/decisions/0010)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests
import schemathesis
from hypothesis.errors import UnsatisfiedAssumption
from schemathesis import checks as schemathesis_checks
from schemathesis.core.errors import NoLinksFound
from schemathesis.core.failures import Failure
from schemathesis.engine import Status, StopReason, events, from_schema
from schemathesis.engine.errors import ServerUnavailable, UnrecoverableNetworkError

from mockserver.contract.model import SAFE_METHODS, Operation
from mockserver.errors import MockServerError
from mockserver.suite.checks.answers import ANSWER_CHECKS, Answer, AnswerCheck, see
from mockserver.suite.connections import is_refused
from mockserver.suite.engine.surroundings import no_files_in_the_users_folder, rare_collections
from mockserver.suite.engine.transport import Silence, short_way, wire_request, wire_response
from mockserver.suite.exchanges import Exchange
from mockserver.suite.identities import Identity, credentials
from mockserver.suite.policy import PROBES, is_login
from mockserver.suite.session import Run, Session
from mockserver.suite.targets import HttpTarget
from mockserver.suite.translation import ForeignFailure, translate
from mockserver.suite.verdicts import CheckFailure, NotRun, Outcome, failures_in
from mockserver.suite.watch import WATCH_CHECKS, Watch, WatchCheck, start_watch

_PROBE_METHODS = ("get", "put", "post", "delete", "options", "patch", "trace")


@dataclass(frozen=True, slots=True)
class FuzzSettings:
    """How much is generated, and from which seed."""

    max_examples: int = 50
    max_seconds: int | None = None
    seed: int = 0


def drive(run: Run, settings: FuzzSettings) -> Outcome:
    """Let schemathesis send its cases to the run's target; what they show is in `run.verdicts`.

    The same seed sends the same cases: one worker, no example database, no cache, nothing learnt on the way.
    """
    if not isinstance(run.target, HttpTarget):
        raise MockServerError("the engine needs a server; a WSGI application is fuzzed by pytest")
    judge = _Judge(run, start_watch(run))
    with ExitStack() as stack:
        stack.enter_context(no_files_in_the_users_folder())
        stack.enter_context(rare_collections())
        stack.enter_context(short_way(run, run.target))
        stack.enter_context(_registered(judge))
        schema = _schema(run, settings)
        if schema is None:
            return Outcome(error="no operation can be fuzzed; see what is not run, and why")
        return _consume(schema, judge)


def _consume(schema: Any, judge: _Judge) -> Outcome:
    stream = from_schema(schema).execute()
    interrupted = False
    try:
        for event in stream:
            judge.take(event)
            if judge.run.target.governor.stopped:
                stream.stop()
    except KeyboardInterrupt:
        interrupted = True
        stream.stop()
        for event in stream:
            judge.take(event)
    if interrupted or judge.interrupted:
        return Outcome(interrupted=True)
    if judge.run.target.governor.stopped:
        return Outcome(error=judge.run.target.governor.stopped)
    if judge.errors:
        return Outcome(error=judge.errors[0])
    if not judge.cases:
        return Outcome(error="no case was generated, so nothing was tested")
    return Outcome()


def _schema(run: Run, settings: FuzzSettings) -> Any:
    """Return the contract as schemathesis takes it, with what may and can be called; None if nothing can."""
    possible = {operation.label for operation in run.selected if _is_possible(run, operation)}
    if not possible:
        return None
    probes = not run.target.foreign or PROBES in run.policy.patterns
    config = schemathesis.Config.from_dict(
        {
            "base-url": run.target.base_url,
            "seed": settings.seed,
            "workers": 1,
            "continue-on-failure": True,
            "max-redirects": 0,
            "request-timeout": run.target.timeout_seconds if isinstance(run.target, HttpTarget) else 10,
            "cache": {"enabled": False},
            # It compares what two users of the same level see, and is never told of two.
            "checks": {"object_level_authorization": {"enabled": False}},
            **({"max-time": settings.max_seconds} if settings.max_seconds else {}),
            "generation": {
                "max-examples": settings.max_examples,
                "database": "none",
                # The smallest of many cases is kept anyway; shrinking repeats requests by the hundred.
                "no-shrink": True,
                # Credentials are the matter of `check`; here they would give every GET a hundred cases.
                "with-security-parameters": False,
            },
            "phases": {
                "examples": {"extra-data-sources": {"responses": False}},
                "coverage": {
                    "extra-data-sources": {"responses": False},
                    "unexpected-methods": [
                        method for method in _PROBE_METHODS if probes or method.upper() in SAFE_METHODS
                    ],
                },
                "fuzzing": {
                    "extra-data-sources": {"responses": False},
                    "error-feedback": {"enabled": False},
                },
                "stateful": {"inference": {"algorithms": ["dependency-analysis"]}, "link-calibration": False},
            },
        }
    )
    whole = schemathesis.openapi.from_dict(copy.deepcopy(run.contract.document.data), config=config)
    schema = whole.include(lambda ctx: ctx.operation.label in possible)
    schema.auth(refresh_interval=None)(_provider(run))
    return schema


def _is_possible(run: Run, operation: Operation) -> bool:
    """Tell whether an operation may be called, and by somebody who is there; if not, the report says so."""
    why = run.policy.refusal(operation.method, operation)
    if why is None and operation.security:
        try:
            identity = run.allowed(operation)
            if identity is None or credentials(run.contract, operation, identity) is None:
                why = "no identity has a credential of the kind that it needs"
            elif operation.effect == "credentials" and not _can_log_in(run, identity):
                why = "it ends the token that it is called with, and there is no login to get another one"
        except NotRun as reason:
            why = str(reason)
    if why is not None:
        run.verdicts.not_run("fuzz", operation.label, why)
    return why is None


def _can_log_in(run: Run, identity: Identity) -> bool:
    return identity.password is not None and any(map(is_login, run.contract.operations))


def _provider(run: Run) -> type:
    """Return the class through which schemathesis gives each case its credentials."""
    session = Session(run, fresh=False)

    class Provider:
        def get(self, case: Any, _context: Any) -> Identity | None:
            operation = _operation_of(run, case)
            if operation is None or not operation.security:
                return None
            identity = run.allowed(operation)
            if identity is not None and operation.effect == "credentials":
                try:
                    return session.login(identity)
                except NotRun:
                    return None  # whatever keeps a login from working is a finding of its own
            return identity

        def set(self, case: Any, data: Identity, _context: Any) -> None:
            operation = _operation_of(run, case)
            assert operation is not None
            shown = credentials(run.contract, operation, data)
            for name, value in shown[0] if shown else ():
                case.headers[name] = value
            for name, value in shown[1] if shown else ():
                case.query[name] = value

    return Provider


def _operation_of(run: Run, case: Any) -> Operation | None:
    return run.contract.by_label.get(case.operation.label)


class InProcess:
    """Cases for a WSGI application in this process, for pytest: schemathesis' engine cannot drive one.

    Attributes:
        schema: what `schemathesis.pytest.from_fixture` takes.
    """

    def __init__(self, run: Run, application: Any, settings: FuzzSettings) -> None:
        self._judge = _Judge(run, start_watch(run))
        self.schema = _schema(run, settings)
        self.schema.app = application

    def judge(self, case: Any) -> list[str]:
        """Send a case, and return which of our claims its answer breaks."""
        response = case.call()
        found: list[str] = []
        for name, claim in _claims(self._judge):
            try:
                claim(case, response)
            except (CheckFailure, ExceptionGroup) as error:
                found += [f"{name}: {failure}" for failure in failures_in(error)]
        return found


@dataclass(slots=True)
class _Judge:
    """Makes our claims on each answer inside schemathesis, and turns its events into verdicts."""

    run: Run
    watch: Watch
    cases: int = 0
    errors: list[str] = field(default_factory=list)
    interrupted: bool = False
    _last: tuple[Any, Answer] | None = None

    def answer(self, case: Any, request: Any, response: Any) -> Answer:
        """Return an exchange beside what the contract says of it; kept for the checks that follow."""
        if self._last is not None and self._last[0] is response:
            return self._last[1]
        sent = wire_request(self.run, request)
        meant = self.run.resolver.methods_at(sent.path).get(sent.method)
        exchange = Exchange(sent, wire_response(response))
        answer = see(self.run.contract, meant, _label(case), exchange, self.run.secrets)
        assert answer is not None
        if meant is not None:
            self.run.verdicts.saw(meant.label, answer.response)
        self._last = (response, answer)
        return answer

    def take(self, event: Any) -> None:
        """Take what an event of the engine tells."""
        if isinstance(event, events.PhaseStarted):
            self.run.progress.phase(event.phase.name.value.lower())
        elif isinstance(event, events.ScenarioFinished):
            self._take_scenario(event.recorder)
            self.run.progress.step(event.label or "", len(event.recorder.interactions))
        elif isinstance(event, events.NonFatalError):
            self._take_error(event.label, event.value)
        elif isinstance(event, events.FatalError):
            self._take_error("schemathesis", event.exception)
        elif isinstance(event, events.Interrupted):
            self.interrupted = True
        elif isinstance(event, events.EngineFinished):
            self.interrupted = self.interrupted or event.stop_reason is StopReason.INTERRUPTED
            if event.stop_reason is StopReason.SERVER_UNAVAILABLE:
                self.errors.append(f"nothing listens at {self.run.target.base_url} any more")

    def _take_error(self, label: str, error: BaseException) -> None:
        cause = error.__cause__ if isinstance(error, UnrecoverableNetworkError) else error
        if isinstance(error, NoLinksFound | UnsatisfiedAssumption):
            return  # `--only` left no two linked operations, so no sequences to try; or the governor lets none through
        if isinstance(error, ServerUnavailable) or (isinstance(cause, Exception) and is_refused(cause)):
            self.errors.append(f"nothing listens at {self.run.target.base_url}")
        elif isinstance(error, Silence | UnrecoverableNetworkError | requests.RequestException):
            # The adapter reported the silence with its evidence; one that did not repeat is no finding.
            if not any(self.run.silences.values()):
                self.errors.append(f"{label}: {type(error).__name__}")
        else:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            self.errors.append(f"schemathesis failed on {label}: {type(error).__name__}: {first}")

    def _take_scenario(self, recorder: Any) -> None:
        self.cases += len(recorder.interactions)
        for case_id, nodes in recorder.checks.items():
            case = recorder.cases[case_id].value
            interaction = recorder.interactions.get(case_id)
            if interaction is None or interaction.response is None:
                continue
            self._take_case(case, interaction.response, nodes)

    def _take_case(self, case: Any, response: Any, nodes: list[Any]) -> None:
        own = {failure.check for node in nodes for failure in _own_failures(node)}
        for node in nodes:
            if node.status == Status.SUCCESS:
                self.run.verdicts.passed(node.name, _label(case))
            for failure in _own_failures(node):
                self.run.verdicts.failed(failure)
            if node.failure_info is not None and not isinstance(node.failure_info.failure, OwnFailure):
                self._take_foreign(case, response, node, frozenset(own))

    def _take_foreign(self, case: Any, response: Any, node: Any, own: frozenset[str]) -> None:
        operation = _operation_of(self.run, case)
        if operation is None:
            return
        shown = node.failure_info.failure
        found = translate(
            ForeignFailure(
                check=node.name,
                title=shown.title,
                message=shown.message,
                operation=operation,
                answer=self.answer(case, response.request, response),
                own=own,
            )
        )
        if found is not None:
            self.run.verdicts.failed(found)


class OwnFailure(Failure):
    """One of our claims that does not hold, on its way through schemathesis."""

    __slots__ = ("failures",)

    def __init__(self, operation: str, failures: list[CheckFailure]) -> None:
        super().__init__(operation=operation, title=failures[0].title, message=str(failures[0]))
        self.failures = failures

    @property
    def _unique_key(self) -> str:
        return "\n".join(f"{failure.check} {failure.pointer}" for failure in self.failures)


def _own_failures(node: Any) -> list[CheckFailure]:
    shown = node.failure_info.failure if node.failure_info is not None else None
    return shown.failures if isinstance(shown, OwnFailure) else []


@contextmanager
def _registered(judge: _Judge) -> Iterator[None]:
    """Add our claims to schemathesis' registry of checks, which is global, for as long as the run lasts."""
    schemathesis_checks.load_all_checks()
    names: list[str] = []
    try:
        for name, claim in _claims(judge):
            names.append(name)
            schemathesis_checks.CHECKS.register(_as_check(name, claim))
        yield
    finally:
        for name in names:
            schemathesis_checks.CHECKS.unregister(name)


def _claims(judge: _Judge) -> Iterator[tuple[str, Callable[[Any, Any], bool]]]:
    for check in ANSWER_CHECKS:
        yield check.__name__, partial(_claim_on_answer, judge, check)
    for watched in WATCH_CHECKS:
        yield watched.__name__, partial(_claim_on_state, judge, watched)


def _claim_on_answer(judge: _Judge, check: AnswerCheck, case: Any, response: Any) -> bool:
    return check(judge.answer(case, response.request, response))


def _claim_on_state(judge: _Judge, check: WatchCheck, case: Any, response: Any) -> bool:
    return check(judge.watch, judge.answer(case, response.request, response))


def _as_check(name: str, claim: Callable[[Any, Any], bool]) -> Any:
    def check(_context: Any, response: Any, case: Any) -> bool | None:
        try:
            applied = claim(case, response)
        except (CheckFailure, ExceptionGroup) as error:
            found = list(failures_in(error))
            if not found:
                raise
            raise OwnFailure(case.operation.label, found) from None
        return None if applied else True  # True is schemathesis' word for "does not apply"

    check.__name__ = name
    return check


def _label(case: Any) -> str:
    """Return how reports name what a case is about; the coverage phase tries methods that are not defined."""
    if case.method.upper() == case.operation.method.upper():
        return str(case.operation.label)
    return f"{case.method.upper()} {case.operation.path}"
