"""Secrets are given away."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

from mockserver.selftest.catalogue import Behind, Catalogue, Mutation
from mockserver.selftest.mutated_operation import Subject, at, text_at
from mockserver.selftest.plants import only_here, replying
from mockserver.selftest.traffic import Call, Reply

LEAKS = Catalogue("leaks")
_LEAK = "no_secret_comes_back"


def _secrets_in(subject: Subject, call: Call) -> dict[str, str]:
    """Return the secret members of a call's content."""
    value = call.json
    if not isinstance(value, dict):
        return {}
    return {name: value[name] for name in subject.secret_members if isinstance(value.get(name), str)}


def _first_object_with(members: dict[str, str]) -> Callable[[object], object]:
    """Return the change that adds members to the innermost object that an answer leads to."""

    def change(answer: object) -> object:
        held = answer
        while True:
            parts = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
            inner = [part for part in parts if isinstance(part, dict | list)]
            if not inner:
                break
            held = inner[0]
        if not isinstance(held, dict):
            raise TypeError("an answer without an object has no members")
        held.update(members)
        return answer

    return change


def _in_a_field(name: str, claim: str, encode: Callable[[str], str]) -> None:
    """Register a class whose success has a field with a secret of the request."""

    def make(subject: Subject) -> Mutation | None:
        if not subject.secret_members:
            return None

        def change(call: Call, reply: Reply) -> Reply:
            secrets = _secrets_in(subject, call)
            if not reply.ok or not all(secret.isascii() and secret.isprintable() for secret in secrets.values()):
                return reply
            return reply.with_field("X-Debug", encode(",".join(secrets.values()))) if secrets else reply

        return replying(subject, subject.universal(_LEAK), change)

    LEAKS.add(name, claim, make)


_FIELDS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("secret_in_a_field", "A debugging field that somebody forgot carries a secret.", str),
    ("secret_in_base64", "A debugging field carries a secret in base64.",
     lambda text: base64.b64encode(text.encode()).decode()),
    ("secret_in_hex", "A debugging field carries a secret in hexadecimal digits.", lambda text: text.encode().hex()),
    ("secret_in_a_url", "A debugging field carries a secret, percent-encoded in a URL.",
     lambda text: f"/retry?secret={quote(text, safe='')}"),
    ("secret_in_base64_of_more", "A debugging field carries base64 of a text that holds a secret.",
     lambda text: base64.b64encode(f"v={text};".encode()).decode()),
)  # fmt: skip

for _row in _FIELDS:
    _in_a_field(*_row)


@LEAKS.mutant
def secret_in_the_answer(subject: Subject) -> Mutation | None:
    """A success is answered with all that was sent, secrets included."""
    if not subject.secret_members:
        return None

    def change(call: Call, reply: Reply) -> Reply:
        secrets = _secrets_in(subject, call)
        return reply.changed(_first_object_with(secrets)) if reply.ok and secrets else reply

    return replying(subject, subject.universal(_LEAK), change)


@LEAKS.mutant
def secret_in_a_rejection(subject: Subject) -> Mutation | None:
    """A rejection repeats the whole content that it rejects, so that secrets are in every client's log."""
    if not subject.secret_members:
        return None

    def change(call: Call, reply: Reply) -> Reply:
        if reply.status != 422 or not _secrets_in(subject, call):
            return reply
        return reply.changed(lambda value: value | {"detail": f"cannot use {call.body.decode('utf-8', 'replace')}"})

    return replying(subject, subject.universal(_LEAK), change)


@LEAKS.mutant
def secret_read_back(subject: Subject) -> Mutation | None:
    """A read shows a secret that was written, to whoever may read."""
    write = subject.sibling("write")
    if subject.role != "read" or write is None:
        return None
    writing = Subject(subject.contract, write, subject.index, subject.accounts)
    if not writing.secret_members:
        return None

    def plant(call: Call, server: Behind) -> Reply:
        reply, memory = server.send(call), server.memory(call)
        if call.operation is write and reply.ok:
            memory["secrets"] = _secrets_in(writing, call)
        if call.operation is subject.operation and reply.status == 200 and memory.get("secrets"):
            return reply.changed(_first_object_with(memory["secrets"]))
        return reply

    return Mutation(plant, subject.universal(_LEAK))


def _token(name: str, claim: str, shows: Callable[[Call, Reply], Reply]) -> None:
    """Register a class that shows the token of a call."""

    def make(subject: Subject) -> Mutation | None:
        if not subject.is_guarded:
            return None
        return replying(
            subject, subject.universal(_LEAK), lambda call, reply: shows(call, reply) if call.credentials[1] else reply
        )

    LEAKS.add(name, claim, make)


def _in_the_answer(call: Call, reply: Reply) -> Reply:
    if reply.status in {401, 403}:
        return reply
    return reply.changed(_first_object_with({"token": call.credentials[1]}))


def _in_a_cookie(call: Call, reply: Reply) -> Reply:
    token = quote(call.credentials[1], safe="")
    return reply if reply.status in {401, 403} else reply.with_field("Set-Cookie", f"session={token}; HttpOnly")


def _in_a_refusal(call: Call, reply: Reply) -> Reply:
    if reply.status not in {401, 403}:
        return reply
    return reply.changed(lambda value: value | {"detail": f"refused: {call.credentials[1]}"})


def _in_a_refusal_as_it_came(call: Call, reply: Reply) -> Reply:
    if reply.status not in {401, 403}:
        return reply
    return reply.changed(lambda value: value | {"detail": f"refused: Authorization: {call.authorization}"})


_TOKENS: tuple[tuple[str, str, Callable[[Call, Reply], Reply]], ...] = (
    ("token_in_the_answer", "An answer shows the token that the call was made with.", _in_the_answer),
    ("token_in_a_cookie", "An answer sets a cookie with the token.", _in_a_cookie),
    ("token_in_a_refusal", "A refusal shows the token that it refuses.", _in_a_refusal),
    ("credentials_in_a_refusal", "A refusal repeats the Authorization field.", _in_a_refusal_as_it_came),
)

for _name, _claim, _shows in _TOKENS:
    _token(_name, _claim, _shows)


@LEAKS.mutant
def password_in_a_login_refusal(subject: Subject) -> Mutation | None:
    """A login that fails repeats the password that was wrong."""
    places = subject.credential_places
    if places is None:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply, shown = server.send(call), text_at(call.json, places.password)
        if reply.status != 401 or shown is None:
            return reply
        return reply.changed(lambda told: told | {"detail": f"wrong password: {shown}"})

    return Mutation(only_here(subject, act), subject.universal(_LEAK))


@LEAKS.mutant
def secret_in_escapes(subject: Subject) -> Mutation | None:
    """A rejection repeats the secrets of the content, each character as an escape of JSON."""
    if not subject.secret_members:
        return None

    def change(call: Call, reply: Reply) -> Reply:
        text = "".join(f"\\u{ord(char):04x}" for secret in _secrets_in(subject, call).values() for char in secret)
        return reply.changed(lambda told: told | {"detail": text}) if reply.status == 422 and text else reply

    return replying(subject, subject.universal(_LEAK), change)


@LEAKS.mutant
def older_secret_read_back(subject: Subject) -> Mutation | None:
    """A read shows the secret that was written first, though another one is set by now: a log of changes."""
    write = subject.sibling("write")
    if subject.role != "read" or write is None:
        return None
    writing = Subject(subject.contract, write, subject.index, subject.accounts)
    if not writing.secret_members:
        return None

    def plant(call: Call, server: Behind) -> Reply:
        reply, memory = server.send(call), server.memory(call)
        if call.operation is write and reply.ok:
            memory["shown"] = memory.get("before")
            memory.setdefault("before", _secrets_in(writing, call))
        if call.operation is subject.operation and reply.status == 200 and memory.get("shown"):
            return reply.changed(_first_object_with(memory["shown"]))
        return reply

    return Mutation(plant, subject.universal(_LEAK))


@LEAKS.mutant
def made_secret_told_by_a_reset(subject: Subject) -> Mutation | None:
    """A reset tells in a field what it has cleared: a secret that the server made."""
    write = subject.sibling("write")
    if subject.role != "reset" or write is None or write.behaviour is None or not write.behaviour.generated:
        return None
    place = write.behaviour.value

    def plant(call: Call, server: Behind) -> Reply:
        reply, memory = server.send(call), server.memory(call)
        if call.operation is write and reply.ok:
            memory["made"] = at(reply.json, place)
        made = memory.get("made") if call.operation is subject.operation and reply.ok else None
        return reply.with_field("X-Cleared", made) if isinstance(made, str) and made.isascii() else reply

    return Mutation(plant, subject.universal(_LEAK))


@LEAKS.mutant
def revoked_token_in_a_refusal(subject: Subject) -> Mutation | None:
    """A refusal shows the token that it refuses because it was revoked: it counts as no secret any more."""
    revocation = subject.revocation
    if revocation is None or not subject.is_guarded:
        return None

    def plant(call: Call, server: Behind) -> Reply:
        reply, memory = server.send(call), server.memory(call)
        token = call.credentials[1]
        if call.operation is revocation and reply.ok:
            memory[token] = True
        shown = call.operation is subject.operation and reply.status == 401 and memory.get(token)
        return reply.changed(lambda told: told | {"detail": f"this token was revoked: {token}"}) if shown else reply

    return Mutation(plant, subject.universal(_LEAK))
