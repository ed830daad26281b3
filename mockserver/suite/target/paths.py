"""Paths: request targets from path templates, and the operation that a request target belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from mockserver.contract.model import Contract, Operation, Parameter
from mockserver.http.path_templates import PathTemplate, parse_template
from mockserver.http.styles import encode_query, encode_text

#: Value of a path parameter that the contract does not declare.
UNDECLARED = "sample"
#: How a text is percent-encoded in a path and in a query; half of a pair of surrogates is sent as it is.
_IN_PATH = partial(quote, safe="", errors="surrogatepass")
_IN_QUERY = partial(quote_plus, errors="surrogatepass")


def fill(operation: Operation, values: Mapping[str, Any]) -> str:
    """Return the path of an operation with its parameters replaced by values, in their styles."""
    template = parse_template(operation.path)
    declared = {parameter.name: parameter for parameter in operation.parameters if parameter.location == "path"}
    texts = {name: _in_path(name, declared.get(name), values[name]) for name in template.parameters}
    return template.expand(texts)


def _in_path(name: str, parameter: Parameter | None, value: Any) -> str:
    if parameter is None:
        return encode_text(name, value, quote=_IN_PATH)
    return encode_text(name, value, parameter.style, explode=parameter.explode, quote=_IN_PATH)


def in_query(parameter: Parameter, value: Any) -> list[str]:
    """Return a query parameter's value as `name=value` parts, in the parameter's style.

    An array without items would not be there at all; one that is required stands there without a value.
    """
    found = encode_query(parameter.name, value, parameter.style, explode=parameter.explode, quote=_IN_QUERY)
    return found or query_parts(parameter.name, "")


def query_parts(name: str, value: str) -> list[str]:
    """Return the `name=value` part of a query for a string, such as an API key."""
    return encode_query(name, value, quote=_IN_QUERY)


def read_off(template: str, target: str) -> dict[str, str]:
    """Return a path template's parameter values in a request target; empty if the target does not match."""
    found = parse_template(template).match(target.partition("?")[0]) or {}
    return {name: unquote(text) for name, text in found.items()}


def undeclared(contract: Contract) -> tuple[str, ...]:
    """Return a note for each operation whose path has undeclared parameters (OpenAPI 3.1, section 4.8.12)."""
    found = []
    for operation in contract.operations:
        declared = {parameter.name for parameter in operation.parameters if parameter.location == "path"}
        names = [name for name in parse_template(operation.path).parameters if name not in declared]
        if names:
            found.append(f"{operation.label}: its path has undeclared parameters: {', '.join(names)}; any text is sent")
    return tuple(found)


class Resolver:
    """Finds the operations at a path; a concrete path precedes a template (OpenAPI 3.1, section 4.8.8.2)."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._concrete: dict[str, Mapping[str, Operation]] = {}
        self._templates: list[tuple[PathTemplate, Mapping[str, Operation]]] = []
        for path, methods in sorted(contract.by_path.items(), key=lambda item: _breadth(item[0])):
            template = parse_template(path)
            if template.parameters:
                self._templates.append((template, methods))
            else:
                self._concrete[path] = methods

    def methods_at(self, target: str) -> Mapping[str, Operation]:
        """Return the operations at a path by method, with or without query; empty if none is defined."""
        path = unquote(target.partition("?")[0])
        if path in self._concrete:
            return self._concrete[path]
        raw = target.partition("?")[0]
        for template, methods in self._templates:
            found = template.match(raw)
            if found and all(self._fits(operation, found) for operation in methods.values()):
                return methods
        return {}

    def _fits(self, operation: Operation, texts: Mapping[str, str]) -> bool:
        """Tell whether the values in a path are valid for the operation's path parameters."""
        parameters = [parameter for parameter in operation.parameters if parameter.location == "path"]
        return all(
            self._is_valid(parameter, unquote(texts[parameter.name]))
            for parameter in parameters
            if parameter.name in texts
        )

    def _is_valid(self, parameter: Parameter, text: str) -> bool:
        if parameter.schema is None:
            return True
        validator = self._contract.validator(parameter.schema, "request")
        return any(validator.is_valid(reading) for reading in readings(text))


def readings(text: str) -> list[Any]:
    """Return the values that a string in a path may represent: string, number or boolean."""
    readings: list[Any] = [text]
    if re.fullmatch(r"-?\d+", text):
        readings.append(int(text))
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        readings.append(float(text))
    if text in {"true", "false"}:
        readings.append(text == "true")
    return readings


def _breadth(template: str) -> list[tuple[int, int]]:
    """Return a sort key by which narrower path segments come first: `/a/{b}:c` before `/a/{b}`."""
    sizes = ((segment, sum(map(len, segment.literals))) for segment in parse_template(template).segments)
    return [(0 if not segment.parameters else 1 if size else 2, -size) for segment, size in sizes]
