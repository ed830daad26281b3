"""Draft: a contract that is changed one operation at a time, leaving shared components as they are for others.

::

    responses/401 ── $ref ──► components/responses/Unauthorized      the contract
    responses/401 ── a copy, to be changed                           while edits are made
    responses/401 ── $ref ──► components/responses/UnauthorizedSeen  after `share`; or the component itself is changed,
                                                                     if all that use it came to the same copy
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mockserver.contract.source.references import follow, target
from mockserver.errors import ContractError
from mockserver.http.pointers import child, lookup, split

#: What a changed copy of a component is called, behind the component's name.
SUFFIX = "Seen"


@dataclass(slots=True)
class _Copy:
    """Copy of a component that replaces a `$ref` to the component.

    Attributes:
        holder: the object or array that holds it, under `key`.
        pointer: where the component stands.
        labels: the operations that it was made for.
    """

    holder: Any
    key: Any
    pointer: str
    reference: dict[str, Any]
    labels: dict[str, None]

    @property
    def value(self) -> Any:
        return self.holder[self.key]

    @property
    def is_there(self) -> bool:
        keys = range(len(self.holder)) if isinstance(self.holder, list) else self.holder
        return self.key in keys and isinstance(self.value, dict) and "$ref" not in self.value


class Draft:
    """OpenAPI document that is being changed.

    Attributes:
        base: the document as it was; never changed.
        data: the document as it is to be.
        stamp: text of `x-observed` for each change: when and where it was observed.
        notes: by label of an operation, what was changed there and why, in words.
        shared: pointers of changed components, with the labels of the operations that they were changed for.
    """

    def __init__(self, base: dict[str, Any], stamp: str) -> None:
        self.base = base
        self.data: dict[str, Any] = unshared(base)
        self.stamp = stamp
        self.notes: dict[str, dict[str, None]] = {}
        self.shared: dict[str, list[str]] = {}
        self._copies: dict[tuple[int, Any], _Copy] = {}

    def note(self, label: str, text: str) -> None:
        """Record why something was changed for an operation."""
        self.notes.setdefault(label, {}).setdefault(text)

    def at(self, pointer: str, names: Sequence[str], label: str) -> Any:
        """Return the element below a pointer, copied as needed so that it can be changed for one operation alone.

        Raises:
            LookupError: nothing stands there.
        """
        value: Any = self.data
        for name in (*split(pointer), *names):
            key: Any = int(name) if isinstance(value, list) else name
            value = self._entered(value, key, label)
        return value

    def routes(self, start: str, pointer: str) -> Iterator[list[str]]:
        """Yield the routes from an element to another one below it through `$ref`s, as lists of names."""
        yield from self._routes(start, pointer, frozenset())

    def share(self) -> None:
        """Move each changed copy of a component to a new component where several operations have the same copy."""
        by_component: dict[str, list[_Copy]] = {}
        for copy in self._copies.values():
            by_component.setdefault(copy.pointer, []).append(copy)
        for pointer in self._inner_first(by_component):
            self._share(pointer, [copy for copy in by_component[pointer] if copy.is_there])
        self._copies.clear()

    def _entered(self, holder: Any, key: Any, label: str) -> Any:
        value = holder[key]
        found = self._copies.get((id(holder), key))
        if found is not None:
            found.labels.setdefault(label)
        while isinstance(value, dict) and "$ref" in value:
            try:
                pointer = target(value["$ref"])
            except ContractError as error:
                raise LookupError(str(error)) from error
            beside = {name: item for name, item in value.items() if name != "$ref"}
            self._copies[id(holder), key] = _Copy(holder, key, pointer, value, {label: None})
            holder[key] = value = {**unshared(lookup(self.data, pointer)), **beside}
        return value

    def _routes(self, start: str, pointer: str, seen: frozenset[str]) -> Iterator[list[str]]:
        if pointer == start or pointer.startswith(start + "/"):
            yield split(pointer)[len(split(start)) :]
            return
        for names, reference in references(lookup(self.base, start)):
            if reference not in seen:
                for rest in self._routes(reference, pointer, seen | {reference}):
                    yield [*names, *rest]

    def _share(self, pointer: str, copies: list[_Copy]) -> None:
        groups: dict[str, list[_Copy]] = {}
        for copy in copies:
            groups.setdefault(_text(copy.value), []).append(copy)
        for copy in groups.pop(_text(lookup(self.data, pointer)), ()):
            copy.holder[copy.key] = copy.reference  # nothing came of it
        section, _, name = pointer.rpartition("/")
        if not groups or not section.startswith("/components/"):
            return
        used = any(reference == pointer for reference in reachable(self.data))
        for group in sorted(groups.values(), key=len, reverse=True):
            labels = list(dict.fromkeys(label for copy in group for label in copy.labels))
            holder = lookup(self.data, section)
            key = split(f"/{name}")[0]
            if used:
                key = _free(holder, key + SUFFIX)
            holder[key] = group[0].value
            used = True  # the component can be what one group came to, not what several did
            self.shared[child(section, key)] = labels
            for copy in group:
                copy.holder[copy.key] = {"$ref": "#" + child(section, key)}

    def _inner_first(self, pointers: dict[str, Any]) -> list[str]:
        """Return components ordered so that each follows the components that it refers to."""
        done: dict[str, None] = {}

        def visit(pointer: str, above: frozenset[str]) -> None:
            for _, reference in references(lookup(self.base, pointer)):
                if reference not in above and reference not in done:
                    visit(reference, above | {reference})
            done.setdefault(pointer)

        for pointer in pointers:
            visit(pointer, frozenset({pointer}))
        return [pointer for pointer in done if pointer in pointers]


def member_ways(data: Any, schema: str, members: Sequence[str]) -> Iterator[list[str]]:
    """Yield the routes from a schema to the schemas that apply to a member of its values."""
    try:
        value, schema = follow(data, schema)
    except ContractError:
        return
    if not isinstance(value, dict):
        return
    if not members:
        yield []
    elif isinstance(value.get("properties"), dict) and members[0] in value["properties"]:
        for way in member_ways(data, child(schema, "properties", members[0]), members[1:]):
            yield ["properties", members[0], *way]
    for index in range(len(value.get("allOf", ()))):
        for way in member_ways(data, child(schema, "allOf", str(index)), members):
            yield ["allOf", str(index), *way]


def references(value: Any) -> Iterator[tuple[list[str], str]]:
    """Yield the local `$ref`s in a value: the route to each, and its target pointer."""
    pending: list[tuple[list[str], Any]] = [([], value)]
    while pending:
        names, item = pending.pop()
        if isinstance(item, dict):
            reference = item.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/"):
                yield names, target(reference)
            pending.extend(([*names, name], below) for name, below in item.items() if name != "examples")
        elif isinstance(item, list):
            pending.extend(([*names, str(index)], below) for index, below in enumerate(item))


def reachable(data: dict[str, Any]) -> Iterator[str]:
    """Yield the pointers of all components that are referred to, directly or not, from outside of the components."""
    seen: set[str] = set()
    pending: list[Any] = [item for name, item in data.items() if name != "components"]
    while pending:
        for _, pointer in references(pending.pop()):
            if pointer not in seen:
                seen.add(pointer)
                yield pointer
                pending.append(lookup(data, pointer))


def unshared(value: Any) -> Any:
    """Return a copy of JSON data in which no two places share an object, unlike with YAML anchors."""
    if isinstance(value, dict):
        return {name: unshared(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unshared(item) for item in value]
    return value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _free(holder: dict[str, Any], name: str) -> str:
    """Return a name that is not in use yet: the name itself, or with a number appended."""
    number = 1
    while (name if number == 1 else f"{name}{number}") in holder:
        number += 1
    return name if number == 1 else f"{name}{number}"
