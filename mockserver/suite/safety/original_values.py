"""`--restore-values`: values of settings before the run, given by the user where no read shows them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.source.loading import parse_yaml
from mockserver.errors import UsageError
from mockserver.http.media_types import json_content
from mockserver.suite.identities.identity_file import expand
from mockserver.suite.secrets.known_secrets import marked, values_at


@dataclass(frozen=True, slots=True)
class OriginalValues:
    """Original values of settings (`--restore-values`), by resource or, without a resource, by `operationId`."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def secrets(self, contract: Contract) -> Iterator[tuple[str, str]]:
        """Yield the `writeOnly` texts in the values, after the names of the variables that replace them in output."""
        for name, value in self.values.items():
            content = _content(write_operation(contract, name))
            for path, _ in marked(contract, content[1], "writeOnly") if content else ():
                for text in values_at(value, path):
                    if isinstance(text, str):
                        yield f"ORIGINAL_{'_'.join((name, *path)).upper()}", text


def load_originals(path: Path | None, contract: Contract) -> OriginalValues:
    """Return the original values in a file, with each `${NAME}` replaced from the environment.

    Raises:
        UsageError: not readable, a name that the contract does not have, or a value that it does not allow.
    """
    if path is None:
        return OriginalValues()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}; check --restore-values") from error
    data = parse_yaml(path, text)
    if not isinstance(data, dict):
        raise UsageError(f"{path}: must map resources or operationIds to their original values")
    values: dict[str, Any] = {}
    for name, raw in expand(data, os.environ, path).items():
        operation = write_operation(contract, name)
        content = _content(operation)
        if operation is None or content is None:
            raise UsageError(
                f"{path}: the contract has no resource and no operation {name!r} that a value is written to"
            )
        if content[1] is not None and not contract.validator(content[1], "request").is_valid(raw):
            raise UsageError(f"{path}: the value of {name} is not what {operation.label} takes")
        behaviour = operation.behaviour
        if behaviour is not None and behaviour.generated:
            raise UsageError(f"{path}: {name} cannot be given: the server generates its value")
        values[behaviour.resource if behaviour is not None and behaviour.resource else operation.id] = raw
    return OriginalValues(values)


def write_operation(contract: Contract, name: str) -> Operation | None:
    """Return the operation that writes a resource, or the operation with an `operationId`."""
    for operation in contract.operations:
        behaviour = operation.behaviour
        if behaviour is not None and (behaviour.resource, behaviour.role) == (name, "write"):
            return operation
    found = contract.by_id.get(name)
    behaviour = found.behaviour if found is not None else None
    if behaviour is not None and behaviour.resource and behaviour.resource != name:
        return write_operation(contract, behaviour.resource)
    return found


def _content(operation: Operation | None) -> tuple[str, str | None] | None:
    """Return media type and schema of the JSON content of an operation, None if it takes no JSON."""
    held = operation.request_body.content if operation is not None and operation.request_body is not None else {}
    found = json_content(held)
    return None if found is None else (found[0], found[1].schema)
