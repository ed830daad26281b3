"""Fresh values: the content of a creation with other names, so that it can be sent again where names are unique."""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Iterator
from typing import Any

from mockserver.contract.schema.validator import Validator

#: Members that servers like to have unique.
_UNIQUE = re.compile(
    r"name|title|e?-?mail|login|slug|handle|key|code|label|alias|identifier|uuid|guid|host|domain|phone|sku|isbn|serial"
    r"|number|reference|(^|_)ref$|(^|_)id$|I[dD]$|url|uri|address|path|tag|subject|username|kind|version",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+\.?", re.IGNORECASE)
_LAST_DIGITS = re.compile(r"\d{1,9}(?=\D*$)")


def fresh(value: Any, validator: Validator | None, number: int) -> Any:
    """Return a valid value like another one, whose names and identifiers are others.

    Args:
        value: content that was accepted before.
        validator: of its schema, None if it has none.
        number: another one gives other names.
    """
    if not isinstance(value, dict) or number <= 0:
        return value
    made = copy.deepcopy(value)
    for holder in (made, *(one for one in made.values() if isinstance(one, dict))):
        for name, member in list(holder.items()):
            if not _UNIQUE.search(name) or not isinstance(member, str | int) or isinstance(member, bool):
                continue
            for other in _others(member, number):
                holder[name] = other
                if validator is None or validator.is_valid(made):
                    break
            else:
                holder[name] = member
    return made


def _others(value: str | int, number: int) -> Iterator[Any]:
    if isinstance(value, int):
        yield value + number
        return
    if _UUID.fullmatch(value):
        yield str(uuid.UUID(int=(uuid.UUID(value).int + number) % (1 << 128), version=4))
        return
    if _EMAIL.fullmatch(value):
        local, _, domain = value.partition("@")
        yield f"{local}.{number}@{domain}"
    if "://" in value:
        yield f"{value.rstrip('/')}/{number}"
    if _HOST.fullmatch(value):
        first, dot, rest = value.partition(".")
        yield f"{first}-{number}{dot}{rest}"
    yield f"{value}-{number}"
    yield f"{value}{number}"
    digits = _LAST_DIGITS.search(value)
    if digits is not None:
        width = len(digits[0])
        yield value[: digits.start()] + str((int(digits[0]) + number) % 10**width).zfill(width) + value[digits.end() :]
    text = str(number)
    if len(value) > len(text):
        yield value[: -len(text)] + text
    letters = "".join("abcdefghij"[int(digit)] for digit in text)
    yield value[: -len(letters)] + letters
    yield value[: -len(letters)] + letters.upper()
