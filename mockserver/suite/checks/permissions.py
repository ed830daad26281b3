"""Checks of the permission matrix: operation by level by own or foreign object (docs/contract.md, "Objects")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from mockserver.contract.exchanges import pair_named, presumed_success
from mockserver.contract.model import Objects, Operation
from mockserver.http.pointers import child
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.refused_requests import expect_refusal, raise_missing
from mockserver.suite.checks.planned_check import Attempts, OperationCheck, PlannedCheck, on_operation
from mockserver.suite.identities.identities import Identity, asks_for_credentials
from mockserver.suite.identities.object_owners import foreign_names, listed_names, may_call, own_name, owns, usual_name
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.verdicts.failures import CheckFailure, NotRun


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the permission checks for each selected operation whose contract documents permission levels."""
    return [
        on_operation(check, operation, ready=set_up if check is levels_not_allowed_are_refused else None)
        for operation in run.selected
        if operation.levels is not None and asks_for_credentials(run.contract, operation)
        for check in _checks_for(run, operation)
    ]


def _checks_for(run: Run, operation: Operation) -> Iterable[OperationCheck]:
    yield allowed_levels_are_admitted
    if set(run.contract.levels) - set(operation.levels or ()):
        yield levels_not_allowed_are_refused
    objects = operation.objects
    if objects is None:
        return
    limited = set(operation.levels or ()) - set(objects.foreign)
    if objects.requested:
        if limited:
            yield foreign_objects_are_refused
        if limited != set(operation.levels or ()):
            yield foreign_objects_are_admitted
    else:
        if limited:
            yield lists_tell_own_objects_alone
        yield lists_tell_all_own_objects


def levels_not_allowed_are_refused(session: Session, operation: Operation) -> int:
    """Check that accounts of permission levels that are not documented for an operation are refused."""
    attempts, missing = Attempts(), list[str]()
    for level in session.contract.levels:
        identity = session.run.identities.of_level(level)
        if level in (operation.levels or ()):
            continue
        if identity is None:
            missing.append(level)
            continue
        with attempts.each():
            expect_refusal(
                "levels_not_allowed_are_refused",
                session,
                operation,
                session.valid_request(operation, identity),
                f"the level {level}",
                status=403,
                pointer=child(operation.pointer, "x-mockserver-levels"),
            )
    return _concluded(attempts, missing)


def allowed_levels_are_admitted(session: Session, operation: Operation) -> int:
    """Check that an account of each permission level documented for an operation is not refused."""
    attempts, missing = Attempts(), list[str]()
    pointer = child(operation.pointer, "x-mockserver-levels")
    for level, identity in _of_levels(session, operation, missing, attempts):
        with attempts.each(0):
            for name in _own(session, operation, identity):
                with attempts.each():
                    request = session.valid_request(operation, identity, about=name)
                    _expect_admission("allowed_levels_are_admitted", session, operation, request, level, pointer)
    return _concluded(attempts, missing)


def foreign_objects_are_refused(session: Session, operation: Operation) -> int:
    """Check that an account which may act on its own objects only is refused on objects of others."""
    objects = _objects(operation)
    attempts, missing = Attempts(), list[str]()
    for level, identity in _of_owners(session, operation, missing, attempts):
        with attempts.each(0):
            for name, whose in _foreign(session, operation, identity):
                # A 404 for a missing foreign object would not show whether an existing one is protected.
                _create_foreign(session, operation, name)
                with attempts.each():
                    expect_refusal(
                        "foreign_objects_are_refused",
                        session,
                        operation,
                        session.valid_request(operation, identity, about=name),
                        f"an object of level {whose} and the level {level}",
                        status=403,
                        pointer=objects.pointer,
                        any_item=False,
                    )
    return _concluded(attempts, missing)


def foreign_objects_are_admitted(session: Session, operation: Operation) -> int:
    """Check that an account whose level may act on objects of others is not refused on them."""
    objects = _objects(operation)
    attempts, missing = Attempts(), list[str]()
    for level, identity in _of_levels(session, operation, missing, attempts):
        with attempts.each(0):
            for name, _ in _foreign(session, operation, identity) if level in objects.foreign else ():
                with attempts.each():
                    request = session.valid_request(operation, identity, about=name)
                    _expect_admission(
                        "foreign_objects_are_admitted", session, operation, request, level, objects.pointer
                    )
    return _concluded(attempts, missing)


def lists_tell_own_objects_alone(session: Session, operation: Operation) -> int:
    """Check that a list shows no objects of others to an account whose level may see its own only."""
    objects = _objects(operation)
    attempts, missing = Attempts(), list[str]()
    for level, identity in _of_owners(session, operation, missing, attempts):
        with attempts.each(0):
            request = session.valid_request(operation, identity)
            response = session.call(operation, request)
            for name in listed_names(objects, json_or_none(response)) if response.successful else ():
                with attempts.each():
                    if not _is_own(session, objects, identity, name):
                        raise CheckFailure(
                            "lists_tell_own_objects_alone",
                            operation.label,
                            f"an account of level {level} sees an object that is not its own",
                            expected=f"only what {identity.label} owns",
                            got=name,
                            pointer=objects.pointer,
                            rule="contract",
                            exchange=Exchange(request, response),
                        )
    return _concluded(attempts, missing)


def lists_tell_all_own_objects(session: Session, operation: Operation) -> int:
    """Check that a list of accounts shows each account all that it owns, and itself."""
    attempts, missing = Attempts(), list[str]()
    for level, identity in _of_levels(session, operation, missing, attempts):
        with attempts.each(0):
            request = session.valid_request(operation, identity)
            response = session.call(operation, request)
            if response.successful and _tells_accounts(session, operation, identity, response):
                with attempts.each():
                    _expect_all_own(session, operation, level, identity, Exchange(request, response))
    return _concluded(attempts, missing)


def _tells_accounts(session: Session, operation: Operation, identity: Identity, response: WireResponse) -> bool:
    """Tell whether a list shows at least one of the accounts that are among the run's identities."""
    told = set(listed_names(_objects(operation), json_or_none(response)))
    known = {identity.username, *(other.username for other in session.run.identities.all)}
    return _objects(operation).own == "account" and bool(told & known)


def _expect_all_own(session: Session, operation: Operation, level: str, identity: Identity, exchange: Exchange) -> None:
    objects, response = _objects(operation), exchange.response
    assert response is not None
    told = set(listed_names(objects, json_or_none(response)))
    wanted = {
        other.username
        for other in session.run.identities.all
        if level in objects.foreign or _is_own(session, objects, identity, other.username)
    }
    if wanted - told:
        raise CheckFailure(
            "lists_tell_all_own_objects",
            operation.label,
            f"an account of level {level} does not see all that it owns",
            expected=", ".join(sorted(wanted - told)),
            got=", ".join(sorted(told)),
            pointer=objects.pointer,
            rule="contract",
            exchange=exchange,
        )


def _concluded(attempts: Attempts, missing: list[str]) -> int:
    """Return how many attempts passed; raise their failures, or NotRun for levels that no identity has.

    Raises:
        CheckFailure: an attempt failed; a group if several did.
        NotRun: some attempts could not be made.
    """
    with attempts.each(0):
        raise_missing(missing)
    return attempts.conclude()


#: All checks of this theme.
CHECKS: tuple[OperationCheck, ...] = (
    allowed_levels_are_admitted,
    levels_not_allowed_are_refused,
    foreign_objects_are_refused,
    foreign_objects_are_admitted,
    lists_tell_own_objects_alone,
    lists_tell_all_own_objects,
)


def _of_levels(
    session: Session, operation: Operation, missing: list[str], attempts: Attempts
) -> Iterator[tuple[str, Identity]]:
    """Yield an identity of each level that may call an operation; add levels without an identity to `missing`."""
    for level in operation.levels or ():
        identity = session.run.identities.of_level(level)
        if identity is None:
            missing.append(level)
        elif operation.effect != "credentials":
            yield level, identity
        else:
            caller: Identity | None = None
            with attempts.each(0):
                caller = session.login_for(operation, identity)
            if caller is not None:
                yield level, caller


def _of_owners(
    session: Session, operation: Operation, missing: list[str], attempts: Attempts
) -> Iterator[tuple[str, Identity]]:
    """Yield an identity of each level that may act on its own objects only, if the objects it owns are known.

    The objects of the lowest level are known without `owns`: it owns nothing but itself.
    """
    for level, identity in _of_levels(session, operation, missing, attempts):
        if level in _objects(operation).foreign:
            continue
        if identity.owns_known or level == session.contract.levels[-1] or _objects(operation).own == "self":
            yield level, identity
        else:
            missing.append(f"{level} with `owns`")


def _own(session: Session, operation: Operation, identity: Identity) -> Iterator[str | None]:
    """Yield the names of objects that an operation may be called about: an own object, and that of the example."""
    if operation.objects is None or not operation.objects.requested:
        yield None
        return
    usual = usual_name(session.contract, operation, session.valid_body(operation)[0])
    if may_call(operation, session.contract.levels, session.run.identities, identity, usual):
        yield usual
    try:
        own = own_name(session.contract, operation, session.run.identities, identity, usual)
    except NotRun:
        if identity.level not in operation.objects.foreign:
            raise
    else:
        if own != usual:
            yield own


def _foreign(session: Session, operation: Operation, identity: Identity) -> Iterator[tuple[str, str]]:
    """Yield the names of objects that belong to others, each with its owner's level.

    Raises:
        NotRun: no identity has any.
    """
    usual = usual_name(session.contract, operation, session.valid_body(operation)[0])
    found = list(foreign_names(session.contract, operation, session.run.identities, identity, usual))
    if not found:
        raise NotRun(f"it needs an identity with an object that is not {identity.label}'s (`owns` in --identities)")
    yield from found


def _create_foreign(session: Session, operation: Operation, name: str) -> None:
    """Make the preceding calls of an example for a foreign object, too, so that the object exists.

    Only on our own stub, and only for calls about the same object. A call that cannot be made is skipped.
    """
    for call in presumed_success(operation).calls if session.run.own else ():
        pair = pair_named(session.contract, call)
        if pair is not None and pair.operation.path == operation.path:
            with suppress(NotRun):
                caller = session.run.allowed(pair.operation)
                session.set_up(pair.operation, session.example_request(pair, caller, about=name))


def _is_own(session: Session, objects: Objects, identity: Identity, name: str) -> bool:
    return owns(objects, session.contract.levels, session.run.identities, identity, name)


def _objects(operation: Operation) -> Objects:
    assert operation.objects is not None
    return operation.objects


def _expect_admission(
    check: str, session: Session, operation: Operation, request: WireRequest, level: str, pointer: str
) -> None:
    response = session.call(operation, request)
    if response.status in {401, 403}:
        raise CheckFailure(
            check,
            operation.label,
            f"an account of level {level} is refused",
            expected=f"{level} to be admitted",
            got=str(response.status),
            pointer=pointer,
            rule="contract",
            exchange=Exchange(request, response),
        )
