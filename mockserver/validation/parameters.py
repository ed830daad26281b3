"""Parameters: found in the request, given the type that their schema asks for, validated."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from mockserver.contract.model import Contract, Operation, Parameter
from mockserver.contract.references import follow
from mockserver.messages import Arguments, Request, Violation
from mockserver.pointers import child
from mockserver.validation.violations import missing_parameter, reject, translate

# Numbers as JSON writes them; Python's int() would take `1_0` and Arabic digits as well.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,999})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")
_LITERALS = {"true": True, "false": False}


class ParameterReader:
    """Reads the parameters of one operation's requests.

    Serialised as primitives (`style` form and simple without explode matter only to arrays and objects, which are
    passed on as text).
    """

    def __init__(self, contract: Contract, operation: Operation) -> None:
        self._contract = contract
        self._operation = operation
        self._parameters = operation.parameters

    def read(self, request: Request, path_values: Mapping[str, str]) -> Arguments:
        """Return the values by location and name; the absent ones are left out.

        Raises:
            RequestRejected: 422 (404, see `_status`) with every violation of every parameter.
        """
        query = parse_qs(request.query, keep_blank_values=True) if request.query else {}
        values: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        violations: list[Violation] = []
        for parameter in self._parameters:
            raw = self._raw(parameter, request, path_values, query)
            if raw is None:
                if parameter.required:
                    rule = child(parameter.pointer, "required")
                    violations.append(missing_parameter(self._contract, parameter.location, parameter.name, rule))
                continue
            value = self._typed(parameter, raw)
            values[parameter.location][parameter.name] = value
            if parameter.schema is not None:
                for found in self._contract.validator(parameter.schema, "request").violations(value):
                    violations.extend(
                        translate(self._contract, parameter.location, found, (), child("", parameter.name))
                    )
        if violations:
            raise reject(violations, len(violations), self._status(violations))
        return Arguments(values["path"], values["query"], values["header"], values["cookie"])

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
            return query.get(parameter.name, [None])[-1]
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
                return _integer(raw)
            if wanted == "number":
                return _number(raw)
        except ValueError:
            return raw
        return _LITERALS.get(raw, raw) if wanted == "boolean" else raw

    def _status(self, violations: list[Violation]) -> int:
        """Return 422, or 404 for a path that names nothing where the contract documents only that."""
        documented = self._operation.responses
        only_path = all(violation.place == "path" for violation in violations)
        return 404 if only_path and "404" in documented and not {"422", "400"} & documented.keys() else 422


def _integer(raw: str) -> int:
    if _INTEGER.fullmatch(raw) is None:
        raise ValueError(raw)
    return int(raw)


def _number(raw: str) -> float:
    if _NUMBER.fullmatch(raw) is None:
        raise ValueError(raw)
    number = float(raw)
    if not math.isfinite(number):
        raise ValueError(raw)
    return number
