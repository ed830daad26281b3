"""Access to the objects of a document while it is read: `$ref`s are followed, mistakes collected as warnings.

A mistake that no response depends on becomes a warning and the element is ignored; `error` is for elements that
cannot be served.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mockserver.contract.source.loading import Document
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError

_LEFT_OUT = "it is left out"


class ContractWarning(NamedTuple):
    """Warning about a mistake in a contract that can be served all the same.

    Attributes:
        pointer: JSON pointer of the element; `Contract.place` names its file and line.
        message: what is wrong, and what is done instead.
    """

    pointer: str
    message: str


class Reader:
    """Reader of one document's objects: follows `$ref`s and collects warnings."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.data = document.data
        self._warnings: dict[ContractWarning, None] = {}
        self._told: dict[str, ContractWarning] = {}
        #: Objects that references lead to, each followed once.
        self._behind: dict[str, tuple[dict[str, Any], str]] = {}

    @property
    def warnings(self) -> tuple[ContractWarning, ...]:
        """Warnings so far, each once, in the order in which they were found."""
        return tuple(self._warnings)

    def warn(self, pointer: str, message: str) -> ContractWarning:
        """Add a warning about an element, and return it; the same warning is kept once."""
        warning = ContractWarning(pointer, message)
        self._warnings[warning] = None
        self._told.setdefault(pointer, warning)
        return warning

    def error(self, pointer: str, message: str) -> ContractError:
        """Return a ContractError about an element, with its file, line and pointer."""
        path, line = self.document.where(pointer)
        return ContractError(f"{path}:{line}: {pointer or 'document'}: {message}")

    def find(self, pointer: str, held: Any = None) -> tuple[dict[str, Any], str] | None:
        """Return the object at a pointer and its pointer after `$ref`s; None, with a warning, if there is no object.

        Args:
            pointer: where it is.
            held: what is at the pointer, where the caller knows; it spares the way there.
        """
        reference = None
        if isinstance(held, dict):
            reference = held.get("$ref")
            if "$ref" not in held:
                return held, pointer
            if isinstance(reference, str) and reference in self._behind:
                return self._behind[reference]
        found = self.find_or_warn(pointer)
        if isinstance(found, ContractWarning):
            return None
        if isinstance(reference, str):
            self._behind[reference] = found
        return found

    def find_or_warn(self, pointer: str, instead: str = _LEFT_OUT) -> tuple[dict[str, Any], str] | ContractWarning:
        """Return the object at a pointer and its pointer after `$ref`s, or the warning that there is no object."""
        try:
            value, place = follow(self.data, pointer)
        except ContractError as error:
            told = self._told.get(pointer)
            if told is not None and instead == _LEFT_OUT:
                return told  # the file cannot be had, which says more
            return self.warn(pointer, f"{error}; {instead}" if instead != _LEFT_OUT else str(error))
        if isinstance(value, dict):
            return value, place
        return self.warn(place, f"must be an object, not {kind_of(value)}; {instead}")

    def members(self, pointer: str, raw: Any) -> dict[str, Any]:
        """Return a value if it is an object; otherwise an empty object, with a warning."""
        if isinstance(raw, dict):
            return raw
        if raw is not None:
            self.warn(pointer, f"must be an object, not {kind_of(raw)}; it is left out")
        return {}

    def items(self, pointer: str, raw: Any) -> list[Any]:
        """Return a value if it is a list; otherwise an empty list, with a warning."""
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
    """Return the name of a value's JSON type, with its article, for messages."""
    return _KINDS.get(type(value), type(value).__name__)
