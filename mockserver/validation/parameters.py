"""Parameters: found in the request, given the type that their schema asks for, validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from mockserver.contract.model import Contract, Operation, Parameter
from mockserver.contract.references import child, follow
from mockserver.errors import RequestRejected
from mockserver.messages import Request, Violation
from mockserver.validation.violations import translate

_LITERALS = {"true": True, "false": False}


class ParameterReader:
    """Reads the parameters of one operation's requests.

    Serialised as primitives (`style` form and simple without explode matter only to arrays and objects, which are
    passed on as text).
    """

    def __init__(self, contract: Contract, operation: Operation) -> None:
        self._contract = contract
        self._parameters = operation.parameters

    def read(self, request: Request, path_values: Mapping[str, str]) -> dict[str, Any]:
        """Return the values by parameter name; the absent ones are left out.

        Raises:
            RequestRejected: 422 with every violation of every parameter.
        """
        if not self._parameters:
            return {}
        query = parse_qs(request.query, keep_blank_values=True) if request.query else {}
        values: dict[str, Any] = {}
        violations: list[Violation] = []
        for parameter in self._parameters:
            raw = self._raw(parameter, request, path_values, query)
            if raw is None:
                if parameter.required:
                    violations.append(self._missing(parameter))
                continue
            value = self._typed(parameter, raw)
            values[parameter.name] = value
            if parameter.schema is not None:
                for found in self._contract.validator(parameter.schema, "request").violations(value):
                    violations.extend(
                        translate(self._contract, parameter.location, found, (), child("", parameter.name))
                    )
        if violations:
            first = violations[0]
            raise RequestRejected(
                422,
                "Unprocessable Content",
                f"{first.place} {first.pointer}: {first.message}",
                violations=violations,
            )
        return values

    def _raw(
        self,
        parameter: Parameter,
        request: Request,
        path_values: Mapping[str, str],
        query: Mapping[str, list[str]],
    ) -> str | None:
        if parameter.location == "path":
            return path_values.get(parameter.name)
        if parameter.location == "query":
            return query.get(parameter.name, [None])[-1]  # type: ignore[list-item]  # absent is None
        if parameter.location == "header":
            return request.fields.get("HTTP_" + parameter.name.upper().replace("-", "_"))
        cookies = request.fields.get("HTTP_COOKIE", "")
        pairs = (pair.strip().partition("=") for pair in cookies.split(";"))
        return next((value for name, _, value in pairs if name == parameter.name), None)

    def _typed(self, parameter: Parameter, raw: str) -> Any:
        """Return the text as the type that the schema asks for, or as text where it does not fit."""
        if parameter.schema is None:
            return raw
        schema, _ = follow(self._contract.document.data, parameter.schema)
        wanted = schema.get("type") if isinstance(schema, dict) else None
        try:
            if wanted == "integer":
                return int(raw)
            if wanted == "number":
                return float(raw)
        except ValueError:
            return raw
        return _LITERALS.get(raw, raw) if wanted == "boolean" else raw

    def _missing(self, parameter: Parameter) -> Violation:
        pointer = child(parameter.pointer, "required")
        provenance = self._contract.provenance(pointer)
        return Violation(
            place=parameter.location,
            pointer=child("", parameter.name),
            keyword="required",
            expected=parameter.name,
            message="is required",
            has_value=False,
            value=None,
            provenance_kind=provenance.kind,
            provenance_reason=provenance.reason,
            rule=pointer,
        )
