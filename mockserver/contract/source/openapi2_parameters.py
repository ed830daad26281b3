"""Upgrade of OpenAPI 2.0 parameters: to a parameter with a `schema`, or to a request body."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mockserver.contract.source.openapi2_positions import Moves
from mockserver.http.pointers import child

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

_OWN = frozenset({"name", "in", "description", "required", "allowEmptyValue", "deprecated", "collectionFormat"})
#: `collectionFormat` to style and explode. OpenAPI 3 has no style with tabs, so that one is ours.
_STYLES = {
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
_EXAMPLES = ("x-example", "example")


class RawParameter(NamedTuple):
    """Parameter of OpenAPI 2.0, its `$ref` followed, with its pointer in the file."""

    raw: dict[str, Any]
    pointer: str


def parameter(places: Moves, found: RawParameter, new: str) -> dict[str, Any]:
    """Return a path, query or header parameter of OpenAPI 2.0 in the form of OpenAPI 3."""
    raw = found.raw
    places.move(found.pointer, new)
    made = {name: raw[name] for name in _OWN - {"collectionFormat"} if name in raw}
    made["schema"] = schema_of(raw)
    places.move(found.pointer, child(new, "schema"))
    if raw.get("type") == "array":
        form = raw.get("collectionFormat", "csv")
        default = ("form" if raw.get("in") == "query" else "simple", False)
        made["style"], made["explode"] = _STYLES.get(form, default) if isinstance(form, str) else default
    for name in _EXAMPLES:
        if name in raw:
            made["example"] = raw[name]
    return made


def schema_of(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the schema in the members of an OpenAPI 2.0 parameter, header or `items`."""
    made = {name: item for name, item in raw.items() if name not in _OWN and name not in _EXAMPLES}
    if isinstance(made.get("items"), dict):
        made["items"] = schema_of(made["items"])
    return made


def body(places: Moves, found: RawParameter, new: str, consumes: Iterable[str]) -> dict[str, Any]:
    """Return the request body for a parameter `in: body` of OpenAPI 2.0."""
    raw = found.raw
    places.move(found.pointer, new)
    media: dict[str, Any] = {"schema": raw.get("schema", {})}
    for name in _EXAMPLES:
        if name in raw:
            media["example"] = raw[name]
    types = tuple(consumes)
    for name in types:
        places.move(child(found.pointer, "schema"), child(new, "content", name, "schema"))
    made = {"required": raw.get("required") is True, "content": dict.fromkeys(types, media)}
    if "description" in raw:
        made["description"] = raw["description"]
    return made


def form(places: Moves, fields: Sequence[RawParameter], new: str, consumes: Sequence[str]) -> dict[str, Any]:
    """Return the request body for the parameters `in: formData` of an OpenAPI 2.0 operation."""
    files = any(_is_file(field.raw) for field in fields)
    types = [name for name in consumes if name in {URLENCODED, MULTIPART}]
    types = types or [MULTIPART if files else URLENCODED]
    names = [str(field.raw.get("name", "")) for field in fields]
    schema = {
        "type": "object",
        "properties": {name: _field_schema(field.raw) for name, field in zip(names, fields, strict=True)},
        "required": [name for name, field in zip(names, fields, strict=True) if field.raw.get("required") is True],
    }
    encoding = {}
    for name, field in zip(names, fields, strict=True):
        if field.raw.get("type") == "array":
            style, explode = _STYLES.get(str(field.raw.get("collectionFormat", "csv")), ("form", False))
            encoding[name] = {"style": style, "explode": explode}
    for field, name in zip(fields, names, strict=True):
        for media_type in types:
            places.move(field.pointer, child(new, "content", media_type, "schema", "properties", name))
    media: dict[str, Any] = {"schema": schema}
    if encoding:
        media["encoding"] = encoding
    return {"required": bool(schema["required"]), "content": dict.fromkeys(types, media)}


def _field_schema(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a form field: `allowEmptyValue: false` refuses an empty text."""
    made = schema_of(raw)
    if raw.get("allowEmptyValue") is False and raw.get("type") == "string":
        made.setdefault("minLength", 1)
    return made


def _is_file(raw: dict[str, Any]) -> bool:
    items = raw.get("items")
    return raw.get("type") == "file" or (isinstance(items, dict) and items.get("type") == "file")
