"""What the contract does not define, methods and paths, is not refused as such; once for each path."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.http.path_templates import parse_template
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.mutated_operation import MutatedOperation, Sign
from mockserver.selftest.traffic import MutantRequest, MutantResponse, crash

ROUTES = Catalogue("routes")
_METHODS = ("PUT", "PATCH", "POST", "DELETE")


def _undefined(subject: MutatedOperation) -> str | None:
    """Return a method that the subject's path does not have; None where another operation stands for the path."""
    if not subject.first_at_its_path:
        return None
    defined = {item.method for item in subject.contract.operations if item.path == subject.operation.path}
    return next((method for method in _METHODS if method not in defined), None)


def _other_method(
    name: str,
    fault: str,
    change: Callable[[MutantRequest, Backend, MutatedOperation], MutantResponse],
    *,
    crashes: bool,
) -> None:
    """Register a class about an undefined method on a defined path."""

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
    """Tell whether a request's path is that of the subject."""
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


_METHOD_ROWS: tuple[tuple[str, str, Callable[[MutantRequest, Backend, MutatedOperation], MutantResponse], bool], ...] = (
    ("method_taken_for_another", "A method that is not defined does what another one does.", _as_another, False),
    ("method_not_found", "A method that is not defined is not found, as if the path was none.", _as_nothing, False),
    ("allow_missing", "A refusal of a method does not say which methods there are.", _without_allow, False),
    ("allow_names_more", "A refusal of a method names the method among those that are allowed.",
     _with_more_allowed, False),
    ("method_crashes", "A method that nobody thought of makes the server fail.", _crash, True),
)  # fmt: skip

for _name, _fault, _change, _crashes in _METHOD_ROWS:
    _other_method(_name, _fault, _change, crashes=_crashes)


@ROUTES.mutant
def method_unguarded(subject: MutatedOperation) -> Mutation | None:
    """A method that is not defined does what another one does, for everybody: the guard has a list of methods."""
    method = _undefined(subject)
    at_path = [item for item in subject.contract.operations if item.path == subject.operation.path]
    if method is None or not all(item.security for item in at_path) or not subject.is_guarded:
        return None
    if subject.main is None or subject.main.status >= 300:
        return None
    label = f"{method} {subject.operation.path}"

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        if request.method != method or not _is_at(request._replace(method=subject.operation.method), subject):
            return server.send(request)
        return server.send(
            request._replace(method=subject.operation.method, operation=subject.operation).by(subject.highest_account)
        )

    return Mutation(intercept, subject.universal("undefined_methods_ask_for_credentials", label=label))


@ROUTES.mutant
def path_below_answered(subject: MutatedOperation) -> Mutation | None:
    """Whatever begins with a path is taken for it, as a route without an end does."""
    if not subject.first_at_its_path or "{" in subject.operation.path:
        return None
    path = subject.operation.path
    read = next((o for o in subject.contract.operations if o.path == path and o.method == "GET"), None)
    if read is None:
        return None

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        below = request.method == "GET" and request.path.startswith(path) and request.path != path
        return server.send(request._replace(path=path, operation=read) if below else request)

    return Mutation(intercept, subject.silent("undefined_paths_are_refused", label=f"GET {path}"))


@ROUTES.mutant
def path_beside_answered(subject: MutatedOperation) -> Mutation | None:
    """A path that begins like another one is answered with success and a page: the front end's fallback."""
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
    """A path below a defined one makes the server fail."""
    if not subject.first_at_its_path or "{" in subject.operation.path:
        return None
    start = subject.operation.path.rstrip("/")

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        beside = request.method == "GET" and request.path.startswith(start) and request.operation is None
        return crash() if beside else server.send(request)

    return Mutation(intercept, subject.universal("no_server_error", label=f"GET {subject.operation.path}"))


@ROUTES.mutant
def absent_is_there(subject: MutatedOperation) -> Mutation | None:
    """What does not exist is answered like what does: a misspelt name is stored, and never used."""
    main = subject.main
    if main is None or main.status != 404:
        return None
    success = MutantResponse(200, (("Content-Type", "application/json"),), b'{"status": "stored"}')

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        return success if request.operation is subject.operation and response.status == 404 else response

    return Mutation(intercept, subject.silent("status_is_documented"))
