"""Mutants with wrong responses to undefined methods and paths; one mutant for each path."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.http.path_templates import parse_template
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.mutated_operation import MutatedOperation, Sign
from mockserver.selftest.traffic import MutantRequest, MutantResponse, crash

ROUTES = Catalogue("routes")
#: Returns the response of a broken server.
_Behave = Callable[[MutantRequest, Backend, MutatedOperation], MutantResponse]
_METHODS = ("PUT", "PATCH", "POST", "DELETE")


def _undefined(subject: MutatedOperation) -> str | None:
    """Return a method that the operation's path does not define, or None if another operation represents the path."""
    if not subject.first_at_its_path:
        return None
    defined = {item.method for item in subject.contract.operations if item.path == subject.operation.path}
    return next((method for method in _METHODS if method not in defined), None)


def _other_method(
    name: str,
    fault: str,
    change: _Behave,
    *,
    crashes: bool,
) -> None:
    """Register a class of mutants with wrong responses to an undefined method of a defined path."""

    def make(subject: MutatedOperation) -> Mutation | None:
        method = _undefined(subject)
        if method is None:
            return None
        label = f"{method} {subject.operation.path}"
        signs: frozenset[Sign] = (
            subject.universal("no_server_error", label=label)
            if crashes
            else subject.silent("undefined_methods_are_refused", "unsupported_method", label=label)
        )

        def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
            there = request.method == method and _is_at(request._replace(method=subject.operation.method), subject)
            return change(request, server, subject) if there else server.send(request)

        return Mutation(intercept, signs)

    ROUTES.add(name, fault, make)


def _is_at(request: MutantRequest, subject: MutatedOperation) -> bool:
    """Tell whether a request's path is the path of the mutated operation."""
    concrete = {item.path for item in subject.contract.operations if "{" not in item.path}
    if request.path in concrete:
        return request.path == subject.operation.path
    return parse_template(subject.operation.path).match(request.path) is not None


def _as_another(request: MutantRequest, server: Backend, subject: MutatedOperation) -> MutantResponse:
    return server.send(request._replace(method=subject.operation.method, operation=subject.operation))


def _as_nothing(request: MutantRequest, server: Backend, _subject: MutatedOperation) -> MutantResponse:
    response = server.send(request)
    return response._replace(status=404) if response.status == 405 else response


def _without_allow(request: MutantRequest, server: Backend, _subject: MutatedOperation) -> MutantResponse:
    return server.send(request).with_field("Allow", None)


def _with_more_allowed(request: MutantRequest, server: Backend, _subject: MutatedOperation) -> MutantResponse:
    response = server.send(request)
    return (
        response.with_field("Allow", f"{response.field('Allow')}, {request.method}")
        if response.status == 405
        else response
    )


def _crash(_request: MutantRequest, server: Backend, _subject: MutatedOperation) -> MutantResponse:
    server.activate()
    return crash()


_METHOD_ROWS: tuple[tuple[str, str, _Behave, bool], ...] = (
    ("method_taken_for_another", "Server that treats an undefined method of a path like a defined one.",
     _as_another, False),
    ("method_not_found", "Server that responds with 404, not 405, to an undefined method of a defined path.",
     _as_nothing, False),
    ("allow_missing", "Server that responds with 405 without an Allow field.", _without_allow, False),
    ("allow_names_more", "Server that lists the refused method in the Allow field of a 405 response.",
     _with_more_allowed, False),
    ("method_crashes", "Server that fails with 500 on an undefined method.", _crash, True),
)  # fmt: skip

for _name, _fault, _change, _crashes in _METHOD_ROWS:
    _other_method(_name, _fault, _change, crashes=_crashes)


@ROUTES.mutant
def method_unguarded(subject: MutatedOperation) -> Mutation | None:
    """Server that carries out undefined methods without asking for credentials."""
    method = _undefined(subject)
    at_path = [item for item in subject.contract.operations if item.path == subject.operation.path]
    if method is None or not all(item.security for item in at_path) or not subject.is_guarded:
        return None
    # What a write needs may not be there, and what belongs to its owner alone nobody else gets.
    objects = subject.operation.objects
    confined = objects is not None and objects.requested and subject.highest_account.level not in objects.foreign
    if subject.main is None or subject.main.status >= 300 or subject.operation.method != "GET" or confined:
        return None
    label = f"{method} {subject.operation.path}"

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        if request.method != method or not _is_at(request._replace(method=subject.operation.method), subject):
            return server.send(request)
        there = request._replace(method=subject.operation.method, operation=subject.operation)
        return server.send(subject.by(there, subject.highest_account))

    return Mutation(intercept, subject.universal("undefined_methods_ask_for_credentials", label=label))


@ROUTES.mutant
def head_unguarded(subject: MutatedOperation) -> Mutation | None:
    """Server that answers HEAD without credentials where GET requires them."""
    path = subject.operation.path
    here = [item for item in subject.contract.operations if item.path == path]
    if subject.operation.method != "GET" or not all(item.security for item in here) or not subject.is_guarded:
        return None
    if subject.main is None or subject.main.status >= 300:
        return None
    objects = subject.operation.objects
    if objects is not None and objects.requested and subject.highest_account.level not in objects.foreign:
        return None  # no level may act on the objects of others there
    label = f"HEAD {path}"

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        if request.method != "HEAD" or not _is_at(request._replace(method="GET"), subject):
            return server.send(request)
        read = request._replace(method="GET", operation=subject.operation)
        return server.send(subject.by(read, subject.highest_account))._replace(body=b"")

    return Mutation(intercept, subject.universal("undefined_methods_ask_for_credentials", label=label))


@ROUTES.mutant
def path_below_accepted(subject: MutatedOperation) -> Mutation | None:
    """Server that takes every path which begins with a defined path for that path."""
    if not subject.first_at_its_path or "{" in subject.operation.path:
        return None
    path = subject.operation.path
    read = next((o for o in subject.contract.operations if o.path == path and o.method == "GET"), None)
    if read is None or any(other.path != path and other.path.startswith(path) for other in subject.contract.operations):
        return None

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        below = request.method == "GET" and request.path.startswith(path) and request.path != path
        return server.send(request._replace(path=path, operation=read) if below else request)

    return Mutation(intercept, subject.silent("undefined_paths_are_refused", label=f"GET {path}"))


@ROUTES.mutant
def path_beside_accepted(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 200 and an HTML page to undefined paths: a front end's fallback."""
    if not subject.first_at_its_path or "{" in subject.operation.path:
        return None
    path = subject.operation.path
    start = path.rstrip("/")

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        beside = request.method == "GET" and request.path.startswith(start) and request.operation is None
        if not beside:
            return server.send(request)
        page = b"<!doctype html><title>Admin</title><div id=app></div>"
        return MutantResponse(200, (("Content-Type", "text/html"),), page)

    return Mutation(intercept, subject.silent("undefined_paths_are_refused", label=f"GET {path}"))


@ROUTES.mutant
def path_fails(subject: MutatedOperation) -> Mutation | None:
    """Server that fails with 500 on a path below a defined one."""
    if not subject.first_at_its_path or "{" in subject.operation.path:
        return None
    start = subject.operation.path.rstrip("/")

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        beside = request.method == "GET" and request.path.startswith(start) and request.operation is None
        return crash() if beside else server.send(request)

    return Mutation(intercept, subject.universal("no_server_error", label=f"GET {subject.operation.path}"))


@ROUTES.mutant
def absent_is_there(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with success for a resource that does not exist, where 404 is documented."""
    operation = subject.operation
    above, _, name = operation.path.rstrip("/").rpartition("/")
    beside = [item for item in subject.contract.operations if item.path.rstrip("/").rpartition("/")[0] == above]
    # One for all names beside each other; where one of them stands for any name, none is undefined.
    if not name or "{" in above or any("{" in item.path for item in beside):
        return None
    if next(item for item in beside if item.method == operation.method) is not operation:
        return None
    success = MutantResponse(200, (("Content-Type", "application/json"),), b'{"status": "stored"}')

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        there = request.method == operation.method and request.path.rstrip("/").rpartition("/")[0] == above
        return success if there and request.operation is None and response.status == 404 else response

    documented = subject.contract.errors.get("404")
    check = "undefined_names_are_refused"
    return Mutation(intercept, subject.stated(documented.pointer, check) if documented else subject.silent(check))
