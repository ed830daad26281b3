"""Content from schemas: the same contract, seed, pointer and key give the same value."""

from __future__ import annotations

from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.schemas import Direction
from mockserver.errors import MockServerError


class CannotGenerate(MockServerError):  # noqa: N818 - an outcome that the caller has a way out of
    """No valid value of a schema was found."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Generator:
    """Generates values of a contract's schemas."""

    def __init__(self, contract: Contract, seed: int) -> None:
        self._contract = contract
        self._seed = seed

    def generate(self, pointer: str, direction: Direction, key: str = "") -> Any:
        """Return a valid value of the schema at a pointer.

        Raises:
            CannotGenerate: none was found.
        """
        raise CannotGenerate(f"{pointer}: there is no value for {direction} {key}")
