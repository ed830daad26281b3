"""The form of an operation's answer: its example, with values of the call at some places of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockserver.http.pointers import split

#: Takes a value for each place, in the order in which they were named.
Fill = Callable[[Sequence[Any]], Any]


def compile_form(example: Any, pointers: Sequence[str]) -> Fill:
    """Return the function that makes content: an example with other values at JSON pointers.

    Objects on the way to a place that the example lacks are made; one of its lists is only written into.
    """
    return _compile(example, [(tuple(split(pointer)), index) for index, pointer in enumerate(pointers)])


def _compile(example: Any, places: Sequence[tuple[tuple[str, ...], int]]) -> Fill:
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
    base = example if isinstance(example, dict) else {}
    return _in_object(base, {name: _compile(base.get(name), ways) for name, ways in below.items()})


def _in_list(base: list[Any], fills: Mapping[int, Fill]) -> Fill:
    return lambda values: [fills[at](values) if at in fills else item for at, item in enumerate(base)]


def _in_object(base: dict[str, Any], fills: Mapping[str, Fill]) -> Fill:
    members = tuple(fills.items())

    def fill(values: Sequence[Any]) -> dict[str, Any]:
        content = dict(base)
        for name, value_of in members:
            content[name] = value_of(values)
        return content

    return fill
