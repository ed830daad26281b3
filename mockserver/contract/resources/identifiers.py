"""Identifiers: which member of an item the item path's parameter names."""

from __future__ import annotations

import re

from mockserver.contract.resources.shapes import Shape

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
#: Usual names of identifiers, for parameters whose name does not indicate one.
_USUAL = ("id", "uuid", "slug", "key", "code", "name", "login", "username", "number", "token", "identifier")
#: Last words of a parameter's name that indicate the member.
_TELLING = frozenset(_USUAL)
#: Last words of parameters that name a person.
_PEOPLE = frozenset({"username", "user", "owner", "org", "organization", "member", "assignee"})
_NAMESAKE = 1.0
#: Factor for different types: documents often declare a string parameter for a numeric member.
_MISFIT = 0.6
#: The same factor for a member with exactly the parameter's name.
_MISFIT_OF_NAMESAKE = 0.85
_JOINED = re.compile(r"[a-z]{3,}id")
_NO_IDENTIFIERS = frozenset({"uuid", "guid", "valid", "invalid", "paid", "grid", "void", "android"})
_NUMBERS = frozenset({"integer", "number"})
_SCALARS = _NUMBERS | {"string"}


def words(name: str) -> list[str]:
    """Return the words of a name in lower case: `petId`, `pet_id` and `pet-id` give the same."""
    found = [word.lower() for word in _WORD.findall(name)]
    if found and _JOINED.fullmatch(found[-1]) and found[-1] not in _NO_IDENTIFIERS:
        found[-1:] = [found[-1][:-2], "id"]  # `attachmentid`
    return found


def identifier(parameter: str, shape: Shape, kinds: frozenset[str], collection: str) -> tuple[str, float]:
    """Return the member of an item that a path parameter names and a confidence from 0 to 1; "" and 0 if none does.

    Args:
        parameter: name of the path parameter.
        shape: shape of an item.
        kinds: types of the parameter, empty if unknown.
        collection: last segment of the collection's path.
    """
    best, sure = "", 0.0
    wanted = words(parameter)
    for name in shape.names:
        found = _sureness(wanted, words(name), collection)
        if found and not _is_scalar(shape, name):
            continue  # no path holds an object or a list
        if found and not _fits(shape, name, kinds):
            found *= _MISFIT_OF_NAMESAKE if found == _NAMESAKE else _MISFIT
        if found > sure:
            best, sure = name, found
    return best, sure


def _kinds(shape: Shape, name: str) -> frozenset[str]:
    member = shape.member(name)
    return member.kinds if member is not None else frozenset()


def _is_scalar(shape: Shape, name: str) -> bool:
    """Tell whether a member is a string or a number, or of unknown type, so that a path can hold its value."""
    found = _kinds(shape, name)
    return not found or bool(found & _SCALARS)


def _fits(shape: Shape, name: str, kinds: frozenset[str]) -> bool:
    """Tell whether a scalar member has the type of a path parameter, or one of the two types is unknown."""
    return fits(_kinds(shape, name), kinds)


def fits(some: frozenset[str], others: frozenset[str]) -> bool:
    """Tell whether two sets of JSON types have a type in common; an empty set stands for any type."""
    return not some or not others or bool(some & others or (some & _NUMBERS and others & _NUMBERS))


def _sureness(wanted: list[str], name: list[str], collection: str) -> float:
    if not name or not wanted:
        return 0.0
    if name == wanted:
        return _NAMESAKE
    last = wanted[-1]
    if len(wanted) > 1 and name[-len(wanted) :] == wanted:
        return 0.9  # receipt_rule_id for {rule_id}
    if len(wanted) > 1 and name[: len(wanted)] == wanted:
        return 0.85  # template_id_master for {template_id}
    if last in _TELLING and name == [last]:
        return 0.95 if last == "id" else 0.93
    if len(wanted) > 1 and name == [last]:
        return 0.86  # sku for {childSku}
    if "".join(name) == "".join(wanted):
        return 0.98
    if last in _PEOPLE and name == ["login"]:
        return 0.94
    if len(name) == 1 and name[0] in _USUAL:
        rank = _USUAL.index(name[0])
        return (0.5 if last in _TELLING and last != "identifier" else 0.8) - rank / 100
    if len(name) == 2 and name[1] in {"id", "name"} and name[0] in {collection.lower(), collection.lower().rstrip("s")}:
        return 0.7
    if name[-1] in {"name", "code"} and name[:-1] == wanted:
        return 0.75  # domain_name for {domain}
    return 0.0
