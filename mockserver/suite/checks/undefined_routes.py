"""Checks of undefined routes: methods and paths that the contract does not define are refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from mockserver.contract.model import Operation
from mockserver.contract.reading.document import METHODS
from mockserver.http.pointers import child
from mockserver.suite.checks.planned_check import Attempts, PlannedCheck, on_operation
from mockserver.suite.identities.identities import Identity, asks_for_credentials
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.verdicts.causes import missing_field, undefined_method
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun

#: Servers may respond to these by themselves (RFC 9110, sections 9.3.2, 9.3.7 and 9.3.8).
_IMPLICIT = frozenset({"HEAD", "OPTIONS", "TRACE"})
#: What says that nothing is there. A server that asks who is there before it says what is there is as good.
_REFUSALS = frozenset({404, 401, 403, 410})


def planned_checks(run: Run) -> list[PlannedCheck]:
    """Return probes of what is undefined: methods of each path, an undefined path below each, and names beside them."""
    found: list[PlannedCheck] = []
    for path, methods in run.contract.by_path.items():
        operations = list(methods.values())
        if not any(run.has_selected(operation) for operation in operations):
            continue
        # An operation that the suite could not read is not undefined.
        defined = {one.method for one in (*operations, *run.contract.refused) if one.path == path}
        for method in map(str.upper, METHODS):
            if method not in defined | _IMPLICIT:
                check = partial(undefined_methods_are_refused, operations=operations, method=method)
                found.append(PlannedCheck("undefined_methods_are_refused", f"{method} {path}", check))
        if all(asks_for_credentials(run.contract, operation) for operation in operations):
            for method in sorted({*map(str.upper, METHODS), "HEAD"} - defined - {"OPTIONS", "TRACE"}):
                check = partial(undefined_methods_ask_for_credentials, operations=operations, method=method)
                found.append(PlannedCheck("undefined_methods_ask_for_credentials", f"{method} {path}", check))
        check = partial(undefined_paths_are_refused, operation=operations[0])
        found.append(PlannedCheck("undefined_paths_are_refused", f"GET {path}", check))
    return [*found, *_names(run)]


def _names(run: Run) -> Iterator[PlannedCheck]:
    """Yield a probe for each method that names beside each other have, such as the settings below `/settings/`."""
    tried: set[tuple[str, str, bool]] = set()
    for operation in run.contract.operations:
        above, name, ends_with_slash = _beside(operation)
        if not name or "{" in name or not run.has_selected(operation):
            continue
        if (above, operation.method, ends_with_slash) not in tried:
            tried.add((above, operation.method, ends_with_slash))
            yield on_operation(undefined_names_are_refused, operation)


def _beside(operation: Operation) -> tuple[str, str, bool]:
    """Return the path above an operation's, the last segment of that, and whether a slash follows."""
    above, _, name = operation.path.rstrip("/").rpartition("/")
    return above, name, operation.path.endswith("/")


def undefined_methods_are_refused(session: Session, *, operations: list[Operation], method: str) -> int:
    """Check that an undefined method on a defined path gets 405 with `Allow` (RFC 9110, section 15.5.6)."""
    first = operations[0]
    label = f"{method} {first.path}"
    like = session.request(first, _anyone(session, first))
    body = b"{}" if method in {"POST", "PUT", "PATCH"} else None
    request = WireRequest(method, like.path, like.fields, body)
    request = request.with_field("Content-Type", "application/json") if body else request
    exchange = session.probe(label, request)
    response = exchange.response
    assert response is not None
    if response.status >= 500:
        return 1  # the finding of no_server_error
    got = cause = ""
    defined = {operation.method for operation in operations}
    allowed = {item.strip().upper() for item in (response.field("Allow") or "").split(",") if item.strip()}
    if response.status != 405:
        got = str(response.status)
        cause = undefined_method(response)
    elif response.field("Allow") is None:
        got, cause = "405 without Allow", missing_field("Allow")
    elif not defined <= allowed:
        got, cause = f"405 with Allow: {response.field('Allow')}", "Allow does not name every defined method"
    elif allowed - defined - _IMPLICIT:
        got = f"405 with Allow: {response.field('Allow')}, which names undefined methods"
        cause = "Allow names undefined methods"
    if got:
        raise CheckFailure(
            "undefined_methods_are_refused",
            label,
            "an undefined method is not refused with 405 and Allow",
            expected=f"405 with Allow: {', '.join(sorted(defined))}",
            got=got,
            pointer=_path_pointer(first),
            rule="silent",
            exchange=exchange,
            cause=cause,
        )
    return 1


def undefined_methods_ask_for_credentials(session: Session, *, operations: list[Operation], method: str) -> int:
    """Check that an undefined method is refused without credentials if all methods of its path require them."""
    first = operations[0]
    label = f"{method} {first.path}"
    like = session.request(first, None)
    body, media_type = _body_for(session, operations, method)
    request = WireRequest(method, like.path, like.fields, body)
    request = request.with_field("Content-Type", media_type) if media_type else request
    exchange = session.probe(label, request)
    assert exchange.response is not None
    if exchange.response.successful:
        raise CheckFailure(
            "undefined_methods_ask_for_credentials",
            label,
            "an undefined method is accepted without credentials",
            expected="401, 405 or 404",
            got=str(exchange.response.status),
            pointer=child(first.pointer, "security"),
            rule="universal",
            exchange=exchange,
        )
    return 1


def _body_for(session: Session, operations: list[Operation], method: str) -> tuple[bytes | None, str | None]:
    """Return valid content and media type of one of a path's operations, for a method that may have content.

    A server should ask for credentials before it looks at content.
    """
    for operation in operations if method in {"POST", "PUT", "PATCH"} else ():
        with suppress(NotRun):
            body, media_type = session.valid_body(operation)
            if body is not None:
                return body, media_type
    return None, None


def undefined_paths_are_refused(session: Session, *, operation: Operation) -> int:
    """Check that a path that the contract does not define gets 404, even with valid credentials."""
    label = f"GET {operation.path}"
    name = session.run.canaries.make("path", 12)
    like = session.request(operation, _anyone(session, operation))
    path, _, _ = like.path.partition("?")
    above = path.rstrip("/")
    # The root has no sibling path: a path beside it would begin with the same slash.
    paths = (f"{above}/undefined-{name}/", f"{above or '/'}-undefined-{name}/below/")
    attempts = Attempts()
    for undefined in paths:
        if session.run.resolver.methods_at(undefined):
            continue  # a template of the contract covers it
        with attempts.each():
            exchange = session.probe(label, WireRequest("GET", undefined, like.fields))
            assert exchange.response is not None
            if exchange.response.status not in _REFUSALS and exchange.response.status < 500:
                raise CheckFailure(
                    "undefined_paths_are_refused",
                    label,
                    "an undefined path is not refused with 404",
                    expected="404",
                    got=str(exchange.response.status),
                    pointer=_path_pointer(operation),
                    rule="silent",
                    exchange=exchange,
                )
    return attempts.conclude()


def undefined_names_are_refused(session: Session, operation: Operation) -> int:
    """Check that a name that the contract does not have, beside those that it has, gets 404 with any method."""
    if not session.run.policy.probes:
        raise NotRun("it probes names that the contract does not have, and --allow-writes probes was not given")
    like = session.request(operation, _anyone(session, operation))
    above = like.path.partition("?")[0].rstrip("/").rpartition("/")[0]
    name = session.run.canaries.make("path", 12)
    path = f"{above}/undefined-{name}{'/' if operation.path.endswith('/') else ''}"
    if session.run.resolver.methods_at(path):
        raise NoOccasion("any name there is one of the contract's")
    body, media_type = _body_for(session, [operation], operation.method)
    request = WireRequest(operation.method, path, like.fields, body)
    request = request.with_field("Content-Type", media_type) if media_type else request
    exchange = session.probe(operation.label, request)
    assert exchange.response is not None
    status = exchange.response.status
    if status in _REFUSALS or status >= 500 or (status == 405 and operation.method != "GET"):
        return 1  # a failure is the finding of no_server_error
    documented = session.run.contract.errors.get("404")
    raise CheckFailure(
        "undefined_names_are_refused",
        operation.label,
        "a name that is not defined is not refused as such",
        expected="404",
        got=str(status),
        pointer=documented.pointer if documented else _path_pointer(operation),
        rule="contract" if documented else "silent",
        exchange=exchange,
    )


def _anyone(session: Session, operation: Operation) -> Identity | None:
    """Return an identity that may call an operation, None if none is known."""
    try:
        return session.run.allowed(operation)
    except NotRun:
        return None


def _path_pointer(operation: Operation) -> str:
    return operation.pointer.rpartition("/")[0]
