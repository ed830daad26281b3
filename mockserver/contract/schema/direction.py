"""Properties forbidden by direction: `readOnly` ones in requests, `writeOnly` ones in responses (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any, Literal

Direction = Literal["request", "response"]

#: The keyword that forbids a property in a direction.
FORBIDDEN: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}


class Forbidden:
    """Custom keyword of the validator: a `readOnly` property in a request, or `writeOnly` in a response, is refused."""

    def __init__(self, _parent: dict[str, Any], value: Any, _path: list[str | int]) -> None:
        self._forbidden = value is True

    def validate(self, _instance: Any) -> None:
        """Raise ValueError for any value of a forbidden property; jsonschema-rs makes a violation of it."""
        if self._forbidden:
            raise ValueError("must not be present in this direction")
