"""Callers: the identity that makes a call, and the credentials that it sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockserver.contract.model import Operation, SecurityScheme
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.session import Run, Session
from mockserver.suite.verdicts.failures import NotRun


def caller_for(session: Session, operation: Operation) -> Identity:
    """Return an identity that may call an operation, freshly logged in if the operation ends credentials."""
    identity = session.run.allowed(operation) or session.run.admin
    return session.login_for(operation, identity) if operation.effect == "credentials" else identity


def caller_or_stranger(session: Session, operation: Operation) -> Identity:
    """Return an identity that may call an operation, or a made-up account if there is none."""
    try:
        return caller_for(session, operation)
    except NotRun:
        return Identity(canary(session, "UNKNOWN_USER"))


def scheme_of(run: Run, operation: Operation) -> SecurityScheme:
    """Return the security scheme that wrong credentials are tried for: the first of an operation's requirement."""
    return run.contract.security_schemes[next(iter(_requirement(run, operation)))]


def showing(run: Run, operation: Operation, identity: Identity, secret: str) -> Identity:
    """Return an identity that sends a given secret for the first scheme, and its own secrets for the others."""
    schemes = run.contract.security_schemes
    first, *others = _requirement(run, operation)
    shown = {first: secret}
    for name in others:
        held = identity.credential(schemes[name])
        shown[name] = secret if held is None else held
    return identity.showing(shown)


def canary(session: Session, name: str) -> str:
    """Return a made-up secret that is registered, so that it is masked in all output."""
    value = session.run.canaries.make(name)
    session.run.secrets.add(f"MADE_UP_{name}", value)
    return value


def _requirement(run: Run, operation: Operation) -> Mapping[str, tuple[str, ...]]:
    """Return the smallest security requirement of an operation that an identity can meet, else the first of all.

    With wrong credentials for a part of a larger one, the rest may be all that another requirement asks for.
    """

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

    return min(met(), key=len, default=operation.security[0])
