"""Checks of what calls do that must be refused: made on an item of the run's own, and looked for with credentials.

A status code does not tell: a server may refuse a call and carry it out, or say that it did what it did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import CREATE, state_model
from mockserver.contract.roles import is_about_tokens
from mockserver.http.pointers import child
from mockserver.suite.access.watched import Watched, watched
from mockserver.suite.access.ways import Way, forged_fields, other_spellings, overridden_methods
from mockserver.suite.checks.planned_check import Attempts, OperationCheck, PlannedCheck, left_out, on_operation
from mockserver.suite.identities.callers import caller_or_stranger, canary, showing
from mockserver.suite.identities.identities import Identity, asks_for_credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, WireResponse
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule

#: Whose finding it is if a call without credentials is accepted.
_NOBODY = "calls_without_credentials_are_refused"


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the check for each selected operation that asks for credentials and changes what a read shows."""
    found = [one for one in run.selected if _is_watchable(run, one)]
    entries = [on_operation(refused_callers_change_nothing, one) for one in found]
    why = "on another machine nothing unsafe is sent beside the paths of the contract"
    for operation in _by_thing(run, found):
        if run.policy.foreign:
            entries.append(left_out(side_doors_change_nothing.__name__, operation, why))
        else:
            entries.append(on_operation(side_doors_change_nothing, operation))
    return entries


def _by_thing(run: Run, operations: Iterable[Operation]) -> list[Operation]:
    """Return one creation and one other operation for each kind of thing: a deletion if there is one."""
    model = state_model(run.contract)
    found: dict[tuple[str, bool], Operation] = {}
    for operation in sorted(operations, key=lambda one: one.method != "DELETE"):
        of = model.collection_of(operation)
        holder = of[0] if of is not None else model.holding(operation.path)
        key = (holder.item if holder is not None else operation.path, of is not None and of[1] == CREATE)
        found.setdefault(key, operation)
    return list(found.values())


def _is_watchable(run: Run, operation: Operation) -> bool:
    if operation.safe or operation.effect is not None or is_about_tokens(operation):
        return False
    return asks_for_credentials(run.contract, operation) and watched(state_model(run.contract), operation) is not None


def refused_callers_change_nothing(session: Session, operation: Operation) -> int:
    """Check that an unsafe call without credentials, with unknown ones or of a wrong level changes nothing."""
    make = watched(state_model(session.contract), operation)
    assert make is not None
    thing = make(session, operation)
    attempts = Attempts()
    try:
        with attempts.each(0):
            thing.renew()
            with attempts.each():
                _expect_nobody(session, operation, thing)
            if not attempts.broken:
                with attempts.each():
                    _expect_no_wrong_caller(session, operation, thing)
    finally:
        thing.clean_up()
    return attempts.conclude()


def side_doors_change_nothing(session: Session, operation: Operation) -> int:
    """Check that an unsafe call without credentials does nothing at other spellings, with other fields or methods."""
    make = watched(state_model(session.contract), operation)
    assert make is not None
    thing = make(session, operation)
    try:
        thing.renew()
        plain = session.call(operation, thing.request(None))
        if plain.successful or thing.change():
            raise NotRun("it is carried out without credentials, which is the finding of another check")
        answers = {
            number: _knock(session, operation, way) for number, way in enumerate(_ways(session, operation, thing))
        }
        tried = [number for number, successful in answers.items() if successful is not None]
        if not tried:
            raise NotRun("nothing may be sent beside the path")
        if thing.change():
            # One of them did it, most likely one that was answered as a success.
            for number in sorted(tried, key=lambda number: not answers[number]):
                _expect_closed(session, operation, thing, number)
    finally:
        thing.clean_up()
    return len(tried)


def _ways(session: Session, operation: Operation, thing: Watched) -> list[Way]:
    """Return all ways around the credentials of a call on a thing, in the same order for each."""
    bare = thing.request(None)
    caller = caller_or_stranger(session, operation)
    return [
        *other_spellings(session, operation, bare),
        *overridden_methods(session, bare),
        *forged_fields(session, operation, bare, caller.username or "admin"),
    ]


def _knock(session: Session, operation: Operation, way: Way) -> bool | None:
    """Tell whether a way around is answered as a success; None if it must not be tried, or there is no response."""
    try:
        exchange = session.probe(operation.label, way.request)
    except NotRun:
        return None
    return exchange.response is not None and exchange.response.successful


def _expect_closed(session: Session, operation: Operation, thing: Watched, number: int) -> None:
    """Try one way around on a new thing; raise a CheckFailure if it changes that.

    Raises:
        CheckFailure: it does.
    """
    thing.renew()
    way = _ways(session, operation, thing)[number]
    exchange = session.probe(operation.label, way.request)
    change = thing.change()
    if not change:
        return
    shown = replace(exchange, history=thing.history)
    for part in way.parts:
        thing.renew()
        narrow = next(one for one in _ways(session, operation, thing)[number].parts if one.how == part.how)
        single = session.probe(operation.label, narrow.request)
        if told := thing.change():
            way, change, shown = narrow, told, replace(single, history=thing.history)
            break
    status = shown.response.status if shown.response is not None else 0
    raise _failure(
        side_doors_change_nothing.__name__,
        operation,
        shown,
        "carried out without credentials beside its path",
        "a refusal that changes nothing, as without it",
        f"{status}, and {change}, by {way.how}",
    )


def _expect_nobody(session: Session, operation: Operation, thing: Watched) -> None:
    """Call without credentials; raise a CheckFailure if it is accepted, or changes something.

    Raises:
        CheckFailure: it does.
    """
    request = thing.request(None)
    response = session.call(operation, request)
    change = thing.change()
    exchange = Exchange(request, response, history=thing.history)
    if not response.successful:
        _expect_no_effect(operation, exchange, response, "no credentials", change)
        return
    if change:
        session.run.opened.add(operation.label)
        got = f"{response.status}, and {change}"
        raise _failure(_NOBODY, operation, exchange, "accepted with no credentials", "401 or 403", got)
    # It may be that nothing shows what this operation changes: what does the same call do that is allowed?
    if thing.works():
        session.run.opened.add(operation.label)
        title = "answered as a success with no credentials, and nothing was done"
        got = f"{response.status}, and nothing changed, as it does with credentials"
        raise _failure(_NOBODY, operation, exchange, title, "401 or 403", got, rule="contract")


def _expect_no_wrong_caller(session: Session, operation: Operation, thing: Watched) -> None:
    """Call with wrong credentials; raise a CheckFailure if a refused call changes something.

    That such a call is accepted is the finding of other checks.

    Raises:
        CheckFailure: it does.
    """
    tried = [
        (how, who) for how, who in _wrong_callers(session, operation) if not _is_let_in(session, operation, thing, who)
    ]
    if not thing.change():
        return
    for how, who in tried:
        thing.renew()
        request = thing.request(who)
        response = session.call(operation, request)
        exchange = Exchange(request, response, history=thing.history)
        _expect_no_effect(operation, exchange, response, how, thing.change())


def _is_let_in(session: Session, operation: Operation, thing: Watched, who: Identity) -> bool:
    response = session.call(operation, thing.request(who))
    if response.successful:
        thing.renew()
    return response.successful


def _wrong_callers(session: Session, operation: Operation) -> Iterator[tuple[str, Identity]]:
    """Yield identities that must be refused, each after its description."""
    run = session.run
    known = caller_or_stranger(session, operation)
    yield "an unknown token", showing(run, operation, known, canary(session, "UNKNOWN_TOKEN"))
    for level in run.contract.levels if operation.levels is not None else ():
        found = run.identities.of_level(level)
        if found is not None and level not in (operation.levels or ()):
            yield f"the level {level}", found


def _expect_no_effect(operation: Operation, exchange: Exchange, response: WireResponse, how: str, change: str) -> None:
    if change and not response.successful:
        title = f"refused with {how}, and carried out all the same"
        got = f"{response.status}, and {change}"
        check = refused_callers_change_nothing.__name__
        raise _failure(check, operation, exchange, title, "a refusal that changes nothing", got)


def _failure(
    check: str, operation: Operation, exchange: Exchange, title: str, expected: str, got: str, rule: Rule = "universal"
) -> CheckFailure:
    return CheckFailure(
        check,
        operation.label,
        title,
        expected=expected,
        got=got,
        pointer=child(operation.pointer, "security"),
        rule=rule,
        exchange=exchange,
    )


#: All checks of this theme.
CHECKS: tuple[OperationCheck, ...] = (refused_callers_change_nothing, side_doors_change_nothing)
