"""Checks of methods that a server tells of: what OPTIONS allows, and HEAD beside GET."""

from __future__ import annotations

from functools import partial

from mockserver.contract.model import Operation
from mockserver.suite.checks.planned_check import PlannedCheck
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.verdicts.failures import CheckFailure, NotRun

_NOT_ALLOWED = 405
#: Status codes of a server that does not have HEAD or OPTIONS there.
_MISSING = frozenset({400, 401, 403, 404, 405, 501})
#: So many undefined methods of an `Allow` field are tried.
_MOST_TRIED = 2
#: Servers may have these without a contract's saying so.
_IMPLICIT = frozenset({"HEAD", "OPTIONS", "TRACE", "CONNECT"})


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return for each selected path a check of OPTIONS, and for each GET operation one of HEAD, where undefined."""
    found: list[PlannedCheck] = []
    for path, methods in run.contract.by_path.items():
        operations = list(methods.values())
        if not any(run.has_selected(operation) for operation in operations):
            continue
        if "OPTIONS" not in methods:
            # Made last, when it is known which methods work.
            check = partial(options_tell_the_methods, operations=operations)
            found.append(PlannedCheck("options_tell_the_methods", f"OPTIONS {path}", check, last=True))
        reading = methods.get("GET")
        if reading is not None and run.has_selected(reading) and "HEAD" not in methods:
            check = partial(head_is_like_get, operation=reading)
            found.append(PlannedCheck("head_is_like_get", f"HEAD {path}", check))
    return found


def options_tell_the_methods(session: Session, *, operations: list[Operation]) -> int:
    """Check that `Allow` in a response to OPTIONS names what works, and nothing that gets 405 (RFC 9110, 10.2.1)."""
    first = operations[0]
    label = f"OPTIONS {first.path}"
    like = session.request(first, _anyone(session, first))
    exchange = session.probe(label, WireRequest("OPTIONS", like.path, like.fields))
    response = exchange.response
    assert response is not None
    shown = response.field("Allow")
    if shown is None or not (response.successful or response.status == _NOT_ALLOWED):
        raise NotRun(f"the response to OPTIONS is {response.status} {'without' if shown is None else 'with'} Allow")
    allowed = {name.strip().upper() for name in shown.split(",") if name.strip()}
    statuses = {one.method: session.run.verdicts.statuses.of(one.label) for one in operations}
    working = {method for method, seen in statuses.items() if any(200 <= status < 300 for status in seen)}
    refused = {method for method, seen in statuses.items() if seen and set(seen) <= {_NOT_ALLOWED}} & allowed
    for method in sorted(allowed - statuses.keys() - _IMPLICIT)[:_MOST_TRIED]:
        other = session.probe(f"{method} {first.path}", WireRequest(method, like.path, like.fields)).response
        refused |= {method} if other is not None and other.status == _NOT_ALLOWED else set()
    missing = sorted(working - allowed)
    if missing or refused:
        got = f"Allow: {shown}" + (f", without {', '.join(missing)}, which works" if missing else "")
        got += f", with {', '.join(sorted(refused))}, which gets 405" if refused else ""
        raise CheckFailure(
            "options_tell_the_methods",
            label,
            "Allow does not name the methods that work",
            expected=f"Allow: {', '.join(sorted((allowed | working) - refused))}",
            got=got,
            pointer=first.pointer.rpartition("/")[0],
            rule="silent",
            exchange=exchange,
        )
    return 1


def head_is_like_get(session: Session, *, operation: Operation) -> int:
    """Check that HEAD is answered as GET is, without the content: same status, same length (RFC 9110, 9.3.2, 8.6).

    That no content comes is judged by `answers_keep_to_http`. A server need not have HEAD.
    """
    label = f"HEAD {operation.path}"
    request = session.valid_request(operation, session.run.allowed(operation))
    before = session.call(operation, request)
    if not before.successful:
        raise NotRun(f"GET is answered with {before.status}")
    exchange = session.probe(label, WireRequest("HEAD", request.path, request.fields))
    response = exchange.response
    assert response is not None
    if response.status in _MISSING or response.status >= 500:
        raise NotRun(f"HEAD is answered with {response.status}")
    after = session.call(operation, request)
    length = response.field("Content-Length")
    same = before.status == after.status and len(before.body) == len(after.body) and not before.unread
    coded = before.field("Content-Encoding") or response.field("Content-Encoding")
    got = ""
    if same and response.status != before.status:
        got = str(response.status)
    elif same and not coded and response.successful and length is not None and length != str(len(before.body)):
        got = f"Content-Length: {length}"
    if got:
        raise CheckFailure(
            "head_is_like_get",
            label,
            "HEAD is not answered as GET is",
            expected=f"{before.status} and, if any, Content-Length: {len(before.body)}",
            got=got,
            pointer=operation.pointer,
            rule="silent",
            exchange=exchange,
        )
    return 1


def _anyone(session: Session, operation: Operation) -> Identity | None:
    """Return an identity that may call an operation, None if none is known."""
    try:
        return session.run.allowed(operation)
    except NotRun:
        return None
