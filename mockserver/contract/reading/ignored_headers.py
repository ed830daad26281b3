"""Header parameters that OpenAPI ignores, and contracts declare all the same: `Accept` and `Content-Type`.

They are no parameters (OpenAPI 3.1, section 4.8.12.1), but they tell clients what to send, not seldom beside other
media types. A client that does as it is told means no harm.
"""

from __future__ import annotations

from typing import Any

from mockserver.contract.model import Contract, Operation


def told_values(contract: Contract, operation: Operation, name: str) -> frozenset[str]:
    """Return the values that an operation tells clients to send in a header field.

    Args:
        contract: of the operation.
        operation: what is called.
        name: of the field, in lower case.
    """
    found: list[Any] = []
    for parameter in operation.parameters:
        if parameter.location == "header" and parameter.name.lower() == name:
            found += [example.value for example in parameter.examples.values()]
            schema = contract.at(contract.schema(parameter.schema)[1]) if parameter.schema is not None else {}
            if isinstance(schema, dict):
                found += [schema.get("default"), schema.get("example"), schema.get("const")]
                found += [*_listed(schema.get("enum")), *_listed(schema.get("examples"))]
    return frozenset(value for value in found if isinstance(value, str))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
