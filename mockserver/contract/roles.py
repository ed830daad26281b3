"""Roles: what an operation does in the life of a token or a singleton, and where its messages show it.

`x-mockserver-behaviour` gives the role, whatever handler plays it; the contract gives the places::

    tokens      issue             user name and password, exchanged for the secret at `x-secret: issued`
                describe, revoke  tell about the token of the call, and end it
    singletons  write, read, reset  one value, at `value`, and how far it is, at `status`

Places are paths: the names of members that lead to a value, the outermost first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from mockserver.contract.exchanges import pairs_of
from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.schema.marks import same_value
from mockserver.http.media_types import json_content
from mockserver.http.pointers import child, lookup, split
from mockserver.masking import looks_secret

Place = tuple[str, ...]

ISSUE, DESCRIBE, REVOKE = "issue", "describe", "revoke"
WRITE, READ, RESET = "write", "read", "reset"
_TOKENS = frozenset({ISSUE, DESCRIBE, REVOKE})
_SINGLETON = frozenset({WRITE, READ, RESET})

#: Objects within objects that are looked into for a member: `{"user": {"login": {"name": ...}}}`.
_MAX_DEPTH = 3
_PASSWORD = re.compile(r"pass(word|wd|phrase|code)?|pwd", re.IGNORECASE)
_USERNAME = re.compile(r"user|login|e-?mail|account|name", re.IGNORECASE)


class CredentialPlaces(NamedTuple):
    """Where the request of a login holds the user name and the password."""

    username: Place
    password: Place


class Transitions(NamedTuple):
    """How far a singleton is, in the words of its contract: after a write, when that is over, after a reset."""

    applying: Any
    applied: Any
    deleting: Any


class _Text(NamedTuple):
    """A member that may hold a text: where, whether it must be there, whether it is a secret, its `enum`."""

    place: Place
    required: bool = False
    secret: bool = False
    values: frozenset[str] = frozenset()


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


def singletons(contract: Contract) -> Mapping[str, Mapping[str, Operation]]:
    """Return the operations on each singleton by role, by the key of the singleton."""
    found: dict[str, dict[str, Operation]] = {}
    for operation in contract.operations:
        behaviour = operation.behaviour
        if behaviour is not None and behaviour.resource and behaviour.role in _SINGLETON:
            found.setdefault(behaviour.resource, {})[behaviour.role] = operation
    return found


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


def required_members(contract: Contract, schema: str | None) -> frozenset[str]:
    """Return the members that an object must have by the schema at a pointer."""
    data = contract.document.data
    places = same_value(data, schema) if schema is not None else ()
    return frozenset(name for one in places for name in lookup(data, one).get("required") or ())


def username_places(contract: Contract, operation: Operation) -> frozenset[Place]:
    """Return where an operation about tokens tells whose the token is: by the names that the login has for it."""
    names = _username_members(contract)
    return frozenset(place for place in _told(contract, operation) if place[-1] in names)


def level_places(contract: Contract, operation: Operation) -> frozenset[Place]:
    """Return where the successes of an operation tell a permission level."""
    levels = frozenset(contract.levels)
    return frozenset(place for place, values in _told(contract, operation).items() if values and values <= levels)


def name_members(contract: Contract, operation: Operation) -> frozenset[str]:
    """Return the members beside a singleton's value or status in which answers show its key; of no bare value."""
    behaviour = operation.behaviour
    if behaviour is None or not behaviour.resource:
        return frozenset()
    return frozenset(
        place[-1]
        for other in contract.by_resource[behaviour.resource]
        for place, values in _told(contract, other).items()
        if behaviour.resource in values
        and place[:-1] == envelope_place(other)
        and not _is_value_or_status(other, place)
    )


def _is_value_or_status(operation: Operation, place: Place) -> bool:
    """Tell whether a place is that of a singleton's value or status itself."""
    behaviour = operation.behaviour
    return behaviour is not None and child("", *place) in {behaviour.value, behaviour.status}


def issued_places(contract: Contract, operation: Operation) -> tuple[Place, ...]:
    """Return where the successes of an operation give a secret out (`x-secret: issued`)."""
    schemas = [content.schema for content in _success_content(operation) if content.schema is not None]
    return tuple(dict.fromkeys(place for schema in schemas for place, _ in contract.marks("x-secret").below(schema)))


def shown_statuses(operation: Operation | None) -> tuple[Any, ...]:
    """Return the statuses of a singleton that the examples of an operation's answers show, each once."""
    if operation is None or operation.behaviour is None or not operation.behaviour.status:
        return ()
    found: list[Any] = []
    for response in operation.responses.values():
        for example in (one for content in response.content.values() for one in content.examples.values()):
            with suppress(LookupError, ValueError, TypeError):
                found.append(lookup(example.value, operation.behaviour.status))
    return tuple(one for number, one in enumerate(found) if one not in found[:number])


def transitions(contract: Contract, resource: str) -> Transitions:
    """Return the statuses of a singleton: those that the examples of write, read and reset show, else usual words."""
    of_it = singletons(contract).get(resource, {})
    applying = _status(contract, of_it.get(WRITE), "applying", ())
    deleting = _status(contract, of_it.get(RESET), "deleting", ())
    return Transitions(applying, _status(contract, of_it.get(READ), "applied", (applying, deleting)), deleting)


def _status(contract: Contract, operation: Operation | None, usual: str, apart: Collection[Any]) -> Any:
    shown = shown_statuses(operation)
    if shown or operation is None or operation.behaviour is None:
        return shown[0] if shown else usual
    listed = _told(contract, operation).get(tuple(split(operation.behaviour.status)), frozenset())
    return usual if not listed or usual in listed else min(listed.difference(apart), default=usual)


def envelope_place(operation: Operation) -> Place | None:
    """Return where the object stands that holds a singleton's value or status, None where the answer is the value."""
    behaviour = operation.behaviour
    inner = split(behaviour.value or behaviour.status) if behaviour is not None else []
    return tuple(inner[:-1]) if inner else None


def echoes(operation: Operation) -> bool:
    """Tell whether answers of an operation on a singleton hold its value, not its status alone; those of a read do."""
    behaviour = operation.behaviour
    return behaviour is not None and (behaviour.role == READ or bool(behaviour.value or not behaviour.status))


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
        told = [(place, value) for place, value in _leaves(pair.response.value) if value not in contract.levels]
        for sent, value in _leaves(pair.request.value):
            yield from ((sent, place) for place, shown in told if shown == value)


def _told(contract: Contract, operation: Operation) -> Mapping[Place, frozenset[str]]:
    """Return where the successes of an operation show texts, and which, by their examples, else by their schemas."""
    content = list(_success_content(operation))
    found: dict[Place, frozenset[str]] = {}
    for place, value in (
        leaf for one in content for example in one.examples.values() for leaf in _leaves(example.value)
    ):
        found[place] = found.get(place, frozenset()) | {value}
    if found:
        return found
    schemas = (one.schema for one in content if one.schema is not None)
    return {text.place: text.values for schema in schemas for text in _texts(contract, schema)}


def _success_content(operation: Operation) -> Iterator[MediaType]:
    for status, response in operation.responses.items():
        yield from response.content.values() if status.startswith("2") else ()


def _leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield each text in objects of a JSON value, with its place."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, (*place, name))
    elif isinstance(value, str) and place:
        yield place, value


def _requested(contract: Contract, operation: Operation) -> list[_Text]:
    """Return the texts that the JSON content of a request may hold, by its schema, else by its first example."""
    found = json_content(operation.request_body.content if operation.request_body is not None else {})
    if found is None:
        return []
    _, content = found
    if content.schema is not None:
        return list(_texts(contract, content.schema))
    example = next(iter(content.examples.values()), None)
    leaves = _leaves(example.value) if example is not None else ()
    return [_Text(place, required=True, secret=looks_secret(place[-1])) for place, _ in leaves]


def _texts(contract: Contract, schema: str, place: Place = ()) -> Iterator[_Text]:
    """Yield each member of objects below a schema that may be a text."""
    data = contract.document.data
    required = required_members(contract, schema)
    for name, pointer in _properties(data, schema):
        meanings = [lookup(data, one) for one in same_value(data, pointer)]
        here = (*place, name)
        if any("properties" in one for one in meanings):
            yield from _texts(contract, pointer, here) if len(here) < _MAX_DEPTH else ()
        elif all("string" in _listed(one.get("type", "string")) for one in meanings):
            yield _Text(here, name in required, _is_secret(name, meanings), _values(meanings))


def _properties(data: Any, schema: str) -> Iterator[tuple[str, str]]:
    """Yield name and pointer of each property that a value of a schema may have, each name once."""
    found: dict[str, str] = {}
    for pointer in same_value(data, schema):
        for name in lookup(data, pointer).get("properties") or ():
            found.setdefault(name, child(pointer, "properties", name))
    yield from found.items()


def _is_secret(name: str, meanings: Collection[Mapping[str, Any]]) -> bool:
    return looks_secret(name) or any(
        one.get("writeOnly") is True or one.get("format") == "password" for one in meanings
    )


def _values(meanings: Collection[Mapping[str, Any]]) -> frozenset[str]:
    listed = [*(one.get("enum") or () for one in meanings), [one["const"] for one in meanings if "const" in one]]
    return frozenset(value for values in listed for value in values if isinstance(value, str))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _likely(texts: Iterable[_Text], names: re.Pattern[str], repeated: Collection[Place] = ()) -> Place:
    """Return the place of the text that is repeated, else has a likely name, else is required; () for none."""

    def rank(text: _Text) -> tuple[bool, bool, bool]:
        return text.place not in repeated, names.search(text.place[-1]) is None, not text.required

    ranked = sorted(texts, key=rank)
    return ranked[0].place if ranked else ()
