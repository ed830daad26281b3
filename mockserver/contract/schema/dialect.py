"""Translation of one Schema Object's keywords, in any OpenAPI version, to JSON Schema 2020-12.

Keywords that differ in OpenAPI 3.0 are translated (`nullable`, boolean `exclusiveMinimum`, lone `$ref`), and number
formats become limits. Unusable keywords (a wrong type, a pattern that no engine accepts) are left out with a
note, because the rest of the schema, and the operation, can be used without them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from mockserver.contract.schema.patterns import usable
from mockserver.http.json import excerpt

#: `tell(pointer of the keyword, what is wrong)`.
Tell = Callable[[str, str], None]

#: Marks a schema that has no valid value as written, and is read as its author probably meant it.
MEANT = "x-mockserver-meant"
#: Name of the anchor that `$recursiveAnchor` of JSON Schema 2019-09 becomes.
RECURSIVE = "mockserver-recursive"
TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
#: Keywords by how they hold schemas.
SINGLE = frozenset(
    {"items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"}
    | {"unevaluatedItems", "unevaluatedProperties", "contentSchema"}
)
LISTED = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
#: Keywords whose schemas apply to the same value.
SAME_VALUE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})

#: Whole numbers of each format (OpenAPI Format Registry).
_INTEGERS = {
    "int8": (-(2**7), 2**7 - 1),
    "uint8": (0, 2**8 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}


#: Python types with their JSON Schema types; bool comes first, because it is a subclass of int.
_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


def type_of(value: Any) -> str:
    """Return the JSON Schema type of a value, such as `integer` or `object`."""
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    return "null"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and int(value) == value


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict | bool)


_FITS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_count),
    **dict.fromkeys(("minProperties", "maxProperties", "minContains", "maxContains"), _is_count),
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "enum": lambda value: isinstance(value, list) and bool(value),
    "uniqueItems": lambda value: isinstance(value, bool),
    "format": lambda value: isinstance(value, str),
    "pattern": lambda value: isinstance(value, str) and usable(value) is not None,
    "required": lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    "dependentRequired": lambda value: (
        isinstance(value, dict)
        and all(isinstance(names, list) and all(isinstance(one, str) for one in names) for names in value.values())
    ),
    **dict.fromkeys(SINGLE, _is_schema),
    **dict.fromkeys(LISTED, lambda value: isinstance(value, list) and bool(value)),
    **dict.fromkeys(NAMED, lambda value: isinstance(value, dict)),
}


def usable_keywords(schema: Mapping[str, Any], pointer: str, tell: Tell, *, legacy: bool) -> dict[str, Any]:
    """Return the keywords of one Schema Object translated to JSON Schema 2020-12, without unusable ones.

    Args:
        schema: the Schema Object, which is not changed.
        pointer: its JSON pointer.
        tell: called with each keyword that is left out.
        legacy: whether the document is OpenAPI 3.0.
    """
    if legacy and isinstance(schema.get("$ref"), str):
        return {"$ref": schema["$ref"]}  # siblings are ignored (OpenAPI 3.0, section 4.7.23)
    kept = dict(schema)
    if "$recursiveRef" in kept or "$recursiveAnchor" in kept:
        _recursion(kept)
    if legacy:
        _bounds(kept)
    _type(kept, pointer, tell)
    if kept.get("format") == "int-or-string" and kept.get("type") == "string":
        kept["type"] = ["string", "integer"]  # how OpenAPI 2.0 and 3.0 write a union that they do not have
    for keyword in kept.keys() & _FITS.keys():
        if not _FITS[keyword](kept[keyword]):
            tell(f"{pointer}/{keyword}", f"`{keyword}` cannot be {excerpt(kept.pop(keyword))} and is ignored")
    _once(kept, pointer, tell)
    if "pattern" in kept:
        kept["pattern"] = usable(kept["pattern"])
    if isinstance(kept.get("patternProperties"), dict):
        kept["patternProperties"] = _usable_names(kept["patternProperties"], pointer, tell)
    _integer_bounds(kept)
    _enum(kept, pointer, tell)
    if kept.pop("nullable", None) is True:  # not a keyword in 3.1, but authors who still write it mean it
        _nullable(kept)
    return kept


def _once(kept: dict[str, Any], pointer: str, tell: Tell) -> None:
    """Leave out names that a list has twice, which JSON Schema does not allow, though nothing else is meant."""
    required = kept.get("required")
    if required and len(set(required)) < len(required):
        kept["required"] = list(dict.fromkeys(required))
        tell(f"{pointer}/required", f"`required` names {excerpt(required)}, some of them twice; each counts once")
    dependent = kept.get("dependentRequired")
    if dependent:
        kept["dependentRequired"] = {name: list(dict.fromkeys(names)) for name, names in dependent.items()}


def _recursion(kept: dict[str, Any]) -> None:
    """Replace the keywords of JSON Schema 2019-09 for recursion by those of 2020-12, which say the same."""
    if kept.pop("$recursiveAnchor", None) is True:
        kept.setdefault("$dynamicAnchor", RECURSIVE)
    if kept.pop("$recursiveRef", None) == "#":
        kept.setdefault("$dynamicRef", f"#{RECURSIVE}")


def _type(kept: dict[str, Any], pointer: str, tell: Tell) -> None:
    if "type" not in kept:
        return
    named = kept["type"]
    if named == "file":  # OpenAPI 2.0, for what is uploaded
        kept["type"] = "string"
        kept.setdefault("format", "binary")
        return
    names = named if isinstance(named, list) else [named]
    known = [name for name in names if isinstance(name, str) and name in TYPES]
    if len(known) < len(names) or not known:
        tell(
            f"{pointer}/type",
            f"`type` is {excerpt(named)}, which is not one of {', '.join(sorted(TYPES))}; it is ignored",
        )
        del kept["type"]
    elif isinstance(named, list):
        kept["type"] = list(dict.fromkeys(known))


def _bounds(kept: dict[str, Any]) -> None:
    """Replace `exclusiveMinimum: true` of OpenAPI 3.0, and its counterpart, by an exclusive bound with the value."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(kept.get(exclusive), bool) and kept.pop(exclusive) and bound in kept:
            kept[exclusive] = kept.pop(bound)


def _integer_bounds(kept: dict[str, Any]) -> None:
    limits = _INTEGERS.get(kept.get("format", ""))
    named = kept.get("type")
    if limits is None or not (named == "integer" or (isinstance(named, list) and "integer" in named)):
        return
    low, high = limits
    if max(kept.get("minimum", low), kept.get("exclusiveMinimum", low)) <= low:
        kept["minimum"] = low
    if min(kept.get("maximum", high), kept.get("exclusiveMaximum", high)) >= high:
        kept["maximum"] = high


def _enum(kept: dict[str, Any], pointer: str, tell: Tell) -> None:
    """Convert the values of an `enum` to the schema's `type` if none of them has that type, such as unquoted numbers.

    As written, such a schema has no valid value, so nothing valid is refused; optional values are not generated for it.
    """
    named, values = kept.get("type"), kept.get("enum")
    if named == "array" and isinstance(values, list) and isinstance(kept.get("items", {}), dict):
        _enum_of_items(kept, pointer, tell)
        return
    if not isinstance(named, str) or named not in _OF_TEXT or not isinstance(values, list):
        return
    if kept.get("nullable") is True or any(isinstance(one, list | dict) or _is_a(named, one) for one in values):
        return
    meant = [_OF_TEXT[named](one if isinstance(one, str) else json.dumps(one)) for one in values]
    if all(_is_a(named, value) for value in meant):
        kept["enum"] = list(dict.fromkeys(meant))
        kept[MEANT] = True
        tell(
            f"{pointer}/enum", f"no value of `enum` has the type {named}; {excerpt(values)} is read as {excerpt(meant)}"
        )


def _enum_of_items(kept: dict[str, Any], pointer: str, tell: Tell) -> None:
    """Move an `enum` without arrays from an array's schema to the schema of its items."""
    items = kept.get("items", {})
    if kept.get("nullable") is True or any(isinstance(one, list) for one in kept["enum"]) or "$ref" in items:
        return
    values = kept.pop("enum")
    kept["items"] = {"enum": values, **items}
    kept[MEANT] = True
    tell(f"{pointer}/enum", f"no value of `enum` is an array; {excerpt(values)} is read as the `enum` of the items")


def _plain(text: str) -> Any:
    """Return the value of a JSON text, None if the text is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


#: Conversion of a text to a value, by type.
_OF_TEXT: Mapping[str, Callable[[str], Any]] = {"string": str, "integer": _plain, "number": _plain, "boolean": _plain}


def _is_a(named: str, value: Any) -> bool:
    """Tell whether a value has the JSON Schema type of a name."""
    if named in {"string", "boolean"}:
        return isinstance(value, str if named == "string" else bool)
    return _is_number(value) and math.isfinite(value) and (named == "number" or value % 1 == 0)


def _nullable(kept: dict[str, Any]) -> None:
    """Allow null in a schema with `nullable: true`: in its `type`, `enum` and branches.

    OpenAPI 3.0.3 allows it only beside `type`, but authors mean it elsewhere as well.
    """
    if isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]
    if isinstance(kept.get("enum"), list) and None not in kept["enum"]:
        kept["enum"] = [*kept["enum"], None]
    branches = next((name for name in ("anyOf", "oneOf") if name in kept), None)
    if branches is not None:
        kept[branches] = [*kept[branches], {"type": "null"}]
    elif "allOf" in kept:
        # All schemas of `allOf` apply, unless the value is null.
        kept["anyOf"] = [{"allOf": kept.pop("allOf")}, {"type": "null"}]


def _usable_names(named: dict[str, Any], pointer: str, tell: Tell) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pattern, schema in named.items():
        translated = usable(pattern)
        if translated is None:
            tell(f"{pointer}/patternProperties", f"{excerpt(pattern)} is not a valid regular expression and is ignored")
        else:
            found[translated] = schema
    return found
