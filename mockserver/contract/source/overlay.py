"""OpenAPI Overlay 1.0: files with changes to a contract, applied before the contract is read.

The specification: https://spec.openapis.org/overlay/v1.0.0.html. An update is appended to the array that a target
selects; a list of updates, and arrays within an `update`, are appended as well, which the specification leaves open. A
target that matches nothing changes nothing; since that is nearly always a mistake, a note is added.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mockserver.contract.source import yaml
from mockserver.contract.source.loading import Document, Layer, load
from mockserver.errors import ContractError
from mockserver.http.json import excerpt
from mockserver.http.pointers import child

#: The patch version makes no difference (section 4.1 of the specification).
_VERSION = re.compile(r"1\.0\.\d+")
_Location = tuple[str | int, ...]


def apply_overlays(document: Document, overlays: Sequence[Path | str]) -> Document:
    """Return a document with the overlays in some files applied, one after the other.

    The digest covers the overlays, lines may be in them, and notes name the actions without effect.

    Raises:
        ContractError: a file that is no overlay, or an action that cannot be applied; names file, line and action.
    """
    before = set(unknown_schemes(document.data))
    for path in overlays:
        document = _applied(document, load(path, option="--overlay"))
    for pointer, name in unknown_schemes(document.data):
        if (pointer, name) not in before:
            raise _unknown_scheme(document, overlays, pointer, name)
    return document


def unknown_schemes(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield pointer and name of each undefined security scheme that a security requirement names."""
    known = _schemes(data)
    paths = data.get("paths")
    holders = [("", data)]
    for path, item in paths.items() if isinstance(paths, dict) else ():
        members = item.items() if isinstance(item, dict) else ()
        holders += [(child("", "paths", path, name), member) for name, member in members if isinstance(member, dict)]
    for place, holder in holders:
        required = holder.get("security")
        for requirement in required if isinstance(required, list) else ():
            names = requirement if isinstance(requirement, dict) else {}
            yield from ((child(place, "security"), str(name)) for name in names if name not in known)


def _schemes(data: dict[str, Any]) -> dict[str, Any]:
    """Return the security schemes of a document by name, also of an OpenAPI 2.0 document."""
    components = data.get("components")
    found = components.get("securitySchemes") if isinstance(components, dict) else data.get("securityDefinitions")
    return found if isinstance(found, dict) else {}


def _unknown_scheme(document: Document, overlays: Sequence[Path | str], pointer: str, name: str) -> ContractError:
    path, line = document.where(pointer)
    has = ", ".join(map(excerpt, _schemes(document.data))) or "none"
    return ContractError(
        f"{path}:{line}: {pointer} names the security scheme {excerpt(name)}, which is not defined once "
        f"{' and '.join(map(str, overlays))} {'is' if len(overlays) == 1 else 'are'} applied; "
        f"defined {'are' if ',' in has else 'is'} {has}: correct the name, or add it to components.securitySchemes"
    )


def merge(value: Any, update: Any) -> Any:
    """Return a value with an update merged in: objects member by member, arrays appended, anything else replaced."""
    if isinstance(value, dict) and isinstance(update, dict):
        return value | {name: merge(value[name], item) if name in value else item for name, item in update.items()}
    if isinstance(value, list) and isinstance(update, list):
        return [*value, *update]
    return update


def write_overlay(title: str, actions: Sequence[Mapping[str, Any]], comments: Sequence[str] = ()) -> str:
    """Return the text of an overlay as readable YAML, with comment lines at the top."""
    above = "".join(f"# {line}".rstrip() + "\n" for line in comments)
    overlay = {"overlay": "1.0.0", "info": {"title": title, "version": "1"}, "actions": list(actions)}
    return above + yaml.write(overlay)


def _applied(document: Document, overlay: Document) -> Document:
    data: Any = document.data
    places: dict[str, str] = {}
    notes = list(document.notes)
    for number, action in enumerate(_actions(overlay), 1):
        pointer = child("", "actions", str(number - 1))
        where = f"{overlay.path}:{overlay.locate(pointer)}: action {number}"
        locations = _locations(where, action["target"], data)
        if not locations:
            notes.append(f"{where}: its target {action['target']} matches nothing, so it changes nothing")
        if action.get("remove") is True:
            data = _without(where, data, locations)
            continue
        for location in locations:
            data, written = _updated(where, data, location, action.get("update"))
            places[child("", *map(str, written))] = child(pointer, "update")
    if not isinstance(data, dict):
        raise ContractError(f"{overlay.path}: leaves no contract; a target may not replace the whole document")
    depth, values = yaml.measure(data)
    if depth > yaml.MAX_DEPTH or values > yaml.MAX_VALUES:
        raise ContractError(f"{overlay.path}: makes the contract larger or more deeply nested than the limits allow")
    digest = hashlib.sha256(f"{document.sha256} {overlay.sha256}".encode()).hexdigest()
    layer = Layer(overlay.path, overlay.text, places)
    return replace(document, data=data, sha256=digest, layers=(*document.layers, layer), notes=tuple(notes))


def _actions(overlay: Document) -> Iterator[dict[str, Any]]:
    """Yield the actions of an overlay.

    Raises:
        ContractError: it is no Overlay Object, or an action is none.
    """
    version, actions = overlay.data.get("overlay"), overlay.data.get("actions")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise _mistake(
            overlay, "/overlay", f"`overlay` is {excerpt(version)}; supported is OpenAPI Overlay 1.0, `overlay: 1.0.0`"
        )
    info = overlay.data.get("info")
    if not isinstance(info, dict) or not all(isinstance(info.get(name), str) for name in ("title", "version")):
        raise _mistake(overlay, "/info", "`info` must be an object with `title` and `version`")
    if not isinstance(actions, list) or not actions:
        raise _mistake(overlay, "/actions", "`actions` must be a list of at least one action")
    for index, action in enumerate(actions):
        pointer = child("", "actions", str(index))
        if not isinstance(action, dict) or not isinstance(action.get("target"), str):
            raise _mistake(overlay, pointer, f"action {index + 1}: must be an object with a `target`")
        unknown = [name for name in action if name not in _ACTION and not name.startswith("x-")]
        if unknown:
            raise _mistake(overlay, pointer, f"action {index + 1}: {excerpt(unknown[0])} is not a member of an action")
        if not isinstance(action.get("remove", False), bool):
            raise _mistake(overlay, pointer, f"action {index + 1}: `remove` must be true or false")
        if "update" not in action and action.get("remove") is not True:
            raise _mistake(overlay, pointer, f"action {index + 1}: has neither `update` nor `remove: true`")
        yield action


_ACTION = frozenset({"target", "description", "update", "remove"})


def _mistake(overlay: Document, pointer: str, message: str) -> ContractError:
    return ContractError(f"{overlay.path}:{overlay.locate(pointer)}: {message}")


def _locations(where: str, target: str, data: Any) -> list[_Location]:
    """Return the locations that a JSONPath target selects, as tuples of names and indexes.

    Raises:
        ContractError: it is no JSONPath, or selects what is neither object nor array.
    """
    import jsonpath_rfc9535  # loaded for contracts with an overlay alone

    try:
        nodes = jsonpath_rfc9535.find(target, data)
    except (jsonpath_rfc9535.JSONPathError, RecursionError) as error:
        reason = " ".join(str(error).split()) or "it is nested too deep"
        raise ContractError(f"{where}: its target {excerpt(target)} is not a JSONPath (RFC 9535): {reason}") from error
    locations: dict[_Location, None] = {}
    for node in nodes:
        location = tuple(node.location)
        if not isinstance(node.value, dict | list):
            place = child("", *map(str, location))
            raise ContractError(
                f"{where}: its target {target} selects {place}, which is neither object nor array; "
                "select the object around it, and update the member"
            )
        locations[location] = None
    return list(locations)


def _updated(where: str, data: Any, location: _Location, update: Any) -> tuple[Any, _Location]:
    """Return the data with an update applied at a location, and the location of the new value."""
    found = _at(data, location)
    if isinstance(found, list):
        if isinstance(update, list):
            return _replaced(data, location, [*found, *update]), location
        return _replaced(data, location, [*found, update]), (*location, len(found))
    if not isinstance(update, dict):
        place = child("", *map(str, location))
        raise ContractError(f"{where}: selects the object {place or '/'}, so its `update` must be an object")
    return _replaced(data, location, merge(found, update)), location


def _without(where: str, data: Any, locations: list[_Location]) -> Any:
    """Return the data without the elements at some locations."""
    # Parents are removed last, and items of an array from its end, so that the other locations stay valid.
    for location in sorted(locations, key=lambda one: (len(one), [_order(token) for token in one]), reverse=True):
        if not location:
            raise ContractError(f"{where}: removes the whole document")
        holder, last = _at(data, location[:-1]), location[-1]
        if isinstance(holder, list):
            kept: Any = [item for index, item in enumerate(holder) if index != last]
        else:
            kept = {name: item for name, item in holder.items() if name != last}
        data = _replaced(data, location[:-1], kept)
    return data


def _order(token: str | int) -> tuple[int, str]:
    return (token, "") if isinstance(token, int) else (0, token)


def _at(data: Any, location: _Location) -> Any:
    for token in location:
        data = data[token]
    return data


def _replaced(data: Any, location: _Location, value: Any) -> Any:
    """Return a copy of the data with another value at a location; the original is not changed."""
    if not location:
        return value
    first, below = location[0], location[1:]
    copy = list(data) if isinstance(data, list) else dict(data)
    copy[first] = _replaced(data[first], below, value)  # type: ignore[index]  # an index for a list, a name for an object
    return copy
