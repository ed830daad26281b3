"""Generated cases: the suite's checks on each response, and the findings of schemathesis in the suite's words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote

import requests
from hypothesis.errors import FailedHealthCheck, Unsatisfiable, UnsatisfiedAssumption
from schemathesis.core.errors import (
    InfiniteRecursiveReference,
    InvalidSchema,
    MalformedMediaType,
    NoLinksFound,
    RefResolutionError,
    SerializationError,
    UnresolvableReference,
    UnsupportedType,
)
from schemathesis.core.failures import Failure
from schemathesis.engine import Status, StopReason, events
from schemathesis.engine.errors import ServerUnavailable, UnrecoverableNetworkError
from schemathesis.openapi.checks import UseAfterFree

from mockserver.contract.model import SAFE_METHODS
from mockserver.contract.resources.removals import deletes_resource
from mockserver.http.path_templates import parse_template
from mockserver.suite.cases.observed_response import ObservedResponse, observe
from mockserver.suite.cases.state_tracker import STATE_CHECKS, StateTracker
from mockserver.suite.checks.any_response import RESPONSE_CHECKS, ResponseCheck
from mockserver.suite.fuzz.lenient_responses import is_faithful, shorten_original
from mockserver.suite.fuzz.restricted_contract import operation_of
from mockserver.suite.fuzz.reworded_failures import reword
from mockserver.suite.fuzz.schemathesis_failures import SchemathesisFailure
from mockserver.suite.fuzz.transport import TargetSilence, meaning, wire_response
from mockserver.suite.run.internal_errors import mistake_line, note_mistake
from mockserver.suite.run.session import Run
from mockserver.suite.secrets.encoded_secrets import as_bytes
from mockserver.suite.state.item_tracker import TRACKED_CHECKS, ItemTracker
from mockserver.suite.target.connections import is_refused
from mockserver.suite.target.exchange import Exchange, WireRequest
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, failures_in

#: Name of the suite's checks in the registry of schemathesis.
OWN_CHECKS = "checks_of_mockserver"


#: Errors after which schemathesis generates no requests for one operation.
_NO_REQUEST = (
    FailedHealthCheck,
    InfiniteRecursiveReference,
    InvalidSchema,
    MalformedMediaType,
    RefResolutionError,
    SerializationError,
    Unsatisfiable,
    UnresolvableReference,
    UnsupportedType,
)


@dataclass(slots=True)
class Judge:
    """Makes the suite's checks on each response inside schemathesis, and turns its events into verdicts."""

    run: Run
    tracker: StateTracker
    items: ItemTracker
    cases: int = 0
    errors: list[str] = field(default_factory=list)
    interrupted: bool = False
    _last: tuple[Any, ObservedResponse] | None = None
    _checks: list[tuple[str, ResponseCheck]] = field(init=False)

    def __post_init__(self) -> None:
        self._checks = [(check.__name__, check) for check in (*RESPONSE_CHECKS, *self.run.own_checks.responses)]
        self._checks += [(check.__name__, partial(check, self.tracker)) for check in STATE_CHECKS]
        self._checks += [(check.__name__, partial(check, self.items)) for check in TRACKED_CHECKS]

    def observed(self, case: Any, request: Any, response: Any) -> ObservedResponse:
        """Return an exchange with what the contract documents for it, kept for the next check on it."""
        if self._last is not None and self._last[0] is response:
            return self._last[1]
        sent, _, meant = meaning(self.run, request)
        exchange = Exchange(sent, wire_response(response), history=self._before(sent, response.status_code))
        observed = observe(self.run.contract, meant, _label(case), exchange, self.run.secrets, self.run.representations)
        assert observed is not None
        if meant is not None:
            self.run.verdicts.count_response(meant.label, observed.response)
            if observed.response.successful and not meant.safe and meant.behaviour is None:
                self.run.known.observe(meant, sent, observed.response, None)  # what is gone is asked for no more
        self._last = (response, observed)
        return observed

    def _before(self, sent: WireRequest, status: int) -> tuple[Exchange, ...]:
        """Return what made the items that a request names, and the write that a successful read shows."""
        made = self.run.creations.before("", sent)
        last = self.run.last_writes.get(("", sent.path.partition("?")[0]))
        shown = last is not None and last not in made and sent.method in SAFE_METHODS and status < 300
        return (*made, last) if last is not None and shown else made

    def run_checks(self, case: Any, response: Any) -> list[CheckFailure]:
        """Make all checks of the suite on a response; return the failures and count the passed checks."""
        observed = self.observed(case, response.request, response)
        passed: list[str] = []
        failures: list[CheckFailure] = []
        for name, check in self._checks:
            try:
                applied = check(observed)
            except (CheckFailure, ExceptionGroup) as error:
                found = list(failures_in(error))
                if not found:
                    note_mistake(self.run.verdicts, name, observed.label, error)
                for failure in found:
                    if failure.exchange is not None:
                        failure.exchange = self.run.creations.complete("", failure.exchange)
                failures += found
            except NotRun as reason:
                self.run.verdicts.not_run(name, observed.label, str(reason))
            except Exception as error:  # noqa: BLE001 - the other checks are not concerned
                note_mistake(self.run.verdicts, name, observed.label, error)
            else:
                if applied:
                    passed.append(name)
        self.run.verdicts.passed_together(passed, observed.label)
        shorten_original(response.request)
        self._last = None
        return failures

    def take(self, event: Any) -> None:
        """Record what an event of the schemathesis engine reports."""
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
                self.errors.append(f"nothing listens any more at {self.run.target.base_url}")

    def _take_error(self, label: str, error: BaseException) -> None:
        cause = error.__cause__ if isinstance(error, UnrecoverableNetworkError) else error
        if isinstance(error, NoLinksFound | UnsatisfiedAssumption):
            return  # `--only` left no two linked operations to try in sequence, or the rate limiter lets none through
        if isinstance(error, ServerUnavailable) or (isinstance(cause, Exception) and is_refused(cause)):
            self.errors.append(f"nothing listens at {self.run.target.base_url}")
            return
        if isinstance(error, TargetSilence | UnrecoverableNetworkError | requests.RequestException):
            # The adapter reported the silence with its evidence; one that did not repeat is no finding.
            if not any(self.run.silences.values()):
                self.errors.append(f"{label}: {type(error).__name__}")
            return
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        if isinstance(error, _NO_REQUEST) and label in self.run.contract.by_label:
            # This operation cannot be judged by generated requests; the others can.
            self.run.verdicts.not_run("fuzz", label, f"schemathesis cannot generate a request: {first[:200]}")
        else:
            self.run.verdicts.mistaken("fuzz", label, mistake_line(f"schemathesis on {label}", error))

    def _take_scenario(self, recorder: Any) -> None:
        self.cases += len(recorder.interactions)
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None:  # every response is judged by this check
                label = _label(recorder.cases[case_id].value)
                self.run.verdicts.took("no_server_error", label, interaction.response.elapsed)
        passed: Counter[tuple[str, str]] = Counter()
        for case_id, nodes in recorder.checks.items():
            case = recorder.cases[case_id].value
            interaction = recorder.interactions.get(case_id)
            if interaction is None or interaction.response is None:
                continue
            label = _label(case)
            failed = [node for node in nodes if node.failure_info is not None]
            for node in nodes:
                if node.status is Status.SUCCESS:
                    passed[node.name, label] += 1
            if failed and misnamed(recorder, case):
                # The request names something else than what was created, whose absence is no failure.
                failed = [node for node in failed if node.name != "ensure_resource_availability"]
            if failed:
                self._take_failures(case, interaction.response, failed)
        for (name, label), cases in passed.items():
            if name != OWN_CHECKS:  # its checks are counted one by one
                self.run.verdicts.passed(name, label, cases)

    def _take_failures(self, case: Any, response: Any, nodes: list[Any]) -> None:
        own = frozenset(failure.check for node in nodes for failure in _own_failures(node))
        for node in nodes:
            for failure in _own_failures(node):
                self.run.verdicts.failed(failure)
            if not isinstance(node.failure_info.failure, OwnFailure):
                self._take_foreign(case, response, node, own)

    def _take_foreign(self, case: Any, response: Any, node: Any, own: frozenset[str]) -> None:
        operation = operation_of(self.run, case)
        if operation is None:
            return
        shown = node.failure_info.failure
        if isinstance(shown, UseAfterFree) and not self._was_removed(shown.operation):
            return
        found = reword(
            SchemathesisFailure(
                check=node.name,
                title=shown.title,
                message=shown.message,
                operation=operation,
                observed=self.observed(case, response.request, response),
                own=own,
            )
        )
        if found is not None:
            self.run.verdicts.failed(found)

    def _was_removed(self, label: str | None) -> bool:
        """Tell whether a DELETE removes the item at its path by the contract, and not only members of it."""
        deleted = self.run.contract.by_label.get(label or "")
        return deleted is None or deletes_resource(self.run.contract, deleted)


def misnamed(recorder: Any, case: Any) -> bool:
    """Tell whether schemathesis wrote the identifier of a created item wrongly into the path of a case.

    It takes a percent sign and two digits of an identifier for an escape, so it asks for `%41` by `/%41`, which is the
    name of `A`, in place of `/%2541`.
    """
    parent = recorder.find_parent(case_id=case.id)
    if parent is None:
        return False
    answered = recorder.interactions.get(parent.id)
    if answered is not None and answered.response is not None and not is_faithful(answered.response.request):
        return True  # nor does it know an identifier that it did not get as it was
    names = parse_template(case.path).parameters
    value = (case.path_parameters or {}).get(names[-1]) if names else None
    if not isinstance(value, str) or unquote(value) == value:
        return False
    content = b"" if answered is None or answered.response is None else answered.response.content or b""
    return value in str(parent.body) or as_bytes(value) in content


class OwnFailure(Failure):
    """A failure of the suite's checks, wrapped for schemathesis."""

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


def _label(case: Any) -> str:
    """Return the label of a case in reports, with its real method; the coverage phase tries undefined methods."""
    if case.method.upper() == case.operation.method.upper():
        return str(case.operation.label)
    return f"{case.method.upper()} {case.operation.path}"
