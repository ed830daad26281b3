"""Earlier calls that bring a world to the point that an example presumes."""

from __future__ import annotations

from dataclasses import replace

from mockserver.contract.model import ExamplePair, Operation, Presumptions, pairs_of, presumed_success
from mockserver.suite.identities import Identity
from mockserver.suite.session import Session
from mockserver.suite.verdicts import NotRun


def set_up(session: Session, operation: Operation) -> None:
    """Make the calls without which an operation cannot succeed, when its first example of a success presumes them.

    In a world of our own stub alone: nobody else's server is changed for a claim about another operation.
    """
    if session.run.control is not None:
        arrange(session, replace(presumed_success(operation), seed=None))


def set_clock(session: Session, operation: Operation) -> None:
    """Do of `set_up` what a token that is obtained in between must be valid at: the time alone."""
    if session.run.control is not None:
        arrange(session, replace(presumed_success(operation), seed=None, calls=()))


def set_up_now(session: Session, operation: Operation) -> None:
    """Do as `set_up`, at the time that it is."""
    if session.run.control is not None:
        arrange(session, replace(presumed_success(operation), seed=None, clock=None))


def set_up_whole(session: Session, operation: Operation) -> None:
    """Do as `set_up`, with the seed data that the example presumes: for claims of its own account alone.

    Other seed data may lack the accounts that claims about callers need.
    """
    if session.run.control is not None:
        arrange(session, presumed_success(operation))


def arrange(session: Session, presumes: Presumptions) -> None:
    """Bring about all that an example presumes: seed data and clock of a stub of our own, earlier calls anywhere.

    Raises:
        NotRun: the contract has no such call, or nobody may make it.
    """
    control = session.run.control
    if control is not None and presumes.seed is not None:
        control.start_from(session.world, presumes.seed)
    if control is not None and presumes.clock is not None:
        control.set_clock(session.world, presumes.clock)
    for name in presumes.calls:
        make_call(session, name, presumes.identity)


def make_call(session: Session, name: str, identity: str | None) -> None:
    """Make an earlier call that an example presumes: `operationId` or `operationId/example`.

    It is made by the account that the call's own example presumes, else by that of the example to come.

    Raises:
        NotRun: the contract has no such call, or nobody may make it.
    """
    operation_id, _, example = name.partition("/")
    operation = session.contract.by_id.get(operation_id)
    pairs = pairs_of(operation) if operation is not None else ()
    pair = next((pair for pair in pairs if not example or pair.name == name), None)
    if pair is None:
        raise NotRun(f"the contract has no call {name!r}, which the example presumes")
    caller = caller_of(session, pair, pair.response.presumes.identity or identity)
    session.call(pair.operation, session.example_request(pair, caller))


def caller_of(session: Session, pair: ExamplePair, wanted: str | None) -> Identity | None:
    """Return who makes the call of an example: the account of a name, else one that may; None where anybody may.

    Raises:
        NotRun: nobody may.
    """
    operation = pair.operation
    if not operation.security:
        return None
    identity = session.run.identities.named(wanted) if wanted else None
    identity = identity or session.run.allowed(operation)
    if identity is not None and operation.effect == "credentials" and session.run.control is None:
        return session.login_for(operation, identity)
    return identity
