"""Checks of security schemes: all of a requirement, each of several, and only at the place that the contract says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from mockserver.contract.model import Operation, SecurityScheme
from mockserver.http import basic
from mockserver.http.pointers import child
from mockserver.suite.access.protected_calls import ProtectedCall, protected_call, same_content
from mockserver.suite.access.ways import Way
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.cases.refused_requests import expect_refusal
from mockserver.suite.checks.planned_check import Attempts, OperationCheck, PlannedCheck, left_out, on_operation
from mockserver.suite.identities.callers import canary, scheme_of
from mockserver.suite.identities.identities import Identity, asks_for_credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.paths import query_parts
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun

#: Query parameters that servers take tokens from (RFC 6750, section 2.3, for the first).
_QUERY = ("access_token", "token")
#: So many other reads are tried where nobody is let in at the first.
_READS = 5


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the checks of schemes for each selected operation that asks for credentials and gives them occasion."""
    found: list[PlannedCheck] = []
    seen: set[tuple[tuple[str, ...], ...]] = set()
    for operation in run.selected:
        if not asks_for_credentials(run.contract, operation) or operation.effect is not None:
            continue
        if any(len(requirement) > 1 for requirement in operation.security):
            found.append(on_operation(partial_credentials_are_refused, operation, ready=set_up))
        if len(operation.security) > 1:
            found.append(on_operation(unknown_tokens_of_each_scheme_are_refused, operation, ready=set_up))
        asked = tuple(tuple(requirement) for requirement in operation.security)
        if operation.method == "GET" and asked not in seen:  # one read shows it for all
            seen.add(asked)
            check = misplaced_credentials_are_refused
            found.append(
                left_out(check.__name__, operation, "a secret in a query stays in logs, so it is only sent to loopback")
                if run.policy.foreign
                else on_operation(check, operation, ready=set_up)
            )
    return found


def partial_credentials_are_refused(session: Session, operation: Operation) -> int:
    """Check that each of several security schemes that are required together is required."""
    schemes, attempts, tried = session.contract.security_schemes, Attempts(), 0
    caller = session.run.allowed(operation)
    _expect_guarded(session, operation)
    # The part of one requirement may be the whole of another one.
    whole = [frozenset(requirement) for requirement in operation.security]
    for requirement in operation.security if caller is not None else ():
        held = {name: caller.credential(schemes[name]) for name in requirement} if caller is not None else {}
        if len(requirement) < 2 or not all(held.values()):
            continue
        for missing in requirement:
            shown = {name: secret for name, secret in held.items() if name != missing and secret}
            if any(one <= shown.keys() for one in whole):
                continue
            tried += 1
            with attempts.each():
                request = _showing(session, operation, _username(caller), shown)
                expect_refusal("partial_credentials_are_refused", session, operation, request, f"{missing} left out")
    if not tried:
        raise NotRun("it needs an identity with credentials for all schemes that are required together (--identities)")
    return attempts.conclude()


def unknown_tokens_of_each_scheme_are_refused(session: Session, operation: Operation) -> int:
    """Check that a made-up token is refused in each of the security schemes that an operation takes."""
    first, attempts = scheme_of(session.run, operation).name, Attempts()
    _expect_guarded(session, operation)
    for requirement in operation.security:
        if first in requirement:
            continue  # the check of unknown tokens tries it
        with attempts.each():
            shown = dict.fromkeys(requirement, canary(session, "UNKNOWN_TOKEN"))
            request = _showing(session, operation, canary(session, "UNKNOWN_USER"), shown)
            how = f"an unknown token for {' and '.join(requirement)}"
            expect_refusal("unknown_tokens_of_each_scheme_are_refused", session, operation, request, how)
    return attempts.conclude()


def misplaced_credentials_are_refused(session: Session, operation: Operation) -> int:
    """Check that valid credentials are accepted only at the place and in the scheme that the contract has for them."""
    call = _protected_call(session, operation)
    operation = call.operation
    scheme = scheme_of(session.run, operation)
    secret = call.caller.credential(scheme)
    if secret is None or any(len(requirement) > 1 for requirement in operation.security):
        raise NoOccasion("its credentials are of several schemes, or of none that is known")
    accepted: list[str] = []
    evidence = None
    attempts = Attempts()
    taken = {place for names in operation.security for name in names for place in _places(session, name)}
    for place, way in _misplaced(call.bare, scheme, call.caller.username, secret):
        if place in taken:
            continue
        with attempts.each():
            exchange = session.probe(operation.label, way.request)
            if exchange.response is not None and same_content(call.given, exchange.response, shape=True):
                accepted.append(way.how)
                evidence = evidence or replace(exchange, history=(call.refused,))
    with attempts.each(0):
        if accepted:
            raise CheckFailure(
                "misplaced_credentials_are_refused",
                operation.label,
                "valid credentials are accepted at another place than the contract's",
                expected=f"credentials {_described(scheme)} alone",
                got=f"a success with {'; '.join(accepted)}",
                pointer=child(operation.pointer, "security"),
                rule="silent",
                exchange=evidence,
            )
    return attempts.conclude()


def _protected_call(session: Session, operation: Operation) -> ProtectedCall:
    """Return a protected call of a read, or of another one that asks for the same, if nobody is let in there.

    Raises:
        NotRun: nobody is let in at any of them; with the reason of the first.
    """
    others = (one for one in session.run.selected if one.method == "GET" and one.effect is None)
    alike = [one for one in others if one.security == operation.security and one is not operation]
    try:
        return protected_call(session, operation)
    except NotRun as reason:
        for other in alike[:_READS]:
            with suppress(NotRun):
                return protected_call(session, other)
        raise reason from None


def _expect_guarded(session: Session, operation: Operation) -> None:
    if operation.label in session.run.opened:
        raise NoOccasion("it lets in callers without any credentials, which is the finding of another check")


def _username(caller: Identity | None) -> str:
    return caller.username if caller is not None else ""


def _showing(session: Session, operation: Operation, username: str, shown: Mapping[str, str]) -> WireRequest:
    """Return a request with credentials of some schemes only.

    Raises:
        NotRun: one of the schemes is not understood.
    """
    needed = replace(operation, security=(dict.fromkeys(shown, ()),))
    return session.valid_request(needed, Identity(username, schemes=dict(shown)))


def _misplaced(
    bare: WireRequest, scheme: SecurityScheme, username: str, secret: str
) -> Iterator[tuple[tuple[str, str], Way]]:
    """Yield requests with a secret at places and in schemes of others, each after that place: location and name."""

    def field(name: str, value: str, how: str) -> tuple[tuple[str, str], Way]:
        place = ("header", value.partition(" ")[0].lower() if name == "Authorization" else name.lower())
        return place, Way(how, bare.with_field(name, value))

    own = scheme.parameter if scheme.type == "apiKey" else ""
    if (scheme.type, scheme.location) != ("apiKey", "query"):
        for name in (own,) if own and own.lower() != "authorization" else _QUERY:
            mark = "&" if "?" in bare.path else "?"
            path = f"{bare.path}{mark}{query_parts(name, secret)[0]}"
            yield ("query", name), Way(f"the query parameter {name}", replace(bare, path=path))
    if own and scheme.location != "header":
        yield field(own, secret, f"the header field {own}")
    if own and scheme.location != "cookie":
        yield ("cookie", own), Way(f"the cookie {own}", bare.with_field("Cookie", f"{own}={secret}"))
    if own.lower() == "authorization":
        return  # what stands before the key there is up to the server
    if scheme.scheme != "bearer" and scheme.type not in {"oauth2", "openIdConnect"} and " " not in secret:
        yield field("Authorization", f"Bearer {secret}", "the scheme Bearer")
    if scheme.scheme != "basic":
        yield field("Authorization", basic.encode(f"{username or 'token'}:{secret}"), "the scheme Basic, as password")
        yield field("Authorization", f"Token {secret}", "the scheme Token")
        yield field("Authorization", secret, "Authorization without a scheme")


def _places(session: Session, name: str) -> Iterator[tuple[str, str]]:
    """Yield the places that a security scheme has for its credentials: location, and parameter or scheme."""
    scheme = session.contract.security_schemes[name]
    if scheme.type == "apiKey":
        yield scheme.location, scheme.parameter if scheme.location != "header" else scheme.parameter.lower()
    else:
        yield "header", scheme.scheme if scheme.type == "http" else "bearer"


def _described(scheme: SecurityScheme) -> str:
    if scheme.type == "apiKey":
        kind = {"header": "header field", "query": "query parameter", "cookie": "cookie"}.get(scheme.location, "place")
        return f"in the {kind} {scheme.parameter}"
    return f"of the scheme {scheme.scheme.capitalize() if scheme.type == 'http' else 'Bearer'}"


#: All checks of this theme.
CHECKS: tuple[OperationCheck, ...] = (
    partial_credentials_are_refused,
    unknown_tokens_of_each_scheme_are_refused,
    misplaced_credentials_are_refused,
)
