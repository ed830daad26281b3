"""Values that the user gives for a target (`--values`): what exists there, and what its operations take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.source.loading import parse_yaml
from mockserver.errors import UsageError
from mockserver.http.path_templates import parse_template

_KEYS = frozenset({"parameters", "bodies"})


@dataclass(frozen=True, slots=True)
class GivenValues:
    """Values from `--values`: of parameters, by name or by `METHOD /path NAME`, and of bodies by `operationId`."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    bodies: Mapping[str, Any] = field(default_factory=dict)

    def of(self, operation: Operation, name: str, is_valid: Callable[[Any], bool] = lambda _: False) -> list[Any]:
        """Return the values that were given for a parameter of an operation; those for it alone come first.

        A list is one value where it is valid as such, as for a parameter that is an array; else it has several.
        """
        found: list[Any] = []
        for key in (f"{operation.label} {name}", name):
            if key in self.parameters:
                value = self.parameters[key]
                found += value if isinstance(value, list) and not is_valid(value) else [value]
        return found


def load_values(path: Path | None, contract: Contract) -> GivenValues:
    """Return the values in a file, none without a file.

    Raises:
        UsageError: not readable, another form, or a name that the contract does not have.
    """
    if path is None:
        return GivenValues()
    try:
        data = parse_yaml(path, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}; check --values") from error
    if not isinstance(data, dict) or not data or not data.keys() <= _KEYS:
        raise UsageError(f"{path}: must hold `parameters:` or `bodies:`, or both, and nothing else")
    parameters, bodies = data.get("parameters") or {}, data.get("bodies") or {}
    if not isinstance(parameters, dict) or not isinstance(bodies, dict):
        raise UsageError(f"{path}: `parameters` and `bodies` must map names to values")
    _require_known(path, contract, parameters, bodies)
    return GivenValues(_by_text(parameters), _by_text(bodies))


def _by_text(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in values.items()}


def _require_known(path: Path, contract: Contract, parameters: Mapping[Any, Any], bodies: Mapping[Any, Any]) -> None:
    names: dict[str, set[str]] = {}
    for operation in contract.operations:
        own = {parameter.name for parameter in operation.parameters} | set(parse_template(operation.path).parameters)
        names[operation.label] = own
    every = set().union(*names.values()) if names else set()
    for key in map(str, parameters):
        label, _, name = key.rpartition(" ")
        if label and name not in names.get(label, set()):
            known = f"its parameters are {', '.join(sorted(names[label]))}" if label in names else "no such operation"
            raise UsageError(f"{path}: parameters: {key!r} names none of the contract ({known}); use METHOD /path NAME")
        if not label and name not in every:
            raise UsageError(f"{path}: parameters: no operation of the contract has a parameter {key!r}")
    for key in map(str, bodies):
        if key not in contract.by_id or contract.by_id[key].request_body is None:
            raise UsageError(f"{path}: bodies: {key!r} is no operationId of an operation that takes content")
