"""Callbacks: requests that a server makes in turn (OpenAPI 3.1, section 4.8.18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.references import follow
from mockserver.errors import ContractError
from mockserver.pointers import child

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Callback:
    """One request of a callback.

    Attributes:
        name: of the callback in its operation.
        expression: runtime expression or template that gives the URL.
        media_type: what is sent, without examples; None for no content.
        examples: of that content, in the document's order.
    """

    name: str
    method: str
    expression: str
    media_type: MediaType | None
    examples: tuple[Any, ...]


def callbacks(contract: Contract, operation: Operation) -> tuple[Callback, ...]:
    """Return the callbacks of an operation; what is not written as OpenAPI wants it is left out."""
    found: list[Callback] = []
    for name, holder in _members(contract, child(operation.pointer, "callbacks")):
        for expression, item in _members(contract, holder):
            if not expression.startswith("x-"):
                found += [
                    _callback(contract, name, method.upper(), expression, pointer)
                    for method, pointer in _members(contract, item)
                    if method in _METHODS
                ]
    return tuple(found)


def _callback(contract: Contract, name: str, method: str, expression: str, pointer: str) -> Callback:
    for media_type, place in _members(contract, child(_real(contract, child(pointer, "requestBody")), "content")):
        raw, place = follow(contract.document.data, place)
        examples = [raw["example"]] if "example" in raw else []
        for _, example in _members(contract, child(place, "examples")):
            value = contract.at(example)
            examples += [value["value"]] if isinstance(value, dict) and "value" in value else []
        schema = child(place, "schema") if "schema" in raw else None
        return Callback(name, method, expression, MediaType(media_type, place, schema, {}), tuple(examples))
    return Callback(name, method, expression, None, ())


def _members(contract: Contract, pointer: str) -> list[tuple[str, str]]:
    """Return the names in an object and where their values really stand, none for what is no object or broken."""
    pointer = _real(contract, pointer)
    try:
        value = contract.at(pointer)
    except (LookupError, ValueError):
        return []
    return [(str(name), _real(contract, child(pointer, name))) for name in value] if isinstance(value, dict) else []


def _real(contract: Contract, pointer: str) -> str:
    try:
        return follow(contract.document.data, pointer)[1]
    except ContractError:
        return pointer
