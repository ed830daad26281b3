"""Basic credentials: `Basic ` and `user:password` in base64 (RFC 7617, section 2)."""

from __future__ import annotations

import base64

from mockserver.masking import show
from mockserver.messages import MASK


def encode(user_pass: str) -> str:
    """Return the `Authorization` field for the text `user:password`."""
    return "Basic " + base64.b64encode(user_pass.encode()).decode()


def user_pass(field: str) -> str | None:
    """Return the decoded `user:password` of an `Authorization` field, None if it is not valid Basic credentials."""
    scheme, _, encoded = field.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded.strip(" "), validate=True).decode()
    except ValueError:
        return None


def decode(field: str) -> tuple[str, str] | None:
    """Return user name and password in an `Authorization` field with Basic credentials, None if it has none."""
    username, colon, secret = (user_pass(field) or "").partition(":")
    return (username, secret) if colon else None


def masked(field: str | None) -> str | None:
    """Return an `Authorization` field with its secret masked: the scheme is kept and, for Basic, the user name."""
    if field is None:
        return None
    scheme, _, rest = field.partition(" ")
    if scheme.lower() != "basic":
        return f"{show(scheme)} {MASK}" if rest else MASK
    found = decode(field)
    return f"Basic {MASK}" if found is None else f"Basic {show(found[0])}:{MASK}"
