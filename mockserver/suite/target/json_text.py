"""JSON texts from servers, parsed within limits of depth, size and time, whatever they contain.

::

    content ── too many values? ── TooLarge
       │
       ├── nested up to MAX_DEPTH ────────────► json.loads
       └── deeper ── cut into texts of MAX_DEPTH levels, each of which is read ──► value, `Reading.pruned`

A value that was read is nested no deeper than MAX_DEPTH, so code may walk it by recursion: `json.loads`,
`repr` and jsonschema-rs end with an error or end the process on what is nested thousands deep.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

#: Levels of arrays and objects that are read; what stands deeper is checked for its grammar, and left out.
MAX_DEPTH = 100
#: The memory, roughly, that a value may take: 16 MiB of `{},{},` would take 400.
MAX_VALUE_BYTES = 160 * 1024 * 1024
#: Arrays and objects that are read where some are nested deeper than MAX_DEPTH, which takes microseconds for each.
_MAX_DEEP = 500_000
#: Bytes of memory for each object, array, half a text, and place in an array or object (CPython, 64 bits).
_COSTS = ((b"{", 200), (b"[", 64), (b'"', 25), (b",", 36))
#: A text, also one without its end, or a bracket outside of one.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_LARGEST = sys.float_info.max
#: Longer integers are read as one of so many digits: no schema tells them apart, and Python writes none of 4,301.
_MAX_DIGITS = 400
# Two searches, each of which begins with one class of characters, take a tenth of the time of one for both.
_LONG_NUMBER, _HIGH_POWER = re.compile(rb"[0-9]{300}"), re.compile(rb"[eE]\+?[0-9]{3}")


class NotJSON(ValueError):  # noqa: N818 - says what the content is, not that something went wrong here
    """Error: the content is not a single JSON text in UTF-8 (RFC 8259)."""


class TooLarge(NotJSON):
    """Error: the content has more values than are parsed, so it is not known whether it is JSON."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Value of a JSON text, and whether deep parts of it were left out.

    Attributes:
        value: its value, arrays and objects below MAX_DEPTH levels empty.
        pruned: whether there was anything below.
    """

    value: Any
    pruned: bool = False


def parse_json(content: bytes) -> Any:
    """Return a JSON text's value; see `read_json`.

    Raises:
        NotJSON: it is none.
        TooLarge: it holds more values than are read.
    """
    return read_json(content).value


def read_json(content: bytes) -> Reading:
    """Return the value of a JSON text; integers are exact up to 400 digits, lone surrogates are kept.

    Raises:
        NotJSON: it is none; NaN and Infinity are none.
        TooLarge: it holds more values than are read.
    """
    if not _is_too_large(content):
        try:
            text = content.decode("utf-8")
            value = _whole(text, content)
            if not isinstance(value, _TooDeep):
                return Reading(value)
            if content.count(b"[") + content.count(b"{") <= _MAX_DEEP:
                return Reading(_pruned(text), pruned=True)
        except (ValueError, RecursionError) as error:
            raise NotJSON(str(error)) from error
    raise TooLarge("its content holds more values than are read")


class _TooDeep:
    """Placeholder for a value that is nested deeper than MAX_DEPTH."""


def _whole(text: str, content: bytes) -> Any:
    try:
        value = _value(text, odd=has_odd_numbers(content))
    except RecursionError:
        return _TooDeep()
    return _TooDeep() if _is_deep(value) else value


def has_odd_numbers(content: bytes) -> bool:
    """Tell whether a JSON text may hold numbers beyond a float or with more digits than Python converts."""
    return _LONG_NUMBER.search(content) is not None or _HIGH_POWER.search(content) is not None


def _is_too_large(content: bytes) -> bool:
    if len(content) * _COSTS[0][1] <= MAX_VALUE_BYTES:
        return False
    return sum(content.count(sign) * cost for sign, cost in _COSTS) > MAX_VALUE_BYTES


def _is_deep(value: Any) -> bool:
    """Tell whether arrays and objects of a JSON text are nested deeper than MAX_DEPTH."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        held = (item.values() if isinstance(item, dict) else item for item in level)
        level = [member for members in held for member in members if isinstance(member, dict | list)]
        if not level:
            return False
    return True


def same_json(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; 1 equals 1.0, but not true."""
    pairs = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            pairs += [(value, right[name]) for name, value in left.items()]
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pairs += zip(left, right, strict=True)
        elif not _same_scalar(left, right):
            return False
    return True


def _same_scalar(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return (type(one) is type(other) or numbers) and bool(one == other)


def _value(text: str, *, odd: bool = True) -> Any:
    """Return the value of a JSON text whose nesting is at most MAX_DEPTH.

    Raises:
        ValueError: it is no JSON.
    """
    if not odd:
        return json.loads(text, parse_constant=_refuse_constant)
    return json.loads(text, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_number)


def _pruned(text: str) -> Any:
    """Return the value of a JSON text with parts below MAX_DEPTH left out, in linear time.

    Each array or object at a level that is a multiple of MAX_DEPTH is read by itself, and left empty where it stands.

    Raises:
        ValueError: it is no JSON.
    """
    open_parts: list[list[str]] = [[]]
    level = done = 0
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in "[{":
            if level and level % MAX_DEPTH == 0:
                open_parts[-1].append(text[done : token.start()])
                open_parts.append([])
                done = token.start()
            level += 1
        elif sign in "]}":
            level -= 1
            if level > 0 and level % MAX_DEPTH == 0:
                part = "".join((*open_parts.pop(), text[done : token.end()]))
                open_parts[-1].append("[]" if isinstance(_value(part), list) else "{}")
                done = token.end()
            if level < 0:
                raise ValueError("a bracket is closed that was not opened")
    if level:
        raise ValueError("a bracket is not closed")
    return _value("".join((*open_parts[0], text[done:])))


def _integer(digits: str) -> int:
    if len(digits) <= _MAX_DIGITS:
        return int(digits)
    return int(f"{digits[0].strip('0123456789')}1{'0' * _MAX_DIGITS}")


def _number(text: str) -> float:
    return min(max(float(text), -_LARGEST), _LARGEST)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
