"""JSON pointers (RFC 6901)."""

from __future__ import annotations


def child(pointer: str, *names: str) -> str:
    """Return the pointer to a member below another one, its names escaped (RFC 6901, section 3)."""
    return pointer + "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def split(pointer: str) -> list[str]:
    """Return the unescaped reference tokens of a JSON pointer; the whole document has none."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
