"""OpenAPI 3.0 schemas as what they mean in JSON Schema 2020-12: one validator judges the examples of both."""

from __future__ import annotations

import copy
from typing import Any

from mockserver.contract.lint.elements import CHILDREN, walk


def as_2020_12(data: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of an OpenAPI 3.0 document with the schemas of OpenAPI 3.1, each where it was."""
    copied = copy.deepcopy(data)
    for element in walk(copied):
        if element.kind == "schema":
            _translate(element.value)
    return copied


def _translate(schema: dict[str, Any]) -> None:
    if "$ref" in schema:
        # Members beside a $ref are ignored in OpenAPI 3.0 (section 4.7.23) and count in 3.1. What holds
        # schemas stays, because a $ref from elsewhere may lead into it.
        for keyword in schema.keys() - {"$ref"} - CHILDREN["schema"].keys():
            del schema[keyword]
        return
    if schema.pop("nullable", None) is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            # By the letter null has to be listed too; but nobody writes `nullable` without meaning it.
            schema["enum"] = [*schema["enum"], None]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)
