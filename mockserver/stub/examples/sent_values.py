"""Values of a call in the content that answers it, where no state is kept: what was sent comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockserver.contract.exchanges import pairs_of
from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.resources.identifiers import identifier
from mockserver.contract.resources.shapes import SchemaShape, Shape, objects, request_shape, response_validity, shape_of
from mockserver.http import json
from mockserver.http.pointers import split
from mockserver.messages import Arguments

#: Confidence from which a member of made-up content is what a path parameter names.
_SURE = 0.9


class _Places(NamedTuple):
    """Where content of one media type shows the values of a call.

    Attributes:
        at: names on the way to the object that shows members of the request.
        members: the members of the request that it has, too.
        of_path: way, member and path parameter of each value of the path.
        is_valid: tells whether the whole content is valid.
    """

    at: tuple[str, ...]
    members: frozenset[str]
    of_path: tuple[tuple[tuple[str, ...], str, str], ...]
    is_valid: Callable[[Any], bool]


class SentValues:
    """Values of calls of one operation, to be shown in the content of its responses."""

    def __init__(self, contract: Contract, operation: Operation) -> None:
        self._contract = contract
        self._operation = operation
        self._taken = request_shape(contract, operation) if not operation.safe else None
        self._in_path = tuple(one.name for one in operation.parameters if one.location == "path")
        self._places: dict[str, _Places] = {}
        self._documented = {
            json.sorted_text(pair.request.value) for pair in pairs_of(operation) if pair.request is not None
        }

    def __bool__(self) -> bool:
        return self._taken is not None or bool(self._in_path)

    def shown_in(self, value: Any, media_type: MediaType, arguments: Arguments) -> Any:
        """Return content with the values of a call in the members of their names, as far as it stays valid.

        The response to exactly a documented request is what is documented. What the path names is shown by made-up
        content alone: an example is its author's.
        """
        if not isinstance(value, dict):
            return value
        places = self._places.get(media_type.pointer)
        if places is None:
            places = self._places[media_type.pointer] = self._find(media_type)
        sent = arguments.content
        wanted = {name: sent[name] for name in places.members if name in sent} if isinstance(sent, dict) else {}
        if wanted and not (self._documented and json.sorted_text(sent) in self._documented):
            value = _with_members(value, places.at, wanted, places.is_valid)
        if places.of_path and not media_type.examples:
            for way, member, parameter in places.of_path:
                if parameter in arguments.path:
                    value = _with_members(value, way, {member: arguments.path[parameter]}, places.is_valid)
        return value

    def _find(self, media_type: MediaType) -> _Places:
        shape = shape_of(self._contract, media_type)
        found = [] if shape is None else [(tuple(split(place)), inner) for place, inner in objects(shape)]
        found = [(way, inner) for way, inner in found if "0" not in way]
        at, members = self._of_content(found)
        return _Places(at, members, tuple(self._of_path(found)), response_validity(self._contract, media_type))

    def _of_content(self, found: list[tuple[tuple[str, ...], Shape]]) -> tuple[tuple[str, ...], frozenset[str]]:
        best: tuple[tuple[str, ...], frozenset[str]] = ((), frozenset())
        if self._taken is None:
            return best
        sent = {name for name in self._taken.names if not _marked(self._taken, name, "write_only")}
        for way, inner in found:
            common = frozenset(name for name in sent & set(inner.names) if not _marked(inner, name, "read_only"))
            if len(common) > len(best[1]):
                best = way, common
        return best

    def _of_path(self, found: list[tuple[tuple[str, ...], Shape]]) -> list[tuple[tuple[str, ...], str, str]]:
        segments = self._operation.path.rstrip("/").split("/")
        places = []
        for parameter in self._in_path:
            index = next((at for at, one in enumerate(segments) if one == f"{{{parameter}}}"), 0)
            for way, inner in found:
                member, sure = identifier(parameter, inner, frozenset(), segments[index - 1])
                is_last = index == len(segments) - 1
                if sure >= _SURE and (is_last or member.lower().replace("_", "") == parameter.lower().replace("_", "")):
                    places.append((way, member, parameter))
                    break
        return places


def _marked(shape: Shape, name: str, mark: str) -> bool:
    member = shape.member(name)
    return isinstance(member, SchemaShape) and bool(getattr(member, mark))


def _with_members(value: Any, way: tuple[str, ...], wanted: Mapping[str, Any], is_valid: Callable[[Any], bool]) -> Any:
    """Return content with members set in the object on a way, all of them, else each that leaves it valid."""
    changed = _merged(value, way, wanted)
    if changed is None:
        return value
    if is_valid(changed):
        return changed
    for name, one in wanted.items():
        changed = _merged(value, way, {name: one})
        if changed is not None and is_valid(changed):
            value = changed
    return value


def _merged(value: Any, way: tuple[str, ...], wanted: Mapping[str, Any]) -> Any:
    """Return content with members set, or merged, in the object on a way; None if that is not there."""
    if not isinstance(value, dict):
        return None
    if way:
        inner = _merged(value.get(way[0]), way[1:], wanted)
        return None if inner is None else {**value, way[0]: inner}
    changed = dict(value)
    for name, one in wanted.items():
        old = value.get(name)
        merged = _merged(old, (), one) if isinstance(one, dict) and isinstance(old, dict) else one
        changed[name] = merged
    return changed
