"""Identifiers of items: which values can be one in a path, and how new identifiers are made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from mockserver.contract.model import Contract, Parameter
from mockserver.errors import ContractError
from mockserver.stub.crud.queries import as_text

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: What no path can name: nothing, and what clients resolve (RFC 3986, section 5.2.4).
_NO_SEGMENTS = frozenset({"", ".", ".."})
#: Longer numbers are texts: no contract means them, and Python refuses to read thousands of digits.
_MAX_DIGITS = 18
_USUAL_LENGTH = 12
_MAX_LENGTH = 40
_LEAST = 4
#: Length from which a text of hexadecimal digits is a hexadecimal number.
_HEXADECIMAL = 8
#: `ED-24`, `order 7`, `24`: a prefix, and a number that counts on. `cus_9s6XKzkNR`: a prefix, and random characters.
_COUNTED = re.compile(r"((?:[A-Za-z][A-Za-z_:#. -]*)?)([0-9]{1,15})")
_MARKED = re.compile(r"((?:[A-Za-z]{1,12}[-_])+)([A-Za-z0-9]{6,})")
_NUMBER = re.compile(r"[0-9]{1,15}")

#: Makes an identifier of a number that counts on, and of what gives a text of random letters and digits.
Form = Callable[[int, Callable[[], str]], Any]


class ItemIdentifiers:
    """Identifiers of one resource's items: tells which values fit, and makes new ones."""

    def __init__(self, contract: Contract, parameter: Parameter | None) -> None:
        """Prepare to make values of the path parameter that identifies an item, None if it is unknown."""
        schema = parameter.schema if parameter is not None else None
        self._is_valid: Callable[[Any], bool] | None = None
        if schema is not None:
            with suppress(ContractError):  # a parameter that cannot be judged says nothing of identifiers
                self._is_valid = contract.validator(schema, "request").is_valid

    def fits(self, value: Any) -> bool:
        """Tell whether a value can be an identifier in a path."""
        if value is None or isinstance(value, dict | list):
            return False
        written = as_text(value)
        if written in _NO_SEGMENTS:
            return False
        if self._is_valid is None or self._is_valid(value) or self._is_valid(written):
            return True
        return written.isdecimal() and len(written) <= _MAX_DIGITS and self._is_valid(int(written))

    def fitted(self, value: Any) -> Any:
        """Return a value if it can be an identifier in a path, else a UUID derived from the value if possible."""
        made = _uuid(as_text(value))
        return made if isinstance(value, str) and self.fits(made) else value

    def forms(self, example: Any) -> Iterator[Form]:
        """Yield the forms that a new identifier may have, the most like an example first; None for no example."""
        if example is None and not self.fits("x") and self.fits("1"):
            example = 0
        if isinstance(example, int) and not isinstance(example, bool):
            yield lambda number, _secret: number
            return
        text = example if isinstance(example, str) else None
        counted = _COUNTED.fullmatch(text or "")
        if text is not None and _UUID.fullmatch(text):
            yield lambda _number, secret: _uuid(secret())
        elif counted is not None:
            start, width = counted[1], len(counted[2]) if counted[2].startswith("0") else 0
            yield lambda number, _secret: f"{start}{number:0{width}d}"
        elif text is not None and (marked := _MARKED.fullmatch(text)):
            start, rest = marked.groups()
            yield lambda _number, secret: start + _alike(rest, secret())
        elif text is not None and any(letter.isdigit() for letter in text) and len(text) >= _LEAST:
            yield lambda _number, secret: _alike(text, secret())
        length = len(text) if text is not None else _USUAL_LENGTH
        size = max(_LEAST, min(length, _MAX_LENGTH))
        yield lambda _number, secret: secret()[:size].lower()
        yield lambda _number, secret: secret()[:size].upper()
        yield lambda _number, secret: _digits(secret())[:length]
        yield lambda number, _secret: str(number)
        yield lambda _number, secret: _uuid(secret())


def number_of(key: str, example: Any) -> int:
    """Return the number that an identifier counts on from: that at the end of one like the example, else 0."""
    if isinstance(example, str):
        counted, own = _COUNTED.fullmatch(example), _COUNTED.fullmatch(key)
        if counted is None or own is None or counted[1] != own[1]:
            return 0
        return int(own[2])
    return int(key) if _NUMBER.fullmatch(key) else 0


def _alike(example: str, secret: str) -> str:
    """Return a text of random characters of the same kinds as an example's: digits, letters, hexadecimal digits."""
    if len(example) >= _HEXADECIMAL and all(letter in "0123456789abcdef" for letter in example):
        return hashlib.sha256(secret.encode()).hexdigest()[: len(example)]
    source = secret * (len(example) // max(len(secret), 1) + 1)
    made = []
    for old, new in zip(example, source, strict=False):
        if not old.isalnum():
            made.append(old)
        elif old.isdigit() and (new.isdigit() or not example.isalnum()):
            made.append(f"{ord(new) % 10}")
        elif example.islower() or example.isupper():
            made.append(new.lower() if example.islower() else new.upper())
        else:
            made.append(new)
    return "".join(made)


def _digits(secret: str) -> str:
    return "".join(f"{ord(letter) % 10}" for letter in secret)


def _uuid(text: str) -> str:
    """Return a UUID derived from a text (RFC 9562, version 4 in form)."""
    code = hashlib.sha256(text.encode()).hexdigest()
    return f"{code[:8]}-{code[8:12]}-4{code[13:16]}-a{code[17:20]}-{code[20:32]}"
