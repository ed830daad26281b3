"""State of the operations around one path, inferred without reading the rest of a large contract.

Which state an operation has follows from few paths: its collection and the paths above it, singular and plural of each,
what is below its items, and the collections beside it, which keys may name. A first request on a contract of thousands
of operations need not wait for the inference of them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from threading import Lock

from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.resources.state_roles import served_behaviours
from mockserver.http.path_templates import parse_template

#: Up to so many operations all are looked at: that takes less than a quarter of a second.
_SMALL = 300
#: So many first letters are the same in singular and plural.
_STEM = 3


class Neighbourhoods:
    """Behaviours by which the stub keeps state, for the operations around a path; worked out once for each path."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._known: dict[str, Mapping[str, Behaviour]] = {}
        self._lock = Lock()
        self._root = _Segment()

    def around(self, operation: Operation) -> Mapping[str, Behaviour]:
        """Return the behaviours of an operation and of those around it, by `operationId`."""
        base = _collection(operation.path) if len(self._contract.operations) > _SMALL else ""
        found = self._known.get(base)
        if found is None:
            with self._lock:  # of many first requests one works it out
                found = self._known.get(base)
                if found is None:
                    found = self._known[base] = served_behaviours(self._part(base) if base else self._contract)
        return found

    def _part(self, base: str) -> Contract:
        """Return a contract that has the operations around a collection's path alone."""
        if not self._root.below:
            for operation in self._contract.operations:
                self._root.add(_segments(operation.path), operation)
        kept = {one.id for one in _around(self._root, _segments(base))}
        return replace(self._contract, operations=tuple(one for one in self._contract.operations if one.id in kept))


class _Segment:
    """Segment of the paths of a contract, with the operations at it and the segments below."""

    def __init__(self, *, is_parameter: bool = False) -> None:
        self.is_parameter = is_parameter
        self.operations: list[Operation] = []
        self.below: dict[str, _Segment] = {}

    def add(self, segments: list[str], operation: Operation) -> None:
        at = self
        for segment in segments:
            at = at.below.setdefault(segment, _Segment(is_parameter="{" in segment))
        at.operations.append(operation)

    def collection(self) -> Iterator[Operation]:
        """Yield the operations at the segment and, where that has a parameter, at the one below it."""
        yield from self.operations
        for name, below in self.below.items():
            if "{" in name or not below.below:
                yield from below.operations

    def within(self, levels: int) -> Iterator[Operation]:
        """Yield the operations at the segment and so many levels below; parameters in a row are one level."""
        yield from self.operations
        for name, below in self.below.items():
            again = self.is_parameter and "{" in name
            if levels or again:
                yield from below.within(levels if again else levels - 1)


def _around(root: _Segment, base: list[str]) -> Iterator[Operation]:
    at = root
    beside = next((number for number, segment in enumerate(base) if "{" in segment), len(base)) - 1
    for number, segment in enumerate(base):
        if number == beside:
            yield from at.operations
        for name, other in at.below.items():
            # Singular and plural, and where keys may name them all collections.
            if number == beside or name[:_STEM].lower() == segment[:_STEM].lower():
                yield from other.collection()
        found = at.below.get(segment)
        if found is None:
            return
        at = found
    yield from at.within(2)


def _collection(path: str) -> str:
    """Return the path of the collection that an operation's path belongs to: without its last parameters."""
    segments = _segments(path)
    while len(segments) > 1 and "{" in segments[-1]:
        segments.pop()
    return "/" + "/".join(segments)


def _segments(path: str) -> list[str]:
    return parse_template(path.partition("#")[0]).nameless.strip("/").split("/")
