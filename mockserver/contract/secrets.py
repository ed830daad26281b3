"""Which properties a schema marks as secret."""

from __future__ import annotations

from typing import Any

from mockserver.contract.references import child, follow

_APPLICATORS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SUBSCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "unevaluatedProperties")


def marked_names(data: dict[str, Any], schema: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the property names below a schema that are `writeOnly`, and those that are `x-secret`."""
    write_only: set[str] = set()
    issued: set[str] = set()
    seen: set[str] = set()
    pending = [schema]
    while pending:
        raw, pointer = follow(data, pending.pop())
        if pointer in seen or not isinstance(raw, dict):
            continue
        seen.add(pointer)
        properties = raw.get("properties")
        for name in properties if isinstance(properties, dict) else ():
            place = child(pointer, "properties", name)
            marked, _ = follow(data, place)
            if isinstance(marked, dict) and marked.get("writeOnly") is True:
                write_only.add(name)
            if isinstance(marked, dict) and "x-secret" in marked:
                issued.add(name)
            pending.append(place)
        for keyword in _APPLICATORS:
            pending.extend(child(pointer, keyword, str(index)) for index in range(len(raw.get(keyword) or ())))
        pending.extend(child(pointer, keyword) for keyword in _SUBSCHEMAS if isinstance(raw.get(keyword), dict))
    return frozenset(write_only), frozenset(issued)
