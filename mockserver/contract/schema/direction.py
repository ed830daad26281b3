"""Direction of `readOnly` and `writeOnly`: what must not stand in a request, or in a response (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any, Literal

Direction = Literal["request", "response"]

#: The keyword that forbids a property in a direction.
FORBIDDEN: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}


class Forbidden:
    """The keyword `writeOnly` in answers and `readOnly` in requests: such a property must not be there."""

    def __init__(self, _parent: dict[str, Any], value: Any, _path: list[str | int]) -> None:
        self._forbidden = value is True

    def validate(self, _instance: Any) -> None:
        """Refuse any value; jsonschema-rs turns the error into a violation."""
        if self._forbidden:
            raise ValueError("must not be present in this direction")
