"""Identifiers: which member of an item the item path's parameter names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockserver.contract.resources.shapes import Shape
from mockserver.http.pointers import child, split

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
#: Members by which people and programs name an item, whatever its path's parameter is called.
_NATURAL = frozenset({"id", "uuid", "guid", "slug", "key", "name", "login", "username", "email", "handle"})
#: Members whose own members name and describe an item, as `metadata` does: the likeliest first.
_ABOUT = ("metadata", "meta", "info", "properties", "attributes")
#: Confidence from which a member of a member is taken for the identifier.
_SURE_BELOW = 0.93
#: Usual names of identifiers, for parameters whose name does not indicate one.
_USUAL = ("id", "uuid", "slug", "key", "code", "name", "login", "username", "number", "token", "identifier")
#: Last words of a parameter's name that indicate the member.
_TELLING = frozenset(_USUAL)
#: Last words of parameters that name a person.
_PEOPLE = frozenset({"username", "user", "owner", "org", "organization", "member", "assignee"})
_NAMESAKE = 1.0
#: Confidence from which a member may be what the parameter names.
_LIKELY = 0.7
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


def nested_identifier(parameter: str, shape: Shape, kinds: frozenset[str], collection: str) -> tuple[str, float]:
    """Return the pointer of an identifier below a member, `/metadata/name`, and a confidence; "" and 0 if none.

    Args:
        parameter: name of the path parameter.
        shape: shape of an item.
        kinds: types of the parameter, empty if unknown.
        collection: last segment of the collection's path.
    """
    about = [name for known in _ABOUT for name in shape.names if name.lower() == known]
    for name in about:
        member = shape.member(name)
        if member is not None and member.names:
            found, sure = identifier(parameter, member, kinds, collection)
            if sure >= _SURE_BELOW:
                return child(child("", name), found), sure
    return "", 0.0


def is_a_name(member: str) -> bool:
    """Tell whether a member is a name that people give to an item, and may change, and no number of the server's."""
    found = words(member)
    return bool(found) and found[-1] in _NATURAL - {"id", "uuid", "guid"}


def is_said_by(member: str, named: str) -> bool:
    """Tell whether a member of a request has the words of an identifier at its end, as `branch_name` has of `name`."""
    own, wanted = words(member), words(named)
    return len(own) > len(wanted) and own[-len(wanted) :] == wanted


def is_an_identifier(member: str) -> bool:
    """Tell whether a member is an identifier that servers make, and no two items share."""
    return words(member) in (["id"], ["uuid"], ["guid"])


def has_member(shape: Shape, named: str) -> bool:
    """Tell whether a value has the member that an identifier names: a member, or by a pointer one below it."""
    if not named.startswith("/"):
        return named in shape.names
    *way, last = split(named)
    inner: Shape | None = shape
    for name in way:
        inner = inner.member(name) if inner is not None else None
    return inner is not None and last in inner.names


def natural_keys(parameter: str, shape: Shape, collection: str) -> Iterator[str]:
    """Yield the members by which an item may be found: those that a parameter may mean, and usual names of things.

    `{idOrKey}` and `{id_or_name}` mean two members.
    """
    wanted = words(parameter)
    meant = {word for word in wanted if "or" in wanted}
    for name in shape.names:
        own = words(name)
        is_meant = _sureness(wanted, own, collection) >= _LIKELY or (len(own) == 1 and own[0] in meant)
        if (is_meant or (len(own) == 1 and own[0] in _NATURAL)) and _is_scalar(shape, name):
            yield name


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
    if len(name) == 1 and "".join(wanted) == collection.lower().rstrip("s") + name[0]:
        return 0.9  # name for {username} of /users
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
