"""Links with `x-mockserver-shows`: what a read shows after a call that a link leads from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.source.references import follow
from mockserver.http.pointers import child, lookup

SHOWS = "x-mockserver-shows"


@dataclass(frozen=True, slots=True)
class LinkEffect:
    """Statement of a link: what a read operation shows after another operation was called successfully.

    Attributes:
        link: name of the link.
        call: the operation whose success has the link.
        read: the operation that the link leads to.
        parameters: of the read, by name: values or runtime expressions.
        shows: by JSON pointer into the read's response, the value there. Pointers may have runtime expressions of the
            call in braces, and values may be such expressions (docs/contract.md, "What a link shows").
        pointer: JSON pointer of the statement in the contract.
    """

    link: str
    call: Operation
    read: Operation
    parameters: Mapping[str, Any]
    shows: Mapping[str, Any]
    pointer: str


def link_effects(contract: Contract) -> Iterator[LinkEffect]:
    """Yield the statements of all links with `x-mockserver-shows`, without links to unknown operations."""
    for operation in contract.operations:
        success = operation.success()
        if success is None:
            continue
        response, pointer = follow(contract.document.data, success.pointer)
        for name in response.get("links") or ():
            link, place = follow(contract.document.data, child(pointer, "links", name))
            read = contract.by_id.get(str(link.get("operationId")))
            if SHOWS in link and read is not None:
                shows, parameters = link[SHOWS], link.get("parameters") or {}
                yield LinkEffect(name, operation, read, parameters, shows, child(place, SHOWS))


def values_at(value: Any, pointer: str) -> list[Any]:
    """Return the values at a JSON pointer in which `*` stands for every item of an array; empty if there are none."""
    head, star, rest = pointer.partition("/*")
    try:
        held = lookup(value, head)
    except (LookupError, ValueError):
        return []
    if not star:
        return [held]
    return [found for item in held for found in values_at(item, rest)] if isinstance(held, list) else []
