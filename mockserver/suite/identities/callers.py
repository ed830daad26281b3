"""Callers: who makes a call, and with which of the credentials that the contract asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockserver.contract.model import Operation, SecurityScheme
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.session import Run, Session
from mockserver.suite.verdicts.failures import NotRun


def caller_for(session: Session, operation: Operation) -> Identity:
    """Return who may call; with a token of this run's own where a mistake of the server would end it."""
    identity = session.run.allowed(operation) or session.run.admin
    return session.login_for(operation, identity) if operation.effect == "credentials" else identity


def caller_or_stranger(session: Session, operation: Operation) -> Identity:
    """Return who may call, or an account that nobody has: what is wrong needs no identity to be tried."""
    try:
        return caller_for(session, operation)
    except NotRun:
        return Identity(canary(session, "UNKNOWN_USER"))


def scheme_of(run: Run, operation: Operation) -> SecurityScheme:
    """Return the scheme that wrong credentials are shown for: the first of the requirement that is tried."""
    return run.contract.security_schemes[next(iter(_requirement(run, operation)))]


def showing(run: Run, operation: Operation, identity: Identity, secret: str) -> Identity:
    """Return an account that shows a secret for the scheme that is tried, and its own for what goes with it."""
    schemes = run.contract.security_schemes
    first, *others = _requirement(run, operation)
    shown = {first: secret}
    for name in others:
        held = identity.credential(schemes[name])
        shown[name] = secret if held is None else held
    return identity.showing(shown)


def canary(session: Session, name: str) -> str:
    """Return a made-up secret, which is masked wherever it would be shown."""
    value = session.run.canaries.make(name)
    session.run.secrets.add(f"MADE_UP_{name}", value)
    return value


def _requirement(run: Run, operation: Operation) -> Mapping[str, tuple[str, ...]]:
    """Return the first security requirement that who may call can meet, the first of all where nobody can."""

    def met() -> Iterator[Mapping[str, tuple[str, ...]]]:
        try:
            caller = run.allowed(operation)
        except NotRun:
            caller = None
        if caller is None:
            return
        for requirement in operation.security:
            if all(caller.credential(run.contract.security_schemes[name]) for name in requirement):
                yield requirement

    return next(met(), operation.security[0])
