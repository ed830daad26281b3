"""The examples of requests that a call is like, looked up by the values of its parameters and members of its content.

The examples of an operation's parameters and contents are one request for each name. They are indexed once, so that a
call costs some look-ups however many examples there are. A request that says otherwise than the call is none that it is
like; of the others the one comes first that says most of what was sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from mockserver.contract.model import Operation, Parameter
from mockserver.http.json import sorted_text
from mockserver.messages import Arguments

_ABSENT: Any = object()
#: With up to so many examples all are compared; of more, those that have a telling value in common with the call.
_FEW = 8
_NOBODY: frozenset[str] = frozenset()


class Likeness:
    """Examples of requests that a call is like.

    Attributes:
        names: of the response examples that belong to them, the best first.
    """

    __slots__ = ("_conditions", "_unmet", "names")

    def __init__(self) -> None:
        self.names: Sequence[str] = ()
        #: The names that a part of the call can tell apart, and those that it fits.
        self._conditions: list[tuple[Collection[str], Collection[str]]] = []
        #: Names of examples whose request says what was not sent.
        self._unmet: list[Collection[str]] = []

    def is_exact(self, name: str) -> bool:
        """Tell whether all that the request of an example says was sent."""
        return not any(name in unmet for unmet in self._unmet)

    def excludes(self, name: str) -> bool:
        """Tell whether the request of an example says otherwise than the call."""
        return any(name in named and name not in fitting for named, fitting in self._conditions)

    def note_sent(self, named: Collection[str], fitting: Collection[str]) -> None:
        """Note that a part of the call fits some of the examples that it can tell apart."""
        self._conditions.append((named, fitting))

    def note_unmet(self, named: Collection[str]) -> None:
        """Note examples whose request says what was not sent."""
        self._unmet.append(named)


class RequestMatcher:
    """Matcher of calls of one operation with the examples of its requests."""

    def __init__(self, operation: Operation) -> None:
        self._parameters = [_ByValue(one) for one in operation.parameters if one.examples]
        body = operation.request_body
        self._contents = _Contents(operation) if body is not None and _has_examples(operation) else None
        #: Names of response examples that some example of a request belongs to.
        self.names = frozenset(
            [
                *(name for one in self._parameters for name in one.named),
                *(self._contents.named if self._contents is not None else ()),
            ]
        )

    def match(self, arguments: Arguments) -> Likeness:
        """Return the examples of requests that a call is like."""
        found = Likeness()
        scores: dict[str, float] = {}
        places = (arguments.path, arguments.query, arguments.header, arguments.cookie)
        for one in self._parameters:
            sent = places[one.place].get(one.name, _ABSENT)
            if sent is _ABSENT:
                found.note_unmet(one.named)
                continue
            fitting = one.fitting(sent)
            for name in fitting:
                scores[name] = scores.get(name, 0) + 1
            found.note_sent(one.named, fitting)
        contents, content = self._contents, arguments.content
        if contents is not None and content is None:
            found.note_unmet(contents.named)
        elif contents is not None:
            shares = dict.fromkeys(contents.equal(content), 2.0) or dict(contents.alike(content))
            for name, share in shares.items():
                scores[name] = scores.get(name, 0) + share
            found.note_sent(contents.named, shares)
            found.note_unmet([name for name, share in shares.items() if share < 1])
        if scores:
            found.names = sorted((name for name in scores if not found.excludes(name)), key=lambda name: -scores[name])
        return found


class _ByValue:
    """Examples of one parameter by their values."""

    _PLACES: Mapping[str, int] = {"path": 0, "query": 1, "header": 2, "cookie": 3}

    def __init__(self, parameter: Parameter) -> None:
        self.place = self._PLACES[parameter.location]
        self.name = parameter.name
        self.named = frozenset(example.response_name for example in parameter.examples.values())
        self._by_value: dict[str, frozenset[str]] = {}
        for example in parameter.examples.values():
            key = key_of(example.value)
            self._by_value[key] = self._by_value.get(key, _NOBODY) | {example.response_name}

    def fitting(self, value: Any) -> frozenset[str]:
        return self._by_value.get(value if isinstance(value, str) else key_of(value), _NOBODY)


class _Contents:
    """Examples of an operation's request content, in all media types, by their values and the values of members."""

    def __init__(self, operation: Operation) -> None:
        assert operation.request_body is not None
        self._whole: dict[str, tuple[str, ...]] = {}
        self._members: list[tuple[str, dict[str, str]]] = []
        for media_type in operation.request_body.content.values():
            for example in media_type.examples.values():
                key, name = key_of(example.value), example.response_name
                if name not in self._whole.get(key, ()):
                    self._whole[key] = (*self._whole.get(key, ()), name)
                if isinstance(example.value, dict) and example.value:
                    members = {member: key_of(value) for member, value in example.value.items()}
                    if (name, members) not in self._members:
                        self._members.append((name, members))
        self.named = frozenset(name for names in self._whole.values() for name in names)

    def equal(self, content: Any) -> tuple[str, ...]:
        """Return the names of the examples that are equal to the content of a call."""
        return self._whole.get(key_of(content), ())

    def alike(self, content: Any) -> Iterator[tuple[str, float]]:
        """Yield names of examples with the share of their members that the content has, if it is more than half."""
        if not isinstance(content, dict):
            return
        sent = {member: key_of(value) for member, value in content.items()}
        for name, members in self._members if len(self._members) <= _FEW else self._telling(sent):
            equal = sum(sent.get(member) == key for member, key in members.items())
            if 2 * equal > len(members):
                yield name, equal / len(members)

    def _telling(self, sent: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield those of many examples that have the most telling of the members in common with what was sent."""
        found = (self._index.get(member, {}).get(key) for member, key in sent.items())
        for number in min((numbers for numbers in found if numbers), key=len, default=())[:_FEW]:
            yield self._members[number]

    @cached_property
    def _index(self) -> dict[str, dict[str, list[int]]]:
        """Numbers of the examples by member and value."""
        index: dict[str, dict[str, list[int]]] = {}
        for number, (_, members) in enumerate(self._members):
            for member, key in members.items():
                index.setdefault(member, {}).setdefault(key, []).append(number)
        return index


def key_of(value: Any) -> str:
    """Return a text that is the same for equal values, and for a number or truth value and its text."""
    return value if isinstance(value, str) else sorted_text(value)


def _has_examples(operation: Operation) -> bool:
    body = operation.request_body
    return body is not None and any(media_type.examples for media_type in body.content.values())
