"""Checks of doors beside the path: other paths, methods and fields than the contract's that lead around credentials.

Each is tried without credentials, and is open if it gives what the call with credentials gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from mockserver.contract.model import Operation
from mockserver.contract.roles import is_login
from mockserver.http.pointers import child
from mockserver.suite.access.protected_calls import ProtectedCall, protected_call, same_content
from mockserver.suite.access.spellings import spellings
from mockserver.suite.cases.preceding_calls import set_up
from mockserver.suite.checks.planned_check import Attempts, OperationCheck, PlannedCheck, on_operation
from mockserver.suite.identities.identities import asks_for_credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, WireRequest
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion

#: On a machine of somebody else, so many operations are tried, and so many requests of each kind are sent.
_FEW_OPERATIONS, _FEW = 2, 3
#: Fields by which proxies tell the address of a client (RFC 7239 for `Forwarded`), and that of this machine.
_ADDRESSES = (
    *(
        (f"X-{name}", "127.0.0.1")
        for name in ("Forwarded-For", "Real-IP", "Client-IP", "Remote-Addr", "Originating-IP")
    ),
    ("True-Client-IP", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1;host=localhost"),
    ("X-Forwarded-Host", "localhost"),
)
#: Fields by which proxies tell who has logged in with them.
_USERS = ("X-Forwarded-User", "X-Remote-User", "Remote-User", "X-WEBAUTH-USER", "X-Auth-Request-User", "X-User")
#: Fields by which proxies tell the path that was asked for.
_PATHS = ("X-Original-URL", "X-Rewrite-URL")
#: Fields by which clients that can send only GET and POST name another method.
METHOD_FIELDS = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return the checks of doors for each selected read that asks for credentials; a few on other machines."""
    reads = [operation for operation in run.selected if _is_read(run, operation)]
    found: list[PlannedCheck] = []
    for operation in reads[:_FEW_OPERATIONS] if run.policy.foreign else reads:
        found += [on_operation(check, operation, ready=set_up) for check in CHECKS]
    return found


def _is_read(run: Run, operation: Operation) -> bool:
    return (
        operation.method == "GET"
        and asks_for_credentials(run.contract, operation)
        and operation.effect is None
        and not is_login(operation)
        and run.policy.refusal("GET", operation) is None
    )


@dataclass(frozen=True, slots=True)
class _Door:
    """One way around the credentials.

    Attributes:
        how: what is special about it.
        request: without credentials.
        parts: the same with one of its fields each, to tell which one of several opens it.
    """

    how: str
    request: WireRequest
    parts: tuple[_Door, ...] = ()


def other_spellings_are_refused(session: Session, operation: Operation) -> int:
    """Check that other spellings of a path are refused without credentials as the path itself is."""
    call = protected_call(session, operation)
    path, question, query = call.bare.path.partition("?")
    doors = [
        _Door(how, replace(call.bare, path=other + question + query))
        for how, other in spellings(operation.path, path, _public_path(session))
        if _is_free(session, operation, other)
    ]
    return _refused("other_spellings_are_refused", "at another spelling of its path", session, call, doors)


def forged_fields_are_refused(session: Session, operation: Operation) -> int:
    """Check that fields by which proxies tell address, user or path give no access without credentials."""
    call = protected_call(session, operation)
    name = call.caller.username or "admin"
    doors = [_with(call.bare, "", _ADDRESSES), _with(call.bare, "", [(field, name) for field in _USERS])]
    base = urlsplit(session.run.target.base_url).path.rstrip("/")
    public = _public_path(session) or "/"
    doors += [_with(call.bare, "", [(field, base + public)]) for field in _PATHS]
    if _is_free(session, operation, public) or _is_public(session, public):
        elsewhere = replace(call.bare, path=public)
        doors += [_with(elsewhere, f"{public} with ", [(field, base + call.bare.path)]) for field in _PATHS]
    return _refused("forged_fields_are_refused", "with forged fields", session, call, doors)


def overridden_methods_are_refused(session: Session, operation: Operation) -> int:
    """Check that a field or query that names another method gives no access without credentials."""
    call = protected_call(session, operation)
    path, _, query = call.bare.path.partition("?")
    defined = session.run.resolver.methods_at(path)
    doors = []
    for method in ("OPTIONS", "POST"):
        if method not in defined:  # else it does something by itself
            bare = replace(call.bare, method=method)
            doors.append(_with(bare, f"{method} with ", [(field, "GET") for field in METHOD_FIELDS]))
            asked = f"{path}?{query}{'&' * bool(query)}_method=GET"
            doors.append(_Door(f"{method} with the query _method=GET", replace(bare, path=asked)))
    return _refused("overridden_methods_are_refused", "with another method", session, call, doors)


def _with(bare: WireRequest, how: str, fields: Sequence[tuple[str, str]]) -> _Door:
    """Return the door of a request with more header fields."""
    names = [f"{name}: {value}" for name, value in fields]
    parts = [_with(bare, how, [field]) for field in fields] if len(fields) > 1 else []
    sent = tuple(field for field in bare.fields if field[0].lower() not in {name.lower() for name, _ in fields})
    return _Door(how + " and ".join(names), replace(bare, fields=(*sent, *fields)), tuple(parts))


def _refused(check: str, where: str, session: Session, call: ProtectedCall, doors: Sequence[_Door]) -> int:
    """Try doors; raise a CheckFailure that names all that are open.

    Raises:
        CheckFailure: some are.
        NotRun: some could not be tried.
    """
    if not doors:
        raise NoOccasion("there is no other way to try")
    few = session.run.policy.foreign or session.run.target.rate_limiter.rate is not None
    opened: list[tuple[_Door, Exchange]] = []
    attempts = Attempts()
    for door in doors[:_FEW] if few else doors:
        with attempts.each():
            exchange = session.probe(call.operation.label, door.request)
            if _is_open(session, call, exchange):
                opened += _parts(session, call, door) or [(door, exchange)]
    with attempts.each(0):
        if opened:
            raise _failure(check, where, call, opened)
    return attempts.conclude()


def _parts(session: Session, call: ProtectedCall, door: _Door) -> list[tuple[_Door, Exchange]]:
    """Return the first part of a door that is open by itself, with its exchange; nothing if none is."""
    for part in door.parts:
        exchange = session.probe(call.operation.label, part.request)
        if _is_open(session, call, exchange):
            return [(part, exchange)]
    return []


def _is_open(session: Session, call: ProtectedCall, exchange: Exchange) -> bool:
    """Tell whether an exchange shows what callers with credentials get, and the server does not show it everywhere."""
    request, response = exchange.request, exchange.response
    if response is None or not response.successful:
        return False
    same_place = request.path.partition("?")[0] == call.bare.path.partition("?")[0]
    same_call = same_place and request.method == call.bare.method
    if not (call.given.body or same_call) or not same_content(call.given, response, shape=same_place):
        return False  # without content it may be something else that succeeded
    if same_place:
        return True
    # A server of web pages shows one page wherever it has nothing.
    name = session.run.canaries.make("path", 12)
    nowhere = session.probe(call.operation.label, replace(call.bare, path=f"/undefined-{name}"))
    return nowhere.response is None or not same_content(response, nowhere.response)


def _failure(check: str, where: str, call: ProtectedCall, opened: Sequence[tuple[_Door, Exchange]]) -> CheckFailure:
    exchange, refused = opened[0][1], call.refused.response
    assert exchange.response is not None
    assert refused is not None
    named = "; ".join(dict.fromkeys(door.how for door, _ in opened))
    return CheckFailure(
        check,
        call.operation.label,
        f"accepted without credentials {where}",
        expected=f"a refusal, as without it ({refused.status})",
        got=f"{exchange.response.status} and what callers with credentials get, by {named}",
        pointer=child(call.operation.pointer, "security"),
        rule="universal",
        exchange=replace(exchange, history=(call.refused,)),
    )


def _is_free(session: Session, operation: Operation, path: str) -> bool:
    """Tell whether a path belongs to no other operation of the contract."""
    methods = session.run.resolver.methods_at(path)
    return not methods or methods.get(operation.method) is operation


def _is_public(session: Session, path: str) -> bool:
    found = session.run.resolver.methods_at(path).get("GET")
    return found is not None and found.label == f"GET {path}" and not asks_for_credentials(session.contract, found)


def _public_path(session: Session) -> str | None:
    """Return the path of a selected read that asks for no credentials, None if the contract has none."""
    run = session.run
    return next(
        (
            operation.path
            for operation in run.selected
            if operation.method == "GET"
            and "{" not in operation.path
            and not asks_for_credentials(run.contract, operation)
            and run.policy.refusal("GET", operation) is None
        ),
        None,
    )


#: All checks of this theme.
CHECKS: tuple[OperationCheck, ...] = (
    other_spellings_are_refused,
    forged_fields_are_refused,
    overridden_methods_are_refused,
)
