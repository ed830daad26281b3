"""Mutants with doors beside the path: spellings, fields and methods that lead around the credentials."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from mockserver.http.path_templates import parse_template
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.interceptors import only_here
from mockserver.selftest.mutants.state.kept_items import DELETE, MERGE, REPLACE, kept
from mockserver.selftest.mutated_operation import MutatedOperation
from mockserver.selftest.traffic import MutantRequest, MutantResponse

DOORS = Catalogue("doors")
_LOOPBACK = "127.0.0.1"
#: Returns the request that a door makes of one without credentials, None if it does not open for it.
_Through = Callable[[MutatedOperation, MutantRequest], "MutantRequest | None"]


def _door(name: str, fault: str, check: str, through: _Through) -> None:
    """Register a class of mutants that carry out some requests without credentials as the highest-level account."""

    def make(subject: MutatedOperation) -> Mutation | None:
        operation, entrance = subject.operation, subject.entrance
        if operation.method != "GET" or entrance is None or operation.effect is not None or subject.is_login:
            return None
        objects = operation.objects
        if subject.main is None or subject.main.status >= 300 or (objects is not None and objects.requested):
            return None  # no read whose content tells
        siblings = [one for one in subject.contract.operations if one.path == operation.path]
        if not all(one.security for one in siblings):
            return None

        def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
            # Who shows credentials needs no other door; a header field or query of a door is none.
            there = through(subject, request) if not entrance.text(request) else None
            if there is None:
                return server.send(request)
            return server.send(subject.by(there, subject.highest_account))

        return Mutation(intercept, subject.universal(check))

    DOORS.add(name, fault, make)


def _read(subject: MutatedOperation, request: MutantRequest, path: str) -> MutantRequest | None:
    """Return a request for the operation at a path, None if that is not the operation's."""
    operation = subject.operation
    concrete = {one.path for one in subject.contract.operations if "{" not in one.path}
    if path in concrete and path != operation.path:
        return None
    if parse_template(operation.path).match(path) is None:
        return None
    return request._replace(method=operation.method, path=path, operation=operation, body=b"", content_type=None)


def _normalised(subject: MutatedOperation, request: MutantRequest, path: str) -> MutantRequest | None:
    return None if path == request.path or request.method != "GET" else _read(subject, request, path)


def _one_slash(subject: MutatedOperation, request: MutantRequest) -> MutantRequest | None:
    return _normalised(subject, request, re.sub("/{2,}", "/", request.path))


def _any_end(subject: MutatedOperation, request: MutantRequest) -> MutantRequest | None:
    path = request.path
    return _normalised(subject, request, path.rstrip("/") if path.endswith("/") else f"{path}/")


def _without_parameters(subject: MutatedOperation, request: MutantRequest) -> MutantRequest | None:
    return _normalised(subject, request, re.sub(";[^/]*", "", request.path))


def _without_dots(subject: MutatedOperation, request: MutantRequest) -> MutantRequest | None:
    found: list[str] = []
    for segment in request.path.split("/")[1:]:
        if segment == "..":
            del found[-1:]
        elif segment != ".":
            found.append(segment)
    return _normalised(subject, request, "/" + "/".join(found))


def _from_here(subject: MutatedOperation, request: MutantRequest) -> MutantRequest | None:
    if request.operation is not subject.operation:
        return None
    return request if request.environ.get("HTTP_X_FORWARDED_FOR") == _LOOPBACK else None


def _logged_in(subject: MutatedOperation, request: MutantRequest) -> MutantRequest | None:
    if request.operation is not subject.operation:
        return None
    return request if request.environ.get("HTTP_X_REMOTE_USER") else None


def _original_path(subject: MutatedOperation, request: MutantRequest) -> MutantRequest | None:
    """Return the read of the path in `X-Original-URL`, whatever path was asked for."""
    named = urlsplit(request.environ.get("HTTP_X_ORIGINAL_URL", ""))
    path = re.sub(r"^/__world__/[^/]+", "", unquote(named.path))
    if not path or path == request.path:
        return None
    there = request._replace(environ={**request.environ, "QUERY_STRING": named.query})
    return _read(subject, there, path)


def _overridden(subject: MutatedOperation, request: MutantRequest) -> MutantRequest | None:
    if request.method == "GET" or request.environ.get("HTTP_X_HTTP_METHOD_OVERRIDE") != "GET":
        return None
    return _read(subject, request, request.path)


_SPELLINGS, _FIELDS = "other_spellings_are_refused", "forged_fields_are_refused"
_ROWS: tuple[tuple[str, str, str, _Through], ...] = (
    ("doubled_slash_unguarded", "Server that asks for credentials at a path, but not at it with a doubled slash.",
     _SPELLINGS, _one_slash),
    ("last_slash_unguarded", "Server that asks for credentials at a path, but not at it with another last slash.",
     _SPELLINGS, _any_end),
    ("path_parameter_unguarded", "Server that asks for credentials at a path, but not with `;x` in a segment.",
     _SPELLINGS, _without_parameters),
    ("dot_segments_unguarded", "Server that resolves `..` in a path after it has looked whether the path is guarded.",
     _SPELLINGS, _without_dots),
    ("forwarded_address_trusted", "Server that believes X-Forwarded-For: clients of its own machine are let in.",
     _FIELDS, _from_here),
    ("forwarded_user_trusted", "Server that believes X-Remote-User, which only its proxy should send.",
     _FIELDS, _logged_in),
    ("forwarded_path_trusted", "Server that serves the path in X-Original-URL and guards the one that was asked for.",
     _FIELDS, _original_path),
    ("overridden_method_unguarded", "Server that guards methods before it reads X-HTTP-Method-Override.",
     "overridden_methods_are_refused", _overridden),
)  # fmt: skip

for _row in _ROWS:
    _door(*_row)


@DOORS.mutant
def stranger_acts_on_items(subject: MutatedOperation) -> Mutation | None:
    """Server that carries out a write or deletion of an item without credentials before it responds with 401."""
    found = kept(subject, REPLACE, MERGE, DELETE)
    if found is None or subject.entrance is None:
        return None
    entrance = subject.entrance

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        if response.status == 401 and not entrance.text(request):
            server.send(subject.by(request, subject.highest_account))
        return response

    return Mutation(only_here(subject, act), subject.universal("refused_callers_change_nothing"))
