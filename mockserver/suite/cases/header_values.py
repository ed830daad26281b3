"""What the text of a response header field may mean: style `simple` (OpenAPI 3.1, section 4.8.12.2)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from mockserver.http.styles import decode_text

_WHOLE = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
#: Beyond this a number is no matter of a header field, and Python refuses to read it.
_MAX_DIGITS = 300


def readings(text: str, kinds: Collection[str]) -> list[Any]:
    """Return the values that may be meant by a field, the text itself first.

    Args:
        text: of the field.
        kinds: the types that its schema names, empty for none; a list or an object is read where one is named alone,
            since keywords for texts would say nothing of it.
    """
    found: list[Any] = [text]
    if not kinds or set(kinds) != {"string"}:
        found.append(_read(text))
    parts = [part.strip() for part in _decoded("array", text)] if text.strip() else []
    if "array" in kinds:
        found += [parts, [_read(part) for part in parts]]
    if "object" in kinds:
        found += _objects(parts)
    return found


def _objects(parts: list[str]) -> list[dict[str, Any]]:
    """Return the objects that `a=1,b=2` (exploded) or `a,1,b,2` may be."""
    explode = all("=" in part for part in parts)
    if len(parts) % 2 and not explode:
        return []
    members = _decoded("object", ",".join(parts), explode=explode)
    return [members, {name: _read(value) for name, value in members.items()}]


def _decoded(kind: str, text: str, *, explode: bool = False) -> Any:
    return decode_text("", "simple", {kind}, text, explode=explode)


def _read(text: str) -> Any:
    """Return a number, truth value or null for its text, any other text as it is."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _MAX_DIGITS and _NUMBER.fullmatch(text):
        return int(text) if _WHOLE.fullmatch(text) else float(text)
    return text
