"""Items of streams: which values the events, lines or parts of a response without state are.

::

    examples that are an item each ── all of them, in the document's order
    an array, a text with several  ── its items
    no example                     ── one item for each branch of a union, else one

Made-up items begin with what says that something starts and end with what says that it is done, and leave failures
out: clients read a stream in this order, and stop at an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.contract.model import Contract, MediaType
from mockserver.contract.values.generator import CannotGenerate, Generator
from mockserver.errors import ContractError
from mockserver.http import json
from mockserver.http.content.sequence_writer import sequence_writer
from mockserver.http.content.sequences import sequence_kind
from mockserver.http.media_types import concrete
from mockserver.http.pointers import child

_UNIONS = ("oneOf", "anyOf")
_MAX_DEPTH = 5
_MAX_ITEMS = 100
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_STARTS = frozenset({"created", "create", "start", "started", "begin", "begun", "open", "opened", "init", "connected"})
_ADDS = frozenset({"added", "add"})
_ENDS = frozenset({"done", "completed", "complete", "stop", "stopped", "end", "ended", "finish", "finished", "close"})
_FAILURES = frozenset(
    {"error", "errors", "exception", "fail", "failed", "failure", "incomplete", "cancelled", "canceled", "cancelling"}
    | {"expired", "refused", "rejected", "aborted"}
)
#: Members that count the items of a stream, and those that name a place in a list.
_NUMBERS = frozenset({"sequence_number", "sequenceNumber", "seq", "sequence"})
_INDEX = re.compile(r"(?:^|_)index$|Index$")
#: Members whose value says what an item is.
_TELLING = ("type", "event", "object", "kind", "name")


def is_sequence(media_type: MediaType) -> bool:
    """Tell whether content of a documented media type is sent item by item."""
    return sequence_writer(concrete(media_type.name)) is not None


def is_item(media_type: MediaType, value: Any) -> bool:
    """Tell whether an example's value is one item of a sequence, not a sequence of its own."""
    by_members = _has_parts(media_type) and media_type.item_schema is None
    return not (by_members or isinstance(value, list | str | bytes))


def _has_parts(media_type: MediaType) -> bool:
    """Tell whether items are parts; by older contracts those are the members of an object."""
    return sequence_kind(concrete(media_type.name)) == "parts"


class StreamItems:
    """Maker of the items of sequences for which the contract has no example."""

    def __init__(self, contract: Contract, generator: Generator) -> None:
        self._contract = contract
        self._generator = generator

    def make(self, media_type: MediaType, key: str) -> list[Any]:
        """Return made-up items; none if the contract does not say what they are.

        Raises:
            CannotGenerate: nothing valid can be made.
        """
        whole = media_type.item_schema
        if whole is None and media_type.schema is not None:
            meant, pointer = self._contract.schema(media_type.schema)
            is_list = isinstance(meant, dict) and meant.get("type") == "array" and isinstance(meant.get("items"), dict)
            if is_list:
                whole = child(pointer, "items")
            elif not _has_parts(media_type):
                whole = media_type.schema
        if whole is None:
            return []
        branches = list(self._branches(whole, 0))[:_MAX_ITEMS]
        made = [one for pointer in branches if (one := self._of_branch(pointer, whole, key)) is not None]
        if len(made) < 2:
            items = [self._with_data(self._generator.generate(whole, "response", key), (whole,))]
        else:
            named = [(_words(value, pointer), value) for pointer, value in made]
            sound = [(words, value) for words, value in named if _FAILURES.isdisjoint(words)] or named
            begun = frozenset(_subject(words) for words, _ in sound if not _STARTS.isdisjoint(words))
            items = [value for _, value in sorted(sound, key=lambda pair: _place(pair[0], begun))]
        is_valid = self._contract.validator(whole, "response").is_valid
        counted = [_counted(item, number) for number, item in enumerate(items)]
        return [one if is_valid(one) else item for one, item in zip(counted, items, strict=True)]

    def _branches(self, pointer: str, depth: int) -> Iterator[str]:
        """Yield the pointers of the branches of a union, and of the unions in it; the schema's own if it is none."""
        meant, place = self._contract.schema(pointer)
        for keyword in _UNIONS:
            found = meant.get(keyword) if isinstance(meant, dict) else None
            if isinstance(found, list) and len(found) > 1 and depth < _MAX_DEPTH:
                for number in range(len(found)):
                    yield from self._branches(child(child(place, keyword), str(number)), depth + 1)
                return
        if not isinstance(meant, dict) or meant.get("type") != "null":
            yield pointer

    def _of_branch(self, pointer: str, whole: str, key: str) -> tuple[str, Any] | None:
        """Return a valid item by a branch of the schema of items, with its pointer; None if there is none."""
        is_valid = self._contract.validator(whole, "response").is_valid
        try:
            value = self._generator.generate(pointer, "response", key)
            if not is_valid(value) and isinstance(value, dict):
                value = {**self._generator.generate(whole, "response", key), **value}
        except (CannotGenerate, ContractError, TypeError):
            return None
        return (pointer, self._with_data(value, (pointer, whole))) if is_valid(value) else None

    def _with_data(self, value: Any, schemas: tuple[str, ...]) -> Any:
        """Return an event with the data that a `contentSchema` describes (OpenAPI 3.2, section 4.14.3)."""
        if not isinstance(value, dict) or not isinstance(value.get("data"), str):
            return value
        for pointer in schemas:
            meant, place = self._contract.schema(pointer)
            data = (meant.get("properties") or {}).get("data") if isinstance(meant, dict) else None
            if isinstance(data, dict) and "contentSchema" in data:
                content = child(child(child(place, "properties"), "data"), "contentSchema")
                try:
                    return {**value, "data": json.text(self._generator.generate(content, "response"))}
                except (CannotGenerate, ContractError):
                    return value
        return value


def _counted(value: Any, number: int, at: int = 0) -> Any:
    """Return an item with numbers that fit: its own in the stream, and indices of what is in a list."""
    if isinstance(value, list):
        return [_counted(item, number, place) for place, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    changed = {name: _counted(item, number) for name, item in value.items()}
    for name, item in value.items():
        if isinstance(item, int) and not isinstance(item, bool):
            if name in _NUMBERS:
                changed[name] = number
            elif _INDEX.search(name):
                changed[name] = at
    return changed


def _words(value: Any, pointer: str) -> tuple[str, ...]:
    """Return the words that say what an item is, in lower case."""
    told: Any = pointer.rpartition("/")[2]
    if isinstance(value, Mapping):
        told = next((value[name] for name in _TELLING if isinstance(value.get(name), str)), told)
    return tuple(word.lower() for word in _WORD.findall(str(told)))


def _subject(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that say what it is that begins or ends."""
    return tuple(word for word in words if word not in _STARTS | _ENDS)


def _place(words: tuple[str, ...], begun: frozenset[tuple[str, ...]]) -> tuple[int, int]:
    """Return where an item comes: the beginning of the whole before those of parts, its end after those of parts.

    Args:
        words: what the item says that it is.
        begun: what items say that it begins.
    """
    found, subject = set(words), _subject(words)
    if found & _STARTS:
        return 0, len(words)
    if found & _ADDS:
        return 1, len(words)
    if found & _ENDS:
        return (4 if subject in begun else 3) if subject else 5, -len(words)
    return 2, 0
