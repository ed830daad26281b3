"""Roles of operations on tokens (login, description, revocation), and where their messages hold the credentials.

`x-mockserver-behaviour` gives the role, whatever the handler; the contract gives the paths::

    issue     a login: user name and password are exchanged for the secret at `x-secret: issued`
    describe  describes the token of the call
    revoke    revokes the token of the call

The roles of singletons are in resources/singletons.py.
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
_LOGIN = re.compile(
    r"(user|auth|api|access|obtain|get|create|refresh|renew)?[_-]?(log[_-]?in|sign[_-]?in|sessions?|tokens?(_auth|-auth)?|auth"
    r"|authenticate|authentication|authorize|jwt|credentials|refresh|renew)",
    re.IGNORECASE,
)
_USERNAME = re.compile(r"user|login|e-?mail|account|name", re.IGNORECASE)


class CredentialPlaces(NamedTuple):
    """Paths of the user name and the password in the request of a login."""

    username: Place
    password: Place


def role_of(operation: Operation | None) -> str:
    """Return the role in an operation's `x-mockserver-behaviour`, "" if it has none."""
    return operation.behaviour.role if operation is not None and operation.behaviour is not None else ""


def is_login(operation: Operation | None) -> bool:
    """Tell whether an operation is a login: it exchanges a password for a token."""
    return role_of(operation) == ISSUE


def is_revocation(operation: Operation | None) -> bool:
    """Tell whether an operation revokes the token that it is called with."""
    return role_of(operation) == REVOKE


def is_about_tokens(operation: Operation | None) -> bool:
    """Tell whether an operation issues, describes or revokes a token."""
    return role_of(operation) in _TOKENS


def looks_like_a_login(operation: Operation | None) -> bool:
    """Tell whether an operation gives out tokens, by its role or by the last word of its path."""
    if operation is None:
        return False
    last = operation.path.rstrip("/").rpartition("/")[2]
    return is_login(operation) or (operation.method == "POST" and _LOGIN.fullmatch(last) is not None)


def is_undocumented(operation: Operation) -> bool:
    """Tell whether an operation is for all names that the documentation does not list (handler `absent`, 404)."""
    return operation.behaviour is not None and operation.behaviour.handler == "absent"


def credential_places(contract: Contract, operation: Operation) -> CredentialPlaces | None:
    """Return the paths of user name and password in the request of a login, None if they cannot be found.

    They are the `username` and `password` of its `x-mockserver-behaviour`; else the password is the secret member, and
    the user name another string: one that the response example repeats, else a likely name, a required one.
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
    """Return the paths at which an operation's responses show the user name of a token, by the login's member names."""
    names = _username_members(contract)
    return frozenset(place for place in shown_texts(contract, operation) if place[-1] in names)


def level_places(contract: Contract, operation: Operation) -> frozenset[Place]:
    """Return the paths at which the 2xx responses of an operation show a permission level."""
    levels = frozenset(contract.levels)
    return frozenset(place for place, values in shown_texts(contract, operation).items() if values and values <= levels)


def issued_places(contract: Contract, operation: Operation) -> tuple[Place, ...]:
    """Return the paths at which the 2xx responses of an operation show an issued secret (`x-secret: issued`)."""
    schemas = [content.schema for content in success_content(operation) if content.schema is not None]
    return tuple(dict.fromkeys(place for schema in schemas for place, _ in contract.marks("x-secret").below(schema)))


def _username_members(contract: Contract) -> frozenset[str]:
    """Return the names of the members in which logins send or show the user name."""
    found: set[str] = set()
    for operation in filter(is_login, contract.operations):
        places = credential_places(contract, operation)
        if places is None:
            continue
        found.add(places.username[-1])
        found |= {shown[-1] for sent, shown in _repeated(contract, operation) if sent == places.username}
    return frozenset(found)


def _repeated(contract: Contract, operation: Operation) -> Iterator[tuple[Place, Place]]:
    """Yield the paths of each string in a request example that its response example repeats: sent at, shown at.

    Levels are left out: if a level has the name of an account, the examples do not show which of the two is meant.
    """
    for pair in pairs_of(operation):
        if pair.request is None or not pair.status.startswith("2"):
            continue
        shown = [(place, value) for place, value in text_leaves(pair.response.value) if value not in contract.levels]
        for sent, value in text_leaves(pair.request.value):
            yield from ((sent, place) for place, text in shown if text == value)


def _requested(contract: Contract, operation: Operation) -> list[MessageText]:
    """Return the string members of an operation's JSON request content, by its schema, else by its first example."""
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
    """Return the path of the likeliest of some strings: repeated in a response, well named, required; () if none."""

    def rank(text: MessageText) -> tuple[bool, bool, bool]:
        return text.place not in repeated, names.search(text.place[-1]) is None, not text.required

    ranked = sorted(texts, key=rank)
    return ranked[0].place if ranked else ()
