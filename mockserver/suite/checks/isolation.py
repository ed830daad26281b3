"""The check of isolation: a write or reset of one resource does not change another resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import cycle
from typing import Any

from mockserver.contract.model import Operation
from mockserver.suite.cases.setting_states import (
    SettingResource,
    behaviour_pointer,
    described,
    evidence,
    expect_value,
    failure,
    read_resource,
    reset,
    settle,
    shown_by,
    writes,
    written,
)
from mockserver.suite.checks.planned_check import Attempts
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import same_json
from mockserver.suite.verdicts.failures import CheckFailure, NotRun

#: Two resources change together if they do so `_CHANGES` times, each time after `_QUIET_READS` equal reads.
_CHANGES, _QUIET_READS = 3, 12
#: Placeholder for the value of a resource that another part of the run is writing.
_AT_WORK = object()


def writes_leave_others_alone(session: Session, *, resource: SettingResource, others: list[SettingResource]) -> int:
    """Check that writes and resets of one resource do not change what reads of the other selected resources show."""
    run = session.run
    elsewhere = [other for other in others if not _is_ours(run, other) and run.has_selected(other.read)]
    others = [
        other for other in others if _is_ours(run, other) and run.policy.unselected(other.read, other.write) is None
    ]
    if not others and not elsewhere:
        raise NotRun("no other resource is selected (--only)")
    before = _before(session, resource, others)
    others = [other for other in others if other.name in before]
    attempts = Attempts()
    with attempts.each(0):
        for _ in writes(session, resource):
            _expect_unchanged(session, before, others, resource.write)
    if attempts.broken:
        # Read again, so that a reset is not blamed for the change.
        before = {other.name: settle(session, other, None) for other in others}
    with attempts.each(0):
        if resource.reset is not None and run.has_selected(resource.reset):
            reset(session, resource)
            _expect_unchanged(session, before, others, resource.reset)
    for other in elsewhere:
        with attempts.each():
            _expect_no_part(session, resource, other)
    return attempts.conclude() + len(others)


def _before(session: Session, resource: SettingResource, others: Iterable[SettingResource]) -> dict[str, Any]:
    """Write each of the other resources once, and return the value that its read then shows, by resource name.

    A resource that cannot be written, which is the finding of another check, is left out.

    Raises:
        NotRun: none of the resources can be written.
        CheckFailure: none can be written, though the contract says that they can.
    """
    before: dict[str, Any] = {}
    problems: list[CheckFailure | NotRun] = []
    for other in others:
        try:
            for value, response, _ in writes(session, other, variants=(0,)):
                before[other.name] = settle(session, other, written(session.contract, other, value, response))
        except (CheckFailure, NotRun) as problem:
            problems.append(problem)
            why = f"{other.name} could not be written, so it was not watched ({problem})"
            session.run.verdicts.not_run("writes_leave_others_alone", resource.write.label, why)
    if problems and not before:
        raise problems[0]
    return before


def _is_ours(run: Run, other: SettingResource) -> bool:
    """Tell whether no other part of a divided run writes a resource on the shared server."""
    return run.own or run.division.owns(other.write.label)


def _expect_no_part(session: Session, resource: SettingResource, other: SettingResource) -> None:
    """Raise a CheckFailure if writing one resource changes another one that another part of the run may write, too.

    A single change may come from that other part. So it must happen several times, each time after many equal reads. A
    server that sets the other resource to the same value each time is not caught here.

    Raises:
        CheckFailure: it did.
    """

    def write() -> None:
        variant = next(turns)
        for _ in writes(session, resource, variants=(variant,)):
            pass

    turns = cycle((0, 2))
    _expect_no_change(session, other, write, resource.write)
    if resource.reset is not None:
        _expect_no_change(session, other, partial(reset, session, resource), resource.reset)


def _expect_no_change(session: Session, other: SettingResource, act: Callable[[], None], by: Operation) -> None:
    for number in range(_CHANGES):
        before = _at_rest(session, other, 2 if number == 0 else _QUIET_READS)
        if before is _AT_WORK:
            return
        act()
        response, request = read_resource(session, other)
        if same_json(shown_by(other, response), before):
            return
    raise failure(
        "writes_leave_others_alone",
        by,
        f"{other.name} shows another value",
        expected=described(before),
        got=described(shown_by(other, response)),
        pointer=behaviour_pointer(by),
        exchange=evidence(session, request, response),
    )


def _at_rest(session: Session, other: SettingResource, times: int) -> Any:
    """Return the value that a resource shows in several reads in a row, `_AT_WORK` if it keeps changing."""
    shown, equal = _AT_WORK, 0
    for _ in range(10 * times):
        response, _ = read_resource(session, other)
        now = shown_by(other, response)
        equal = equal + 1 if shown is not _AT_WORK and same_json(now, shown) else 1
        shown = now
        if equal == times:
            return shown
    return _AT_WORK


def _expect_unchanged(
    session: Session, before: Mapping[str, Any], others: Iterable[SettingResource], by: Operation
) -> None:
    for other in others:
        expect_value(session, other, before[other.name], "writes_leave_others_alone", blame=by)
