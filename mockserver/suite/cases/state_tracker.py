"""State tracker: the expected state of each resource in a stream of generated requests, and its checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.contract.model import Operation
from mockserver.suite.cases.observed_response import ObservedResponse
from mockserver.suite.cases.setting_states import (
    NEVER_SET,
    SettingResource,
    check_echo,
    check_name,
    echoed,
    expect_value,
    generated_pointer,
    resources,
    shown_by,
    shows,
    written,
)
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, json_or_none, sent_json
from mockserver.suite.verdicts.failures import CheckFailure, NotRun

#: How often a check may fail on an operation before it is not tried any more, since reading back costs requests.
MAX_FAILURES = 3
#: The first `FIRST_TIMES` occasions are read back, which shows systematic faults; then every `EVERY`-th, for rare ones.
FIRST_TIMES, EVERY = 3, 8
#: How many exchanges before a read are kept.
MAX_HISTORY = 5


@dataclass(slots=True)
class StateTracker:
    """The values that the resources should hold after the accepted requests so far.

    Attributes:
        known: value by name of the resource, `NEVER_SET` after a reset; absent if a failure left the value unknown.
        confirmed: names of resources whose known value was seen in a read.
    """

    run: Run
    session: Session
    by_operation: Mapping[str, SettingResource]
    known: dict[str, Any] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)
    generated: dict[str, list[Any]] = field(default_factory=dict)
    turn: int = 0
    times: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    def resource_of(self, operation: Operation | None) -> SettingResource | None:
        """Return the resource that an operation acts on, or None."""
        return self.by_operation.get(operation.id) if operation else None

    def is_broken(self, check: str, operation: Operation) -> bool:
        """Tell whether a check on an operation failed so often that it is not tried any more."""
        return self.run.verdicts.known(check, operation.label) >= MAX_FAILURES

    def is_due(self, check: str, operation: Operation, status: int, first: int = FIRST_TIMES) -> bool:
        """Tell whether to spend a read on verifying a resource this time; each call counts as one occasion."""
        key = (check, operation.id, status)
        self.times[key] += 1
        return self.times[key] <= first or self.times[key] % EVERY == 0


#: Returns whether there was anything to judge; raises CheckFailure.
StateCheck = Callable[[StateTracker, ObservedResponse], bool]


def new_tracker(run: Run) -> StateTracker:
    """Return a state tracker that knows the value of no resource yet."""
    by_operation: dict[str, SettingResource] = {}
    for resource in resources(run.contract):
        for operation in (resource.read, resource.write, resource.reset):
            if operation is not None:
                by_operation[operation.id] = resource
    return StateTracker(run, Session(run, fresh=False), by_operation)


def writes_echo_the_request(tracker: StateTracker, observed: ObservedResponse) -> bool:
    """Check that a write responds with the values that it was sent."""
    resource = _written(tracker, observed)
    sent = sent_json(observed.exchange.request)
    if resource is None or resource.generated or sent is None:
        return False
    check_echo(observed.contract, resource.write, sent, observed.response, observed.exchange)
    return True


def answers_name_the_resource(tracker: StateTracker, observed: ObservedResponse) -> bool:
    """Check that each response about a resource shows the name of that resource."""
    if observed.operation is None or tracker.resource_of(observed.operation) is None:
        return False
    check_name(observed.contract, observed.operation, observed.response, observed.exchange)
    return observed.response.successful


def generated_values_are_new(tracker: StateTracker, observed: ObservedResponse) -> bool:
    """Check that a value which the server generates differs from all earlier ones."""
    resource = _written(tracker, observed)
    if resource is None or not resource.generated:
        return False
    value = echoed(resource.write, json_or_none(observed.response))
    seen = tracker.generated.setdefault(resource.name, [])
    if value is not None and value in seen:
        raise CheckFailure(
            "generated_values_are_new",
            observed.label,
            "a generated value is not new",
            expected="another value for each request",
            got="a value that was generated before",
            pointer=generated_pointer(resource.write),
            rule="contract",
            exchange=observed.exchange,
        )
    seen.append(value)
    return True


def record_write(tracker: StateTracker, observed: ObservedResponse) -> bool:
    """Record the state that an accepted write or reset leaves; judges nothing by itself."""
    resource, operation = tracker.resource_of(observed.operation), observed.operation
    if resource is None or operation is None or operation.safe:
        return False
    # Evidence of a later read needs the writes before it.
    tracker.session.history.append(Exchange(observed.exchange.request, observed.response).shortened())
    if observed.response.successful:
        path = observed.exchange.request.path.partition("?")[0]
        tracker.run.last_writes[tracker.session.world, path] = tracker.session.history[-1]
    del tracker.session.history[:-MAX_HISTORY]
    is_reset = operation is resource.reset
    check = "resets_end_the_value" if is_reset else "reads_show_the_last_write"
    tracker.confirmed.discard(resource.name)
    judged = operation if is_reset else resource.read
    if observed.response.status >= 500 or (observed.response.successful and tracker.is_broken(check, judged)):
        tracker.known.pop(resource.name, None)
    elif observed.response.successful:
        value = (
            NEVER_SET
            if is_reset
            else written(observed.contract, resource, sent_json(observed.exchange.request), observed.response)
        )
        tracker.known[resource.name] = value
        if value is None:
            del tracker.known[resource.name]  # the response does not show the generated value
    return False


def reads_show_the_last_write(tracker: StateTracker, observed: ObservedResponse) -> bool:
    """Check that a read shows the value of the last accepted write, and that refused writes changed nothing."""
    resource = tracker.resource_of(observed.operation)
    if observed.operation is None or resource is None or resource.name not in tracker.known:
        return False
    if observed.operation is resource.reset and observed.response.successful:
        return False  # judged by resets_end_the_value
    expected = tracker.known[resource.name]
    if observed.operation is resource.read and shows(shown_by(resource, observed.response), expected):
        tracker.confirmed.add(resource.name)
        return True
    # An accepted write or a read that shows something else is always looked into; a refusal, often enough, and so a
    # write whose value does not come from the request.
    told_by_the_request = observed.response.successful and not (resource.generated and not observed.operation.safe)
    if not told_by_the_request and not tracker.is_due(
        "reads_show_the_last_write", observed.operation, observed.response.status
    ):
        return False
    return _read_back(tracker, resource, "reads_show_the_last_write")


def resets_end_the_value(tracker: StateTracker, observed: ObservedResponse) -> bool:
    """Check that a read after a reset shows the resource as never set."""
    resource = tracker.resource_of(observed.operation)
    if resource is None or resource.unset is None or resource.name not in tracker.known:
        return False
    if observed.operation is not resource.reset or not observed.response.successful:
        return False
    return _read_back(tracker, resource, "resets_end_the_value", blame=observed.operation)


def writes_leave_others_alone(tracker: StateTracker, observed: ObservedResponse) -> bool:
    """Check that a write or reset of one resource leaves another one unchanged, reading a different one each time."""
    resource = tracker.resource_of(observed.operation)
    check = "writes_leave_others_alone"
    if resource is None or observed.operation is None or observed.operation.safe or not observed.response.successful:
        return False
    # Only of those that showed their value at least once since: a lost write is another finding.
    others = [other for other in _all(tracker) if other is not resource and other.name in tracker.confirmed]
    if not others or tracker.is_broken(check, observed.operation):
        return False
    if not tracker.is_due(check, observed.operation, 0, first=FIRST_TIMES * len(others)):
        return False
    tracker.turn += 1
    return _read_back(tracker, others[tracker.turn % len(others)], check, blame=observed.operation)


#: Made on every response, in this order.
STATE_CHECKS: tuple[StateCheck, ...] = (
    writes_echo_the_request,
    answers_name_the_resource,
    generated_values_are_new,
    record_write,
    reads_show_the_last_write,
    resets_end_the_value,
    writes_leave_others_alone,
)


def _read_back(tracker: StateTracker, resource: SettingResource, check: str, *, blame: Operation | None = None) -> bool:
    try:
        settled = check == "reads_show_the_last_write"
        expect_value(tracker.session, resource, tracker.known[resource.name], check, blame=blame, settled=settled)
    except NotRun:
        return False
    except CheckFailure:
        # Later checks must not report the same difference again.
        tracker.known.pop(resource.name, None)
        tracker.confirmed.discard(resource.name)
        raise
    tracker.confirmed.add(resource.name)
    return True


def _written(tracker: StateTracker, observed: ObservedResponse) -> SettingResource | None:
    """Return the resource that a successful write was about, or None for any other exchange."""
    resource = tracker.resource_of(observed.operation)
    if resource is None or observed.operation is not resource.write or not observed.response.successful:
        return None
    return resource


def _all(tracker: StateTracker) -> Iterator[SettingResource]:
    seen: set[str] = set()
    for resource in tracker.by_operation.values():
        if resource.name not in seen:
            seen.add(resource.name)
            yield resource
