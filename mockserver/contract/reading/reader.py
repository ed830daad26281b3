"""One document while it is read: its objects behind their `$ref`s, what is wrong with it, and where.

A mistake that no answer depends on is noted and read as if it were not there; `error` is for what cannot be served.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mockserver.contract.source.loading import Document
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError

_LEFT_OUT = "it is left out"


class ContractWarning(NamedTuple):
    """A mistake in a contract that is served all the same.

    Attributes:
        pointer: JSON pointer of the element; `Contract.place` names its file and line.
        message: what is wrong, and what is done instead.
    """

    pointer: str
    message: str


class Reader:
    """Finds the objects of one document and keeps what is wrong with them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.data = document.data
        self._warnings: dict[ContractWarning, None] = {}

    @property
    def warnings(self) -> tuple[ContractWarning, ...]:
        """What was noted so far, each once, in the order in which it was met."""
        return tuple(self._warnings)

    def warn(self, pointer: str, message: str) -> ContractWarning:
        """Note a mistake, and return it; shared parts are read often, and told of once."""
        warning = ContractWarning(pointer, message)
        self._warnings[warning] = None
        return warning

    def error(self, pointer: str, message: str) -> ContractError:
        """Return the error that names the place of an element."""
        path, line = self.document.where(pointer)
        return ContractError(f"{path}:{line}: {pointer or 'document'}: {message}")

    def find(self, pointer: str) -> tuple[dict[str, Any], str] | None:
        """Return the object at a pointer and where it really stands; None, and a warning, if there is none."""
        found = self.find_or_warn(pointer)
        return None if isinstance(found, ContractWarning) else found

    def find_or_warn(self, pointer: str, instead: str = _LEFT_OUT) -> tuple[dict[str, Any], str] | ContractWarning:
        """Return what `find` does, or the warning that tells why there is none, and what is done instead."""
        try:
            value, place = follow(self.data, pointer)
        except ContractError as error:
            return self.warn(pointer, f"{error}; {instead}" if instead != _LEFT_OUT else str(error))
        if isinstance(value, dict):
            return value, place
        return self.warn(place, f"must be an object, not {kind_of(value)}; {instead}")

    def members(self, pointer: str, raw: Any) -> dict[str, Any]:
        """Return an object of named elements as it stands, empty, with a warning, if it is none."""
        if isinstance(raw, dict):
            return raw
        if raw is not None:
            self.warn(pointer, f"must be an object, not {kind_of(raw)}; it is left out")
        return {}

    def items(self, pointer: str, raw: Any) -> list[Any]:
        """Return a list as it stands, empty, with a warning, if it is none."""
        if isinstance(raw, list):
            return raw
        if raw is not None:
            self.warn(pointer, f"must be a list, not {kind_of(raw)}; it is left out")
        return []


#: JSON's name of a Python type, with its article.
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def kind_of(value: Any) -> str:
    """Return what JSON calls a value of this type, with its article."""
    return _KINDS.get(type(value), type(value).__name__)
