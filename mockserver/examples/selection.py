"""Which content: the contract's own example, or generated."""

from __future__ import annotations

from typing import Any, NamedTuple

from mockserver.contract.model import Contract, MediaType, Operation, Response
from mockserver.errors import RequestRejected
from mockserver.examples.generating import CannotGenerate, Generator
from mockserver.messages import Arguments, Preferences


class Chosen(NamedTuple):
    """Content, why it was chosen, and whether it is valid against its schema."""

    value: Any
    why: str
    valid: bool


class Examples:
    """Chooses the content of one operation's answers."""

    def __init__(self, contract: Contract, operation: Operation, generator: Generator, *, dynamic: bool) -> None:
        self._contract = contract
        self._operation = operation
        self._generator = generator
        self._dynamic = dynamic

    def choose(
        self, response: Response, media_type: MediaType, arguments: Arguments, preferences: Preferences
    ) -> Chosen:
        """Return content for a documented response.

        Raises:
            RequestRejected: 501, nothing valid can be made; 404, the preferred example does not exist.
        """
        del arguments
        if preferences.example and preferences.example not in media_type.examples:
            known = ", ".join(media_type.examples) or "none"
            raise RequestRejected(404, "Not Found", f"no example {preferences.example!r}; known are {known}")
        for example in media_type.examples.values():
            if preferences.example in ("", example.name):
                return Chosen(example.value, f"example {example.name}", valid=True)
        try:
            if media_type.schema is not None:
                return Chosen(self._generator.generate(media_type.schema, "response"), "generated", valid=True)
        except CannotGenerate:
            pass
        raise RequestRejected(
            501,
            "Not Implemented",
            f"the contract has no example of the {response.status} response of {self._operation.label}; add one",
        )
