"""JSON decoding and encoding by orjson; integers beyond 64 bits stay exact."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import orjson

#: Arrays and objects nested deeper than this are rejected; jsonschema-rs stops at 255, orjson at 1,024.
MAX_DEPTH = 128
_LONG_INTEGER = re.compile(rb"[0-9]{19}")
_DIGITS = b"0123456789"


def decode(content: bytes) -> Any:
    """Return the JSON value of UTF-8 content, with a limit on its depth; of duplicate members the last one counts.

    Raises:
        ValueError: not JSON (RFC 8259), not UTF-8, a lone surrogate, a number beyond 1.8e308, or nested beyond
            MAX_DEPTH.
    """
    # What is nested so deep takes two bytes a level; the counts are bounds, too, and almost always settle the question.
    if (
        len(content) > 2 * MAX_DEPTH
        and content.count(b"[") + content.count(b"{") > MAX_DEPTH
        and depth(content) > MAX_DEPTH
    ):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    return decode_exactly(content)


def decode_exactly(content: bytes) -> Any:
    """Return the JSON value of UTF-8 content of any depth; of duplicate members the last one counts.

    Raises:
        ValueError: not JSON (RFC 8259), not UTF-8, a lone surrogate, or a number beyond 1.8e308.
    """
    value = orjson.loads(content)
    # orjson turns integers beyond 64 bits into floats, without a word. Counting digits is five times as fast
    # as searching a run of them, and most content has fewer than such an integer takes.
    digits = len(content) - len(content.translate(None, _DIGITS))
    if digits >= 19 and _LONG_INTEGER.search(content) is not None:
        return json.loads(content, parse_constant=_refuse_constant)
    return value


def encode(value: Any) -> bytes:
    """Return the JSON text of a value in UTF-8."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sorted_text(value: Any) -> str:
    """Return the JSON text of a value, which is the same for equal values; of what is no JSON value, any text."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        return json.dumps(value, sort_keys=True, default=str)


def text(value: Any) -> str:
    """Return the JSON text of a value as a string, for messages; a lone surrogate is escaped."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"))


def depth(content: bytes) -> int:
    """Return how deep arrays and objects are nested in a JSON text; brackets inside strings do not count."""
    deepest = level = 0
    in_string = escaped = False
    for byte in content:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"]}":
            level -= 1
    return deepest


def excerpt(value: Any, most_characters: int = 60) -> str:
    """Return the JSON text of a value for a message, cut with an ellipsis after so many characters."""
    try:
        shown = text(value)
    except (TypeError, ValueError, RecursionError):  # no JSON value
        shown = json.dumps(str(value))
    return clip(shown, most_characters)


def clip(shown: str, most_characters: int = 200) -> str:
    """Return a text for a message, cut with an ellipsis after so many characters."""
    return shown if len(shown) <= most_characters else shown[:most_characters] + "…"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
