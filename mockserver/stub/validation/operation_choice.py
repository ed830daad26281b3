"""Choice between operations that share a path and a method: by values of parameters and members that tell them apart.

RPC in the clothes of HTTP has one path for all: `/#Action=DropThing`, `/#X-Amz-Target=Db.Get`, or a parameter, header
or member of the content with one allowed value. The operation is chosen of which most fits the call and nothing speaks
against it; where none fits, the first, whose violations then say what was expected.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from mockserver.contract.model import Contract, MediaType, Operation, Parameter
from mockserver.contract.schema.dialect import type_of
from mockserver.errors import ContractError
from mockserver.http import json
from mockserver.http.media_types import essence, is_json
from mockserver.http.pointers import child
from mockserver.messages import Request
from mockserver.stub.validation.parameters import cookies_of
from mockserver.stub.validation.text_types import ValueShapes

#: Longer content is not looked into for a member that tells operations apart.
_MOST_BYTES = 1 << 20
#: Enumerations of more values than this tell operations apart no better than chance.
_MOST_VALUES = 32


class _Condition(NamedTuple):
    """Value that a call of an operation has at one place.

    Attributes:
        places: where it may stand: `query`, `header`, `cookie`, `content` or `path`.
        name: of the parameter or member.
        values: its allowed values as text; None if `is_valid` tells.
        is_valid: tells of a text whether it is allowed.
        required: whether a call without it is none of this operation.
    """

    places: tuple[str, ...]
    name: str
    values: frozenset[str] | None
    is_valid: Callable[[str], bool] | None
    required: bool


class OperationChoice:
    """Chooser between the operations of one path and method."""

    def __init__(self, contract: Contract, operations: Sequence[Operation]) -> None:
        self._operations = [(one, list(_conditions(contract, one))) for one in operations]
        self._reads_content = any("content" in each.places for _, found in self._operations for each in found)

    def choose(self, request: Request, path_values: Mapping[str, str]) -> tuple[Operation, Request]:
        """Return the operation that fits a request best, and the request, whose content can still be read."""
        content: Mapping[str, Any] = {}
        if self._reads_content:
            request, content = _with_members(request)
        sent: dict[str, Mapping[str, Any]] = {
            "query": dict(parse_qsl(request.query, keep_blank_values=True)),
            "header": _Fields(request.fields),
            "cookie": dict(cookies_of(request)),
            "path": path_values,
            "content": content,
        }
        best = max(self._operations, key=lambda one: _fit(one[1], sent))
        return best[0], request


class _Fields(Mapping[str, str]):
    """Header fields of a request by their names, whatever their case."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        found: str = self._variables[key if key == "CONTENT_TYPE" else f"HTTP_{key}"]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _fit(conditions: Sequence[_Condition], sent: Mapping[str, Mapping[str, Any]]) -> tuple[int, int]:
    """Return how well a call fits an operation: minus what speaks against it, then what speaks for it."""
    against = fits = 0
    for one in conditions:
        found = next((held[one.name] for place in one.places if _has(held := sent[place], one.name)), None)
        if found is None:
            against += one.required
        elif _allows(one, found):
            fits += 1 if one.is_valid is None else 0  # what is valid for both tells nothing
        else:
            against += 1
    return -against, fits


def _has(held: Mapping[str, Any], name: str) -> bool:
    try:
        return held[name] is not None
    except KeyError:
        return False


def _allows(condition: _Condition, value: Any) -> bool:
    text = value if isinstance(value, str) else json.text(value)
    if condition.values is not None:
        return text in condition.values
    return condition.is_valid is None or condition.is_valid(text)


def _conditions(contract: Contract, operation: Operation) -> Iterator[_Condition]:
    fragment = operation.path.partition("#")[2]
    named = set()
    for pair in fragment.split("&") if fragment else ():
        name, equals, value = pair.partition("=")
        if equals and "{" not in value:
            named.add(name.lower())
            yield _Condition(("query", "header", "content"), name, frozenset({value}), None, required=True)
    shapes = ValueShapes(contract)
    for parameter in operation.parameters:
        if parameter.name.lower() in named or parameter.schema is None:
            continue
        if parameter.location == "path":
            yield _Condition(("path",), parameter.name, None, _validity(contract, shapes, parameter), required=False)
            continue
        values = _values(contract, parameter.schema)
        if values:
            yield _Condition((parameter.location,), parameter.name, values, None, required=parameter.required)
    body = operation.request_body
    for media_type in body.content.values() if body is not None else ():
        for name, values, required in _members(contract, media_type):
            if name.lower() not in named:
                named.add(name.lower())
                yield _Condition(("content",), name, values, None, required=required)


def _validity(contract: Contract, shapes: ValueShapes, parameter: Parameter) -> Callable[[str], bool]:
    assert parameter.schema is not None
    wanted = shapes.at(parameter.schema)
    validator = contract.validator(parameter.schema, "request")
    return lambda text: validator.is_valid(shapes.typed(text, wanted))


def _members(contract: Contract, media_type: MediaType) -> Iterator[tuple[str, frozenset[str], bool]]:
    """Yield name, allowed values and necessity of each member of a content that has few allowed values."""
    if media_type.schema is None:
        return
    shape = ValueShapes(contract).at(media_type.schema)
    for name, pointer in shape.properties.items():
        values = _values(contract, pointer)
        if values:
            yield name, values, name in shape.required


def _values(contract: Contract, pointer: str) -> frozenset[str]:
    """Return the few allowed values of a schema as text, empty if there are many."""
    try:
        schema, place = contract.schema(pointer)
    except ContractError:
        return frozenset()
    if not isinstance(schema, dict):
        return frozenset()
    found = [schema["const"]] if "const" in schema else schema.get("enum") or []
    if not found and isinstance(schema.get("allOf"), list) and len(schema["allOf"]) == 1:
        return _values(contract, child(place, "allOf", "0"))
    if len(found) > _MOST_VALUES or any(type_of(one) in {"object", "array"} for one in found):
        return frozenset()
    return frozenset(one if isinstance(one, str) else json.text(one) for one in found)


def _with_members(request: Request) -> tuple[Request, Mapping[str, Any]]:
    """Return a request whose content can be read again, and the members of its content, {} if there are none."""
    kind = essence(request.content_type or "")
    is_form = kind == "application/x-www-form-urlencoded"
    if request.content_length == 0 or not (is_form or is_json(kind)):
        return request, {}
    length = request.content_length
    start = request.read(min(_MOST_BYTES, length) if length is not None else _MOST_BYTES)
    held = io.BytesIO(start)

    def read(size: int) -> bytes:
        taken = held.read(size)
        return taken if len(taken) == size else taken + request.read(size - len(taken))

    again = request._replace(read=held.read if length is not None and len(start) == length else read)
    if is_form:
        return again, dict(parse_qsl(start.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        value = json.decode(start)
    except ValueError:
        return again, {}
    return again, value if isinstance(value, dict) else {}
