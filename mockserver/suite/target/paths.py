"""Paths: from a template to a request target, and from a request target back to the contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from mockserver.contract.model import Contract, Operation, Parameter

#: What a path parameter is given that the contract does not declare.
UNDECLARED = "sample"
_PARAMETER = re.compile(r"\{([^}]+)\}")


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Return a path template with its parameters filled in (`style: simple`), percent-encoded."""
    return _PARAMETER.sub(lambda match: quote(as_text(values[match[1]]), safe="", errors="surrogatepass"), template)


def as_text(value: Any) -> str:
    """Return a parameter's value as text, the way OpenAPI's `simple` and `form` styles write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(as_text, value))
    return "" if value is None else str(value)


def read_off(template: str, target: str) -> dict[str, str]:
    """Return the values that a request target has for a path template's parameters, nothing where it does not fit."""
    found = _pattern(template).fullmatch(target.partition("?")[0])
    return {name: unquote(found[_group(name)]) for name in parameters_of(template)} if found else {}


def undeclared(contract: Contract) -> tuple[str, ...]:
    """Return a note for each operation whose path has parameters that nobody declares (OpenAPI 3.1, section 4.8.12)."""
    found = []
    for operation in contract.operations:
        declared = {parameter.name for parameter in operation.parameters if parameter.location == "path"}
        names = [name for name in parameters_of(operation.path) if name not in declared]
        if names:
            found.append(f"{operation.label}: nobody declares {', '.join(names)} in its path; any text is sent")
    return tuple(found)


def parameters_of(template: str) -> list[str]:
    """Return the names of a path template's parameters, in order."""
    return _PARAMETER.findall(template)


class Resolver:
    """Finds what a path means; a concrete path wins over a template (OpenAPI 3.1, section 4.8.8.2)."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._concrete: dict[str, dict[str, Operation]] = {}
        self._templates: list[tuple[re.Pattern[str], dict[str, Operation]]] = []
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in contract.operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        for path, methods in sorted(by_path.items(), key=lambda item: _breadth(item[0])):
            if "{" in path:
                self._templates.append((_pattern(path), methods))
            else:
                self._concrete[path] = methods

    def methods_at(self, target: str) -> Mapping[str, Operation]:
        """Return the operations by method at a path with or without query, empty where nothing is defined."""
        path = unquote(target.partition("?")[0])
        if path in self._concrete:
            return self._concrete[path]
        raw = target.partition("?")[0]
        for pattern, methods in self._templates:
            found = pattern.fullmatch(raw)
            if found and all(self._fits(operation, found.groupdict()) for operation in methods.values()):
                return methods
        return {}

    def _fits(self, operation: Operation, texts: Mapping[str, str]) -> bool:
        """Tell whether the texts in a path can be what the operation's path parameters demand."""
        parameters = [parameter for parameter in operation.parameters if parameter.location == "path"]
        return all(
            self._is_valid(parameter, unquote(texts[_group(parameter.name)]))
            for parameter in parameters
            if _group(parameter.name) in texts
        )

    def _is_valid(self, parameter: Parameter, text: str) -> bool:
        if parameter.schema is None:
            return True
        validator = self._contract.validator(parameter.schema, "request")
        return any(validator.is_valid(reading) for reading in _readings(text))


def _readings(text: str) -> list[Any]:
    """Return what a text in a path may stand for."""
    readings: list[Any] = [text]
    if re.fullmatch(r"-?\d+", text):
        readings.append(int(text))
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        readings.append(float(text))
    if text in {"true", "false"}:
        readings.append(text == "true")
    return readings


def _breadth(template: str) -> list[tuple[int, int]]:
    """Return how much each segment takes, so that `/a/{b}:c`, which `/a/{b}` takes, too, comes first."""
    texts = ((segment, _PARAMETER.sub("", segment)) for segment in template.split("/"))
    return [(0 if text == segment else 1 if text else 2, -len(text)) for segment, text in texts]


def _group(name: str) -> str:
    return "p_" + "".join(character if character.isalnum() else f"_{ord(character)}_" for character in name)


def _pattern(template: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(template)
    # re.split with one group gives text, name, text, name ..., text.
    text = "".join(f"(?P<{_group(part)}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile(text)
