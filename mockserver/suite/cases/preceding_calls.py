"""Preceding calls: earlier calls that bring a server to the state that an example presumes."""

from __future__ import annotations

from dataclasses import replace

from mockserver.contract.exchanges import ExamplePair, pair_named, presumed_success
from mockserver.contract.model import Operation, Presumptions
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.session import Session
from mockserver.suite.verdicts.failures import NotRun


def set_up(
    session: Session, operation: Operation, *, seed: bool = False, clock: bool = True, calls: bool = True
) -> None:
    """Prepare a world of our own stub so that an operation's first example of a success can succeed.

    Only on our own stub: no other server is changed for a check of another operation.

    Args:
        session: the session with the world.
        operation: the operation that is to succeed.
        seed: start from the seed data that the example presumes, which may lack accounts that credential checks need.
        clock: set the clock to the time that the example presumes.
        calls: make the calls that the example presumes.
    """
    if session.run.control is None:
        return
    presumes = presumed_success(operation)
    wanted = replace(
        presumes,
        seed=presumes.seed if seed else None,
        clock=presumes.clock if clock else None,
        calls=presumes.calls if calls else (),
    )
    arrange(session, wanted)


def arrange(session: Session, presumes: Presumptions) -> None:
    """Set up what an example presumes: seed data and clock on our own stub, and the preceding calls on any server.

    Raises:
        NotRun: the contract has no such call, or no identity may make it.
    """
    control = session.run.control
    if control is not None and presumes.seed is not None:
        control.start_from(session.world, presumes.seed)
    if control is not None and presumes.clock is not None:
        control.set_clock(session.world, presumes.clock)
    for name in presumes.calls:
        make_call(session, name, presumes.identity)


def make_call(session: Session, name: str, identity: str | None) -> None:
    """Make a preceding call that an example presumes, named as `operationId` or `operationId/example`.

    The caller is the account that the call's own example presumes, else `identity`.

    Raises:
        NotRun: the contract has no such call, or no identity may make it.
    """
    pair = pair_named(session.contract, name)
    if pair is None:
        raise NotRun(f"the contract has no call {name!r}, which the example presumes")
    caller = caller_of(session, pair, pair.response.presumes.identity or identity)
    session.set_up(pair.operation, session.example_request(pair, caller))


def caller_of(session: Session, pair: ExamplePair, wanted: str | None) -> Identity | None:
    """Return the identity for the call of an example: the wanted one, else any allowed one; None if none is needed.

    Raises:
        NotRun: no identity may make the call.
    """
    operation = pair.operation
    if not operation.security:
        return None
    identity = session.run.identities.named(wanted) if wanted else None
    identity = identity or session.run.allowed(operation)
    if identity is not None and operation.effect == "credentials" and session.run.control is None:
        return session.login_for(operation, identity)
    return identity
