"""Which values are secret: what the contract marks, and names that look like it."""

from __future__ import annotations

import re
from typing import Any

from mockserver.contract.references import child, follow

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    {"password", "passwd", "passphrase", "pwd", "secret", "token", "otp", "totp", "apikey"}
)
_SECRET_PAIRS = frozenset(
    {("api", "key"), ("private", "key"), ("secret", "key"), ("access", "key"), ("auth", "key")}
)
_APPLICATORS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SUBSCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "unevaluatedProperties")


def looks_secret(name: str) -> bool:
    """Tell whether a name speaks of a secret, by whole words: `apiKey`, `auth_token`, but not `monkey`."""
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in _SECRET_WORDS for word in words) or any(
        pair in _SECRET_PAIRS for pair in zip(words, words[1:], strict=False)
    )


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
            pending.extend(
                child(pointer, keyword, str(index)) for index in range(len(raw.get(keyword) or ()))
            )
        pending.extend(
            child(pointer, keyword) for keyword in _SUBSCHEMAS if isinstance(raw.get(keyword), dict)
        )
    return frozenset(write_only), frozenset(issued)
