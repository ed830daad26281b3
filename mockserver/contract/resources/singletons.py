"""Singletons: values that are written, read and reset, their statuses, and where responses show them.

Operations on a singleton have the roles `write`, `read` and `reset` and its key as `resource`, whatever the handler;
responses hold its value at `value` and its status at `status` (`x-mockserver-behaviour`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from mockserver.contract.message_texts import Place, shown_texts
from mockserver.contract.model import Contract, Operation
from mockserver.contract.roles import role_of
from mockserver.http.pointers import child, lookup, split

WRITE, READ, RESET = "write", "read", "reset"
_ROLES = frozenset({WRITE, READ, RESET})


class Transitions(NamedTuple):
    """Status words of a singleton in its contract: while a write is applied, afterwards, and while it is reset."""

    applying: Any
    applied: Any
    deleting: Any


def singletons(contract: Contract) -> Mapping[str, Mapping[str, Operation]]:
    """Return the operations on each singleton by role, by the singleton's key."""
    found = {resource: singleton(contract, resource) for resource in contract.by_resource}
    return {resource: operations for resource, operations in found.items() if operations}


def singleton(contract: Contract, resource: str) -> Mapping[str, Operation]:
    """Return the operations on one singleton by role, empty if no operation writes, reads or resets it."""
    operations = contract.by_resource.get(resource, ())
    return {role: operation for operation in operations if (role := role_of(operation)) in _ROLES}


def name_members(contract: Contract, operation: Operation) -> frozenset[str]:
    """Return the names of the members beside a singleton's value in which responses show the singleton's key."""
    behaviour = operation.behaviour
    if behaviour is None or not behaviour.resource:
        return frozenset()
    found: set[str] = set()
    for other in contract.by_resource[behaviour.resource]:
        around = envelope_place(other)
        beside = {place[-1]: values for place, values in shown_texts(contract, other).items() if place[:-1] == around}
        # A schema without `const` does not show the value; most contracts call the member `name`.
        named = (
            name for name, values in beside.items() if (behaviour.resource in values if values else name == "name")
        )
        found |= {name for name in named if not _is_value_or_status(other, name)}
    return frozenset(found)


def _is_value_or_status(operation: Operation, name: str) -> bool:
    """Tell whether a member of the envelope is the value or the status of an operation's singleton."""
    behaviour = operation.behaviour
    place = child("", *(envelope_place(operation) or ()), name)
    return behaviour is not None and place in {behaviour.value, behaviour.status}


def shown_statuses(operation: Operation | None) -> tuple[Any, ...]:
    """Return the statuses of a singleton in the examples of an operation's responses, each once."""
    if operation is None or operation.behaviour is None or not operation.behaviour.status:
        return ()
    found: list[Any] = []
    for response in operation.responses.values():
        for example in (one for content in response.content.values() for one in content.examples.values()):
            with suppress(LookupError, ValueError, TypeError):
                found.append(lookup(example.value, operation.behaviour.status))
    return tuple(one for number, one in enumerate(found) if one not in found[:number])


def transitions(contract: Contract, resource: str) -> Transitions:
    """Return the status words of a singleton, from the examples of its operations, else the usual words."""
    of_it = singleton(contract, resource)
    applying = _status(contract, of_it.get(WRITE), "applying", ())
    deleting = _status(contract, of_it.get(RESET), "deleting", ())
    return Transitions(applying, _status(contract, of_it.get(READ), "applied", (applying, deleting)), deleting)


def _status(contract: Contract, operation: Operation | None, usual: str, apart: Collection[Any]) -> Any:
    shown = shown_statuses(operation)
    if shown or operation is None or operation.behaviour is None:
        return shown[0] if shown else usual
    listed = shown_texts(contract, operation).get(tuple(split(operation.behaviour.status)), frozenset())
    return usual if not listed or usual in listed else min(listed.difference(apart), default=usual)


def envelope_place(operation: Operation) -> Place | None:
    """Return the path of the object in a response that holds a singleton's value; None without such an object."""
    behaviour = operation.behaviour
    inner = split(behaviour.value or behaviour.status) if behaviour is not None else []
    return tuple(inner[:-1]) if inner else None


def shows_value(operation: Operation) -> bool:
    """Tell whether the responses of an operation on a singleton hold its value, and not only its status."""
    behaviour = operation.behaviour
    return behaviour is not None and (behaviour.role == READ or bool(behaviour.value or not behaviour.status))
