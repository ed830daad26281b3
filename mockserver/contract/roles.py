"""Roles: what an operation does in the life of a token, and where its messages show it.

`x-mockserver-behaviour` gives the role, whatever handler plays it; the contract gives the places::

    issue             user name and password, exchanged for the secret at `x-secret: issued`: a login
    describe, revoke  tell about the token of the call, and end it

Those of settings are in resources/singletons.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from mockserver.contract.exchanges import pairs_of
from mockserver.contract.message_texts import MessageText, Place, shown_texts, success_content, text_leaves, texts
from mockserver.contract.model import Contract, Operation
from mockserver.http.media_types import json_content
from mockserver.http.pointers import split
from mockserver.masking import looks_secret

ISSUE, DESCRIBE, REVOKE = "issue", "describe", "revoke"
_TOKENS = frozenset({ISSUE, DESCRIBE, REVOKE})
_PASSWORD = re.compile(r"pass(word|wd|phrase|code)?|pwd", re.IGNORECASE)
_USERNAME = re.compile(r"user|login|e-?mail|account|name", re.IGNORECASE)


class CredentialPlaces(NamedTuple):
    """Where the request of a login holds the user name and the password."""

    username: Place
    password: Place


def role_of(operation: Operation | None) -> str:
    """Return the role that an operation's `x-mockserver-behaviour` states, "" for none."""
    return operation.behaviour.role if operation is not None and operation.behaviour is not None else ""


def is_login(operation: Operation | None) -> bool:
    """Tell whether an operation exchanges a password for a token."""
    return role_of(operation) == ISSUE


def is_revocation(operation: Operation | None) -> bool:
    """Tell whether an operation ends the token that it is called with."""
    return role_of(operation) == REVOKE


def is_about_tokens(operation: Operation | None) -> bool:
    """Tell whether an operation issues a token, tells about it or ends it."""
    return role_of(operation) in _TOKENS


def is_undocumented(operation: Operation) -> bool:
    """Tell whether an operation stands for names that the documentation does not know."""
    return operation.behaviour is not None and operation.behaviour.handler == "absent"


def credential_places(contract: Contract, operation: Operation) -> CredentialPlaces | None:
    """Return where the request of a login holds user name and password, None where nothing tells.

    `username` and `password` of its `x-mockserver-behaviour` say so; else the password is the secret member, and the
    user name another text: of several one that the example of the answer repeats, else by name, else a required one.
    """
    behaviour = operation.behaviour
    username = tuple(split(behaviour.username)) if behaviour is not None else ()
    password = tuple(split(behaviour.password)) if behaviour is not None else ()
    texts = _requested(contract, operation)
    repeated = {place for place, _ in _repeated(contract, operation)}
    username = username or _likely((text for text in texts if not text.secret), _USERNAME, repeated)
    password = password or _likely((text for text in texts if text.secret), _PASSWORD)
    return CredentialPlaces(username, password) if username and password else None


def username_places(contract: Contract, operation: Operation) -> frozenset[Place]:
    """Return where an operation about tokens tells whose the token is: by the names that the login has for it."""
    names = _username_members(contract)
    return frozenset(place for place in shown_texts(contract, operation) if place[-1] in names)


def level_places(contract: Contract, operation: Operation) -> frozenset[Place]:
    """Return where the successes of an operation tell a permission level."""
    levels = frozenset(contract.levels)
    return frozenset(place for place, values in shown_texts(contract, operation).items() if values and values <= levels)


def issued_places(contract: Contract, operation: Operation) -> tuple[Place, ...]:
    """Return where the successes of an operation give a secret out (`x-secret: issued`)."""
    schemas = [content.schema for content in success_content(operation) if content.schema is not None]
    return tuple(dict.fromkeys(place for schema in schemas for place, _ in contract.marks("x-secret").below(schema)))


def _username_members(contract: Contract) -> frozenset[str]:
    """Return what logins call the user name: as their requests do, or as what their examples answer with it does."""
    found: set[str] = set()
    for operation in filter(is_login, contract.operations):
        places = credential_places(contract, operation)
        if places is None:
            continue
        found.add(places.username[-1])
        found |= {shown[-1] for sent, shown in _repeated(contract, operation) if sent == places.username}
    return frozenset(found)


def _repeated(contract: Contract, operation: Operation) -> Iterator[tuple[Place, Place]]:
    """Yield where the example of a request has a text, and where that of the answer, a success, has the same one.

    Not of levels: where one is called like an account, the examples do not tell which of the two is shown.
    """
    for pair in pairs_of(operation):
        if pair.request is None or not pair.status.startswith("2"):
            continue
        told = [(place, value) for place, value in text_leaves(pair.response.value) if value not in contract.levels]
        for sent, value in text_leaves(pair.request.value):
            yield from ((sent, place) for place, shown in told if shown == value)


def _requested(contract: Contract, operation: Operation) -> list[MessageText]:
    """Return the texts that the JSON content of a request may hold, by its schema, else by its first example."""
    found = json_content(operation.request_body.content if operation.request_body is not None else {})
    if found is None:
        return []
    _, content = found
    if content.schema is not None:
        return list(texts(contract, content.schema))
    example = next(iter(content.examples.values()), None)
    shown = text_leaves(example.value) if example is not None else ()
    return [MessageText(place, required=True, secret=looks_secret(place[-1])) for place, _ in shown]


def _likely(texts: Iterable[MessageText], names: re.Pattern[str], repeated: Collection[Place] = ()) -> Place:
    """Return the place of the text that is repeated, else has a likely name, else is required; () for none."""

    def rank(text: MessageText) -> tuple[bool, bool, bool]:
        return text.place not in repeated, names.search(text.place[-1]) is None, not text.required

    ranked = sorted(texts, key=rank)
    return ranked[0].place if ranked else ()
