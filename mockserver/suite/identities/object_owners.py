"""Owners of objects by `x-mockserver-objects` and the `owns` lists of the identities file.

::

    own       the caller itself, what its `owns` lists, each address in such a domain, accounts there of lower levels
    foreign   what another identity is or owns, and the caller does not
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mockserver.contract.model import Contract, Objects, Operation
from mockserver.http.pointers import lookup, split
from mockserver.suite.cases.sample_values import sample_value
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.verdicts.failures import NotRun


def owns(objects: Objects, levels: Sequence[str], identities: Identities, caller: Identity, name: str) -> bool:
    """Tell whether an object belongs to an identity, by what is known of the identities."""
    if name == caller.username:
        return True
    if objects.own == "self":
        return False
    held = {owned.lower() for owned in caller.owns}
    if name.lower() not in held and name.rpartition("@")[2].lower() not in held:
        return False
    account = identities.named(name) if objects.own == "account" else None
    return account is None or _rank(levels, account) > _rank(levels, caller)


def may_call(operation: Operation, levels: Sequence[str], identities: Identities, caller: Identity, name: str) -> bool:
    """Tell whether the contract lets an identity call an operation about an object."""
    objects = operation.objects
    if objects is None or not caller.level or caller.level in objects.foreign:
        return True
    return owns(objects, levels, identities, caller, name)


def own_name(contract: Contract, operation: Operation, identities: Identities, caller: Identity, usual: str) -> str:
    """Return the name of an object that an identity owns: `usual` if possible, else one of the same form.

    Raises:
        NotRun: it has none.
    """
    objects = operation.objects
    assert objects is not None
    candidates = [usual, *_names_of(objects, caller, usual)]
    if objects.own == "account":
        candidates += [other.username for other in identities.all]
    for name in candidates:
        if owns(objects, contract.levels, identities, caller, name):
            return name
    raise NotRun(f"{caller.label} owns no object that the operation could be called about (`owns` in --identities)")


def foreign_names(
    contract: Contract, operation: Operation, identities: Identities, caller: Identity, usual: str
) -> Iterator[tuple[str, str]]:
    """Yield the names of objects that other identities own, each with the level of its owner.

    All of an owner's names: which of them the operation can be about, only the server knows.
    """
    objects = operation.objects
    assert objects is not None
    seen: set[str] = set()
    for other in identities.all:
        if other.username == caller.username or other.level in seen:
            continue
        for name in _names_of(objects, other, usual):
            if not owns(objects, contract.levels, identities, caller, name):
                seen.add(other.level)
                yield name, other.level


def usual_name(contract: Contract, operation: Operation, body: bytes | None) -> str:
    """Return the name of the object that a valid request is about, from its content or parameter.

    Raises:
        NotRun: it names none.
    """
    kind, name = _place(operation)
    if kind == "body":
        try:
            value: Any = lookup(json.loads(body or b"null"), name)
        except (LookupError, ValueError, RecursionError):  # hostile content may be nested beyond all measure
            value = None
    else:
        found = (one for one in operation.parameters if (one.location, one.name) == (kind, name))
        parameter = next(found, None)
        value = (
            sample_value(contract, parameter.schema) if parameter is not None and parameter.schema is not None else None
        )
    if not isinstance(value, str):
        raise NotRun("its request names no object, or not as a text")
    return value


def place_name(operation: Operation, name: str, body: bytes | None) -> tuple[bytes | None, dict[tuple[str, str], Any]]:
    """Return content and parameters of a request about the named object; parameters by location and name."""
    kind, place = _place(operation)
    if kind != "body":
        return body, {(kind, place): name}
    content = json.loads(body or b"null")
    holder, _, _ = place.rpartition("/")
    lookup(content, holder)[split(place)[-1]] = name
    return json.dumps(content).encode(), {}


def listed_names(objects: Objects, content: Any) -> Iterator[str]:
    """Yield the object names in the content of a list, found by an expression with `*` for each item."""
    yield from _at(content, split(objects.at.partition("#")[2]))


def _at(value: Any, way: Sequence[str]) -> Iterator[str]:
    if not way:
        if isinstance(value, str):
            yield value
        return
    name, rest = way[0], way[1:]
    if name == "*":
        for item in value if isinstance(value, list) else ():
            yield from _at(item, rest)
    elif isinstance(value, dict) and name in value:
        yield from _at(value[name], rest)


def _names_of(objects: Objects, identity: Identity, usual: str) -> Iterator[str]:
    """Yield the names of objects that an identity owns, in the form of a given name (domain, address, account)."""
    if objects.own != "name":
        yield identity.username
        return
    local, at, _ = usual.rpartition("@")
    for owned in identity.owns:
        if not at:
            yield owned
        elif "@" not in owned:
            yield f"{local}@{owned}"


def _place(operation: Operation) -> tuple[str, str]:
    """Return where a request names its object: location and parameter name, or `body` and a JSON pointer."""
    assert operation.objects is not None
    source = operation.objects.at.removeprefix("$request.")
    if source.startswith("body#"):
        return "body", source.removeprefix("body#")
    kind, _, name = source.partition(".")
    return kind, name


def _rank(levels: Sequence[str], identity: Identity) -> int:
    return levels.index(identity.level) if identity.level in levels else len(levels)
