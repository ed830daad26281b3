"""Choice between a stream and content in one piece, where an operation documents both.

A documented member of the request decides (`stream: true`, as with many language models), whatever `Accept` says:
clients that stream leave that as it is. Without such a member, or where it is not set, `Accept` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.errors import ContractError
from mockserver.http.pointers import child
from mockserver.messages import Arguments
from mockserver.stub.examples.stream_content import is_sequence

_NAMES = frozenset({"stream", "streaming", "is_stream", "stream_response", "enable_streaming"})
#: Texts of an enumeration that ask for a stream.
_ASKING = frozenset({"sse", "stream", "streaming", "events", "event-stream", "event_stream", "text/event-stream"})
_MAX_DEPTH = 6
_ANYTHING = frozenset({"", "*/*", "*"})


class StreamSwitch:
    """Switch of an operation that documents a stream beside content in one piece."""

    def __init__(self, contract: Contract, operation: Operation, streams: list[str], others: list[str]) -> None:
        self._streams = ", ".join(streams)
        self._others = ", ".join(others)
        #: Location, name and default of what decides.
        self._members = list(_members(contract, operation))

    def accept(self, arguments: Arguments, accept: str | None) -> str | None:
        """Return the `Accept` field by which the response to a call is chosen."""
        for location, name, default in self._members:
            sent = arguments.content if location == "body" else getattr(arguments, location)
            asked = sent.get(name, default) if isinstance(sent, dict) else default
            if asked is True or (isinstance(asked, str) and asked.lower() in _ASKING):
                return self._streams
        if self._members and (accept or "").strip() in _ANYTHING:
            return self._others
        return accept


def stream_switch(contract: Contract, operation: Operation) -> StreamSwitch | None:
    """Return the switch of an operation, None if its success is always a stream, or never."""
    media_types = [
        media_type
        for status, response in operation.responses.items()
        if status.startswith("2")
        for media_type in response.content.values()
    ]
    streams = [one.name for one in media_types if is_sequence(one)]
    others = [one.name for one in media_types if not is_sequence(one)]
    return StreamSwitch(contract, operation, streams, others) if streams and others else None


def streams_items(contract: Contract, operation: Operation) -> bool:
    """Tell whether the items of a stream are what the operation's other content is, or what it lists."""
    found: tuple[set[str], set[str]] = (set(), set())
    for response in operation.responses.values():
        for media_type in response.content.values() if response.status.startswith("2") else ():
            found[is_sequence(media_type)].update(_meant(contract, media_type))
    return bool(found[0] & found[1])


def _meant(contract: Contract, media_type: MediaType) -> Iterator[str]:
    """Yield the pointers of a media type's schema and of that of its items, references followed."""
    for pointer in (media_type.schema, media_type.item_schema):
        if pointer is not None:
            meant, place = contract.schema(pointer)
            yield place
            if isinstance(meant, dict) and isinstance(meant.get("items"), dict):
                yield contract.schema(child(place, "items"))[1]


def _members(contract: Contract, operation: Operation) -> Iterator[tuple[str, str, Any]]:
    for parameter in operation.parameters:
        if parameter.schema is not None and parameter.location in {"query", "header"}:
            yield from _switching(contract, parameter.location, parameter.name, parameter.schema)
    body = operation.request_body
    seen: set[str] = set()
    for media_type in body.content.values() if body is not None else ():
        if media_type.schema is not None:
            for name, pointer in _properties(contract, media_type.schema, 0):
                if name not in seen:
                    seen.add(name)
                    yield from _switching(contract, "body", name, pointer)


def _properties(contract: Contract, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the properties in all parts of a schema whose names may mean a stream, with the pointers of theirs."""
    meant, place = contract.schema(pointer)
    if not isinstance(meant, dict) or depth > _MAX_DEPTH:
        return
    for name in meant.get("properties") or ():
        if _may_switch(name):
            yield name, child(child(place, "properties"), name)
    for keyword in ("allOf", "oneOf", "anyOf"):
        for number in range(len(meant.get(keyword) or ())):
            yield from _properties(contract, child(child(place, keyword), str(number)), depth + 1)


def _may_switch(name: str) -> bool:
    return "stream" in name.lower() or name in {"response_mode", "responseMode"}


def _switching(contract: Contract, location: str, name: str, pointer: str) -> Iterator[tuple[str, str, Any]]:
    """Yield a member with its default if it may ask for a stream: a truth value, or an enumeration."""
    if not _may_switch(name):
        return
    try:
        is_valid = contract.validator(pointer, "request").is_valid
    except ContractError:
        return  # no usable schema: said where the request is validated
    meant = contract.schema(pointer)[0]
    default = meant.get("default") if isinstance(meant, dict) else None
    is_switch = name.lower() in _NAMES and is_valid(True) and not is_valid("no truth value")  # noqa: FBT003 - a value
    if is_switch or (not is_valid("no such text") and any(map(is_valid, _ASKING))):
        yield location, name, default
