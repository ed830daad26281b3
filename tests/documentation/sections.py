"""The tables of docs/seed-data.md, made from the schema of seed data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mockserver.plugins import DEFAULT, find
from mockserver.stub.store.seed_format import format_of

_FORM = format_of(find(DEFAULT))
_TYPES = {"string": "text", "integer": "integer", "boolean": "true, false"}


def tables() -> str:
    """Return a heading and a table for each section, in the order of the schema."""
    return "\n\n".join(_section(name) for name in _FORM.schema["properties"] if name != "overlays")


def _section(name: str) -> str:
    found = _FORM.schema["$defs"][name]
    lines = [f"### `{name}`", "", found["description"]]
    if name in _FORM.keys:
        lines[-1] += f" Key: {' and '.join(f'`{member}`' for member in _FORM.keys[name])}."
        lines += ["", "| member | value | |", "|---|---|---|", *_rows(found["items"], "")]
    return "\n".join(lines)


def _rows(item: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, member in item["properties"].items():
        needed = "**required**" if name in item.get("required", ()) else ""
        default = f"default {json.dumps(member['default'])}" if "default" in member else ""
        said = "; ".join(filter(None, (needed, member.get("description", ""), default)))
        yield f"| `{prefix}{name}` | {_value(member)} | {said} |"
        inner = member.get("items", member)
        if "properties" in inner:
            yield from _rows(inner, f"{prefix}{name}{'[]' if inner is not member else ''}.")


def _value(member: dict[str, Any]) -> str:
    if "enum" in member:
        return ", ".join(str(value) for value in member["enum"])
    if member["type"] == "array":
        return f"list of {'objects' if 'properties' in member['items'] else 'texts'}"
    if member["type"] == "object":
        return "object" if "properties" in member else "map to texts"
    kinds = member["type"] if isinstance(member["type"], list) else [member["type"]]
    bounds = [str(member[bound]) for bound in ("minimum", "maximum") if bound in member]
    span = f" {' to '.join(bounds)}" if len(bounds) == 2 else f", at least {bounds[0]}" if bounds else ""
    return " or ".join(_TYPES[kind] for kind in kinds) + span
