"""Mutants that show secrets in responses."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.interceptors import only_here, with_response
from mockserver.selftest.mutated_operation import MutatedOperation, at, text_at
from mockserver.selftest.traffic import MutantRequest, MutantResponse

LEAKS = Catalogue("leaks")
_LEAK = "no_secret_comes_back"
_SECRET_LENGTH = 8


def _secret_members(subject: MutatedOperation) -> tuple[str, ...]:
    """Return the secret members that are long enough for a client to know them again; a one-time code is not."""
    return tuple(name for name in subject.secret_members if len(subject.sample[name]) >= _SECRET_LENGTH)


def _secrets_in(subject: MutatedOperation, request: MutantRequest) -> dict[str, str]:
    """Return the secret members of a request's JSON content, by name."""
    value = request.json
    if not isinstance(value, dict):
        return {}
    return {name: value[name] for name in _secret_members(subject) if isinstance(value.get(name), str)}


def _first_object_with(members: dict[str, str]) -> Callable[[object], object]:
    """Return a function that adds members to the innermost first object of a response's JSON value."""

    def change(content: object) -> object:
        held = content
        while True:
            parts = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
            inner = [part for part in parts if isinstance(part, dict | list)]
            if not inner:
                break
            held = inner[0]
        if not isinstance(held, dict):
            raise TypeError("a response without an object has no members")
        held.update(members)
        return content

    return change


def _in_a_field(name: str, fault: str, encode: Callable[[str], str]) -> None:
    """Register a class of mutants that put a secret of the request into a response field."""

    def make(subject: MutatedOperation) -> Mutation | None:
        if not _secret_members(subject):
            return None

        def change(request: MutantRequest, response: MutantResponse) -> MutantResponse:
            secrets = _secrets_in(subject, request)
            if not response.ok or not all(secret.isascii() and secret.isprintable() for secret in secrets.values()):
                return response
            return response.with_field("X-Debug", encode(",".join(secrets.values()))) if secrets else response

        return with_response(subject, subject.universal(_LEAK), change)

    LEAKS.add(name, fault, make)


_FIELDS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("secret_in_a_field", "Server with a debugging field in responses that shows a secret of the request.", str),
    ("secret_in_base64", "Server with a debugging field in responses that shows a secret in base64.",
     lambda text: base64.b64encode(text.encode()).decode()),
    ("secret_in_hex", "Server with a debugging field in responses that shows a secret in hexadecimal digits.",
     lambda text: text.encode().hex()),
    ("secret_in_a_url", "Server with a debugging field in responses that shows a secret in a URL, percent-encoded.",
     lambda text: f"/retry?secret={quote(text, safe='')}"),
    ("secret_in_base64_of_more", "Server with a debugging field that shows a secret within base64 of a longer string.",
     lambda text: base64.b64encode(f"v={text};".encode()).decode()),
)  # fmt: skip

for _row in _FIELDS:
    _in_a_field(*_row)


@LEAKS.mutant
def secret_in_the_response(subject: MutatedOperation) -> Mutation | None:
    """Server that includes the secrets of a request in its successful response."""
    if not _secret_members(subject):
        return None

    def change(request: MutantRequest, response: MutantResponse) -> MutantResponse:
        secrets = _secrets_in(subject, request)
        return response.changed(_first_object_with(secrets)) if response.ok and secrets else response

    return with_response(subject, subject.universal(_LEAK), change)


@LEAKS.mutant
def secret_in_a_rejection(subject: MutatedOperation) -> Mutation | None:
    """Server that quotes the rejected content, secrets included, in its response."""
    if not _secret_members(subject):
        return None

    def change(request: MutantRequest, response: MutantResponse) -> MutantResponse:
        if response.status != subject.rejection or not _secrets_in(subject, request):
            return response
        return response.changed(
            lambda value: value | {"detail": f"cannot use {request.body.decode('utf-8', 'replace')}"}
        )

    return with_response(subject, subject.universal(_LEAK), change)


def _shown_by_read(
    subject: MutatedOperation, remember: Callable[[dict[Any, Any], Mapping[str, str]], None]
) -> Mutation | None:
    """Return a mutation of a read that shows what `remember` puts into the memory as `shown`, None if it cannot apply.

    `remember` is called with the memory and the secrets of each successful write.
    """
    write = subject.sibling("write")
    if subject.role != "read" or write is None:
        return None
    writing = subject.other(write)
    if not _secret_members(writing):
        return None

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        response, memory = server.send(request), server.memory(request)
        if request.operation is write and response.ok:
            remember(memory, _secrets_in(writing, request))
        if request.operation is subject.operation and response.status == 200 and memory.get("shown"):
            return response.changed(_first_object_with(memory["shown"]))
        return response

    return Mutation(intercept, subject.universal(_LEAK))


@LEAKS.mutant
def secret_read_back(subject: MutatedOperation) -> Mutation | None:
    """Server that shows a `writeOnly` secret when the resource is read."""

    def remember(memory: dict[Any, Any], secrets: Mapping[str, str]) -> None:
        memory["shown"] = secrets

    return _shown_by_read(subject, remember)


#: Returns a response that shows the token of a request.
_Shows = Callable[[MutantRequest, MutantResponse, str], MutantResponse]


def _token(name: str, fault: str, shows: _Shows) -> None:
    """Register a class of mutants that show the caller's token."""

    def make(subject: MutatedOperation) -> Mutation | None:
        entrance = subject.entrance
        if entrance is None or (shows is _in_a_refusal_as_it_came and entrance.field.lower() != "authorization"):
            return None

        def change(request: MutantRequest, response: MutantResponse) -> MutantResponse:
            token = subject.shown(request).token
            return shows(request, response, token) if token else response

        return with_response(subject, subject.universal(_LEAK), change)

    LEAKS.add(name, fault, make)


def _in_the_response(_request: MutantRequest, response: MutantResponse, token: str) -> MutantResponse:
    if response.status in {401, 403}:
        return response
    return response.changed(_first_object_with({"token": token}))


def _in_a_cookie(_request: MutantRequest, response: MutantResponse, token: str) -> MutantResponse:
    if response.status in {401, 403}:
        return response
    return response.with_field("Set-Cookie", f"session={quote(token, safe='')}; HttpOnly")


def _in_a_refusal(_request: MutantRequest, response: MutantResponse, token: str) -> MutantResponse:
    if response.status not in {401, 403}:
        return response
    return response.changed(lambda value: value | {"detail": f"refused: {token}"})


def _in_a_refusal_as_it_came(request: MutantRequest, response: MutantResponse, _token: str) -> MutantResponse:
    if response.status not in {401, 403} or not request.authorization:
        return response
    return response.changed(lambda value: value | {"detail": f"refused: Authorization: {request.authorization}"})


_TOKENS: tuple[tuple[str, str, _Shows], ...] = (
    ("token_in_the_response", "Server that includes the caller's token in the content of responses.", _in_the_response),
    ("token_in_a_cookie", "Server that sets a cookie with the caller's token.", _in_a_cookie),
    ("token_in_a_refusal", "Server that quotes the refused token in a 401 or 403 response.", _in_a_refusal),
    (
        "credentials_in_a_refusal",
        "Server that quotes the Authorization field in a 401 or 403 response.",
        _in_a_refusal_as_it_came,
    ),
)

for _name, _fault, _shows in _TOKENS:
    _token(_name, _fault, _shows)


@LEAKS.mutant
def password_in_a_login_refusal(subject: MutatedOperation) -> Mutation | None:
    """Server that quotes the wrong password in the response to a failed login."""
    places = subject.credential_places
    if places is None:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, shown = server.send(request), text_at(request.json, places.password)
        if response.status != 401 or shown is None:
            return response
        return response.changed(lambda value: value | {"detail": f"wrong password: {shown}"})

    return Mutation(only_here(subject, act), subject.universal(_LEAK))


@LEAKS.mutant
def secret_in_escapes(subject: MutatedOperation) -> Mutation | None:
    """Server whose rejections repeat secrets of the content as JSON escapes."""
    if not _secret_members(subject):
        return None

    def change(request: MutantRequest, response: MutantResponse) -> MutantResponse:
        text = "".join(f"\\u{ord(char):04x}" for secret in _secrets_in(subject, request).values() for char in secret)
        return (
            response.changed(lambda value: value | {"detail": text})
            if response.status == subject.rejection and text
            else response
        )

    return with_response(subject, subject.universal(_LEAK), change)


@LEAKS.mutant
def older_secret_read_back(subject: MutatedOperation) -> Mutation | None:
    """Server whose reads show the secret of an earlier write: a log of changes."""

    def remember(memory: dict[Any, Any], secrets: Mapping[str, str]) -> None:
        memory["shown"] = memory.get("before")
        memory.setdefault("before", secrets)

    return _shown_by_read(subject, remember)


@LEAKS.mutant
def reset_shows_generated_secret(subject: MutatedOperation) -> Mutation | None:
    """Server whose response to a reset shows the generated secret that it removed."""
    write = subject.sibling("write")
    if subject.role != "reset" or write is None or write.behaviour is None or not write.behaviour.generated:
        return None
    place = write.behaviour.value

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        response, memory = server.send(request), server.memory(request)
        if request.operation is write and response.ok:
            memory["made"] = at(response.json, place)
        made = memory.get("made") if request.operation is subject.operation and response.ok else None
        return response.with_field("X-Cleared", made) if isinstance(made, str) and made.isascii() else response

    return Mutation(intercept, subject.universal(_LEAK))


@LEAKS.mutant
def revoked_token_in_a_refusal(subject: MutatedOperation) -> Mutation | None:
    """Server whose refusals show tokens that were revoked."""
    revocation = subject.revocation
    if revocation is None or not subject.is_guarded:
        return None

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        response, memory = server.send(request), server.memory(request)
        token = subject.shown(request)[1]
        if request.operation is revocation and response.ok:
            memory[token] = True
        shown = request.operation is subject.operation and response.status == 401 and memory.get(token)
        return (
            response.changed(lambda value: value | {"detail": f"this token was revoked: {token}"})
            if shown
            else response
        )

    return Mutation(intercept, subject.universal(_LEAK))
