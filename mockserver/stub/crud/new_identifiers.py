"""Identifiers of items: which values can be one in a path, and how new identifiers are made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator
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
_TRIES = 20


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

    def new(
        self,
        example: Any,
        taken: Collection[str],
        secret_of: Callable[[int], str],
        is_good: Callable[[str], bool],
    ) -> Any:
        """Return an identifier that no item has yet, similar to an example.

        Args:
            example: one that it should be like, None for none.
            taken: texts of those that are there.
            secret_of: gives letters and digits that follow from a number.
            is_good: whether the item's schema takes it.
        """
        if example is None and not self.fits("x") and self.fits("1"):
            example = 0
        if isinstance(example, int) and not isinstance(example, bool):
            return max((int(key) for key in taken if re.fullmatch(r"[0-9]{1,15}", key)), default=0) + 1
        for number in range(len(taken), len(taken) + _TRIES):
            for candidate in _candidates(example, number, secret_of(number)):
                if candidate not in taken and self.fits(candidate) and is_good(candidate):
                    return candidate
        return example if example is not None else secret_of(0)[:_USUAL_LENGTH]


def _candidates(example: Any, number: int, secret: str) -> Iterator[str]:
    """Yield candidates for a new identifier: texts similar to an example, then texts of other kinds."""
    unique = _uuid(secret)
    length = len(example) if isinstance(example, str) else _USUAL_LENGTH
    digits = "".join(f"{ord(letter) % 10}" for letter in secret)[:length]
    if isinstance(example, str) and _UUID.fullmatch(example):
        yield unique
    elif isinstance(example, str) and example.isdecimal():
        yield from (str(number + 1), digits)
    else:
        made = secret[: max(4, min(length, _MAX_LENGTH))].lower()
        yield from (made, made.upper())
    yield from (digits, str(number + 1), unique)


def _uuid(text: str) -> str:
    """Return a UUID derived from a text (RFC 9562, version 4 in form)."""
    code = hashlib.sha256(text.encode()).hexdigest()
    return f"{code[:8]}-{code[8:12]}-4{code[13:16]}-a{code[17:20]}-{code[20:32]}"
