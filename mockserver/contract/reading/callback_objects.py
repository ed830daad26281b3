"""Callbacks of an operation: requests that the server sends to its client (OpenAPI 3.1, section 4.8.18)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.pointers import child

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


#: Described elsewhere in the contract (OpenAPI 3.1, section 4.8.12.1), or written by who sends.
_NOT_PARAMETERS = frozenset(
    {"accept", "content-type", "authorization", "content-length", "host", "connection", "transfer-encoding"}
)


@dataclass(frozen=True, slots=True)
class CallbackParameter:
    """Required header or query parameter of a callback request: its examples, and the pointer of its schema, if any."""

    name: str
    location: str
    schema: str | None
    examples: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Callback:
    """One request of a callback: method, URL expression, content and required parameters.

    Attributes:
        name: of the callback in its operation.
        expression: runtime expression or template that gives the URL.
        media_type: what is sent, without examples; None for no content.
        examples: of that content, in the document's order.
        parameters: those that are required.
    """

    name: str
    method: str
    expression: str
    media_type: MediaType | None
    examples: tuple[Any, ...]
    parameters: tuple[CallbackParameter, ...] = ()


def callbacks(contract: Contract, operation: Operation) -> tuple[Callback, ...]:
    """Return the callback requests of an operation, without those that are not valid OpenAPI."""
    found: list[Callback] = []
    for name, holder in _members(contract, child(operation.pointer, "callbacks")):
        for expression, item in _members(contract, holder):
            if not expression.startswith("x-"):
                found += [
                    replace(
                        _callback(contract, name, method.upper(), expression, pointer),
                        parameters=_parameters(contract, item, pointer),
                    )
                    for method, pointer in _members(contract, item)
                    if method in _METHODS
                ]
    return tuple(found)


def _callback(contract: Contract, name: str, method: str, expression: str, pointer: str) -> Callback:
    for media_type, place in _members(contract, child(_real(contract, child(pointer, "requestBody")), "content")):
        raw, place = follow(contract.document.data, place)
        schema = child(place, "schema") if "schema" in raw else None
        examples = _examples(contract, raw, place)
        return Callback(name, method, expression, MediaType(media_type, place, schema, {}), examples)
    return Callback(name, method, expression, None, ())


def _parameters(contract: Contract, item: str, pointer: str) -> tuple[CallbackParameter, ...]:
    """Return the required parameters of a callback request, from its operation and its path item."""
    found: dict[tuple[str, str], CallbackParameter] = {}
    for holder in (item, pointer):
        listed = contract.at(holder).get("parameters") if isinstance(contract.at(holder), dict) else None
        for index in range(len(listed) if isinstance(listed, list) else 0):
            place = _real(contract, child(holder, "parameters", str(index)))
            raw = contract.at(place)
            name, location = (raw.get("name"), raw.get("in")) if isinstance(raw, dict) else (None, None)
            if not isinstance(name, str) or location not in {"header", "query"} or raw.get("required") is not True:
                continue
            if location == "query" or name.lower() not in _NOT_PARAMETERS:
                schema = child(place, "schema") if "schema" in raw else None
                found[name, location] = CallbackParameter(name, location, schema, _examples(contract, raw, place))
    return tuple(found.values())


def _examples(contract: Contract, raw: dict[str, Any], place: str) -> tuple[Any, ...]:
    examples = [raw["example"]] if "example" in raw else []
    for _, example in _members(contract, child(place, "examples")):
        value = contract.at(example)
        examples += [value["value"]] if isinstance(value, dict) and "value" in value else []
    return tuple(examples)


def _members(contract: Contract, pointer: str) -> list[tuple[str, str]]:
    """Return the member names of an object with their values' pointers, `$ref`s followed; empty if no object."""
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
