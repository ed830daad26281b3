"""What the contract does not define, methods and paths, is not refused as such; once for each path."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.http.path_templates import parse_template
from mockserver.selftest.catalogue import Behind, Catalogue, Mutation
from mockserver.selftest.mutated_operation import Sign, Subject
from mockserver.selftest.traffic import Call, Reply, crash

ROUTES = Catalogue("routes")
_METHODS = ("PUT", "PATCH", "POST", "DELETE")


def _undefined(subject: Subject) -> str | None:
    """Return a method that the subject's path does not have; None where another operation stands for the path."""
    if not subject.first_at_its_path:
        return None
    defined = {item.method for item in subject.contract.operations if item.path == subject.operation.path}
    return next((method for method in _METHODS if method not in defined), None)


def _other_method(name: str, claim: str, change: Callable[[Call, Behind, Subject], Reply], *, crashes: bool) -> None:
    """Register a class about an undefined method on a defined path."""

    def make(subject: Subject) -> Mutation | None:
        method = _undefined(subject)
        if method is None:
            return None
        label = f"{method} {subject.operation.path}"
        signs: frozenset[Sign] = (
            subject.universal("no_server_error", label=label)
            if crashes
            else subject.silent("undefined_methods_are_refused", "unsupported_method", label=label)
        )

        def plant(call: Call, server: Behind) -> Reply:
            there = call.method == method and _is_at(call._replace(method=subject.operation.method), subject)
            return change(call, server, subject) if there else server.send(call)

        return Mutation(plant, signs)

    ROUTES.add(name, claim, make)


def _is_at(call: Call, subject: Subject) -> bool:
    """Tell whether a call's path is that of the subject."""
    concrete = {item.path for item in subject.contract.operations if "{" not in item.path}
    if call.path in concrete:
        return call.path == subject.operation.path
    return parse_template(subject.operation.path).match(call.path) is not None


def _as_another(call: Call, server: Behind, subject: Subject) -> Reply:
    return server.send(call._replace(method=subject.operation.method, operation=subject.operation))


def _as_nothing(call: Call, server: Behind, _subject: Subject) -> Reply:
    reply = server.send(call)
    return reply._replace(status=404) if reply.status == 405 else reply


def _without_allow(call: Call, server: Behind, _subject: Subject) -> Reply:
    return server.send(call).with_field("Allow", None)


def _with_more_allowed(call: Call, server: Behind, _subject: Subject) -> Reply:
    reply = server.send(call)
    return reply.with_field("Allow", f"{reply.field('Allow')}, {call.method}") if reply.status == 405 else reply


def _crash(_call: Call, server: Behind, _subject: Subject) -> Reply:
    server.activate()
    return crash()


_METHOD_ROWS: tuple[tuple[str, str, Callable[[Call, Behind, Subject], Reply], bool], ...] = (
    ("method_taken_for_another", "A method that is not defined does what another one does.", _as_another, False),
    ("method_not_found", "A method that is not defined is not found, as if the path was none.", _as_nothing, False),
    ("allow_missing", "A refusal of a method does not say which methods there are.", _without_allow, False),
    ("allow_names_more", "A refusal of a method names the method among those that are allowed.",
     _with_more_allowed, False),
    ("method_crashes", "A method that nobody thought of makes the server fail.", _crash, True),
)  # fmt: skip

for _name, _claim, _change, _crashes in _METHOD_ROWS:
    _other_method(_name, _claim, _change, crashes=_crashes)


@ROUTES.mutant
def method_unguarded(subject: Subject) -> Mutation | None:
    """A method that is not defined does what another one does, for everybody: the guard has a list of methods."""
    method = _undefined(subject)
    at_path = [item for item in subject.contract.operations if item.path == subject.operation.path]
    if method is None or not all(item.security for item in at_path) or not subject.is_guarded:
        return None
    if subject.main is None or subject.main.status >= 300:
        return None
    label = f"{method} {subject.operation.path}"

    def plant(call: Call, server: Behind) -> Reply:
        if call.method != method or not _is_at(call._replace(method=subject.operation.method), subject):
            return server.send(call)
        return server.send(
            call._replace(method=subject.operation.method, operation=subject.operation).by(subject.mightiest)
        )

    return Mutation(plant, subject.universal("undefined_methods_ask_for_credentials", label=label))


@ROUTES.mutant
def head_unguarded(subject: Subject) -> Mutation | None:
    """HEAD tells whoever asks how long the answer to a GET is: the guard knows of the defined methods alone."""
    path = subject.operation.path
    here = [item for item in subject.contract.operations if item.path == path]
    if subject.operation.method != "GET" or not all(item.security for item in here) or not subject.is_guarded:
        return None
    if subject.main is None or subject.main.status >= 300:
        return None
    objects = subject.operation.objects
    if objects is not None and objects.requested and subject.mightiest.level not in objects.foreign:
        return None  # what the path names is somebody's own affair
    label = f"HEAD {path}"

    def plant(call: Call, server: Behind) -> Reply:
        if call.method != "HEAD" or not _is_at(call._replace(method="GET"), subject):
            return server.send(call)
        reply = server.send(call._replace(method="GET", operation=subject.operation).by(subject.mightiest))
        return reply._replace(body=b"")

    return Mutation(plant, subject.universal("undefined_methods_ask_for_credentials", label=label))


@ROUTES.mutant
def path_below_answered(subject: Subject) -> Mutation | None:
    """Whatever begins with a path is taken for it, as a route without an end does."""
    if not subject.first_at_its_path or "{" in subject.operation.path:
        return None
    path = subject.operation.path
    read = next((o for o in subject.contract.operations if o.path == path and o.method == "GET"), None)
    if read is None:
        return None

    def plant(call: Call, server: Behind) -> Reply:
        below = call.method == "GET" and call.path.startswith(path) and call.path != path
        return server.send(call._replace(path=path, operation=read) if below else call)

    return Mutation(plant, subject.silent("undefined_paths_are_refused", label=f"GET {path}"))


@ROUTES.mutant
def path_beside_answered(subject: Subject) -> Mutation | None:
    """A path that begins like another one is answered with success and a page: the front end's fallback."""
    if not subject.first_at_its_path or "{" in subject.operation.path:
        return None
    path = subject.operation.path
    start = path.rstrip("/")

    def plant(call: Call, server: Behind) -> Reply:
        beside = call.method == "GET" and call.path.startswith(start) and call.operation is None
        if not beside:
            return server.send(call)
        page = b"<!doctype html><title>Admin</title><div id=app></div>"
        return Reply(200, (("Content-Type", "text/html"),), page)

    return Mutation(plant, subject.silent("undefined_paths_are_refused", label=f"GET {path}"))


@ROUTES.mutant
def path_fails(subject: Subject) -> Mutation | None:
    """A path below a defined one makes the server fail."""
    if not subject.first_at_its_path or "{" in subject.operation.path:
        return None
    start = subject.operation.path.rstrip("/")

    def plant(call: Call, server: Behind) -> Reply:
        beside = call.method == "GET" and call.path.startswith(start) and call.operation is None
        return crash() if beside else server.send(call)

    return Mutation(plant, subject.universal("no_server_error", label=f"GET {subject.operation.path}"))


@ROUTES.mutant
def absent_is_there(subject: Subject) -> Mutation | None:
    """What does not exist is answered like what does: a misspelt name is stored, and never used."""
    main = subject.main
    if main is None or main.status != 404:
        return None
    success = Reply(200, (("Content-Type", "application/json"),), b'{"status": "stored"}')

    def plant(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        return success if call.operation is subject.operation and reply.status == 404 else reply

    return Mutation(plant, subject.silent("status_is_documented"))
