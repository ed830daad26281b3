"""Response content made from an operation's example, with values of the call written at some places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockserver.http.pointers import split

#: Takes a value for each place, in the order in which they were named.
Fill = Callable[[Sequence[Any]], Any]
#: Names on the way to each place, with the index of its value.
_Places = Sequence[tuple[tuple[str, ...], int]]


def compile_form(example: Any, pointers: Sequence[str]) -> Fill:
    """Return a function that makes content: a copy of an example with given values at JSON pointers.

    Objects on the way to a place that the example lacks are made; one of its lists is only written into.
    """
    return _compile(example, [(tuple(split(pointer)), index) for index, pointer in enumerate(pointers)])


def _compile(example: Any, places: _Places) -> Fill:
    if not places:
        return lambda _values: example
    for way, index in places:
        if not way:
            return lambda values: values[index]
    below: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for way, index in places:
        below.setdefault(way[0], []).append((way[1:], index))
    if isinstance(example, list):
        items = {int(name): ways for name, ways in below.items() if name.isdecimal() and int(name) < len(example)}
        return _in_list(example, {at: _compile(example[at], ways) for at, ways in items.items()})
    return _in_object(example if isinstance(example, dict) else {}, below)


def _in_list(base: list[Any], fills: Mapping[int, Fill]) -> Fill:
    return lambda values: [fills[at](values) if at in fills else item for at, item in enumerate(base)]


def _in_object(base: dict[str, Any], below: Mapping[str, _Places]) -> Fill:
    # Most places are members of one object; a call for each would slow down every response.
    members = tuple((name, places[0][1]) for name, places in below.items() if not places[0][0])
    objects = tuple((name, _compile(base.get(name), places)) for name, places in below.items() if places[0][0])
    if not members and len(objects) == 1 and base.keys() <= below.keys():
        return _envelope(*objects[0])

    def fill(values: Sequence[Any]) -> dict[str, Any]:
        content = base.copy()
        for name, index in members:
            content[name] = values[index]
        for name, made in objects:
            content[name] = made(values)
        return content

    return fill


def _envelope(name: str, made: Fill) -> Fill:
    """Return a function that makes an object with one member."""
    return lambda values: {name: made(values)}
