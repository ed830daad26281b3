"""Values in a form that may be shown: secrets masked, long texts and large objects shortened."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise
from typing import Any
from urllib.parse import unquote_plus

from mockserver.messages import MASK

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset({"password", "passwd", "passphrase", "pwd", "secret", "token", "otp", "totp", "apikey"})
_SECRET_PAIRS = frozenset({("api", "key"), ("private", "key"), ("secret", "key"), ("access", "key"), ("auth", "key")})

MAX_SHOWN = 200
_MAX_MEMBERS = 20
_MAX_DEPTH = 6


def looks_secret(name: str) -> bool:
    """Tell whether a name is that of a secret, by whole words: `apiKey`, `access_token`, but not `monkey`."""
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in _SECRET_WORDS for word in words) or any(pair in _SECRET_PAIRS for pair in pairwise(words))


def show(value: Any, secret_names: Collection[str] = (), depth: int = 0) -> Any:
    """Return a JSON value with secret members masked and long or deep parts replaced by an ellipsis."""
    if isinstance(value, str):
        return value if len(value) <= MAX_SHOWN else value[:MAX_SHOWN] + "…"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**MAX_SHOWN:
        return f"an integer of {len(str(abs(value)))} digits"
    if not isinstance(value, dict | list):
        return value
    if depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, list):
        shown = [show(item, secret_names, depth + 1) for item in value[:_MAX_MEMBERS]]
        return shown if len(value) <= _MAX_MEMBERS else [*shown, "…"]
    members = {
        show(name): MASK if show(name) in secret_names or looks_secret(name) else show(item, secret_names, depth + 1)
        for name, item in list(value.items())[:_MAX_MEMBERS]
    }
    if len(value) > _MAX_MEMBERS:
        members["…"] = f"{len(value) - _MAX_MEMBERS} more"
    return members


def show_query(query: str, secret_names: Collection[str] = ()) -> str:
    """Return a query with the values of secret parameters masked, otherwise unchanged."""
    return "&".join(_show_parameter(part, secret_names) for part in query.split("&"))


def _show_parameter(part: str, secret_names: Collection[str]) -> str:
    name, equals, value = part.partition("=")
    if not equals:
        return part
    decoded_name, decoded_value = unquote_plus(name), unquote_plus(value)
    # A value may have parts with names of their own: JSON, a URL with a query.
    nested = any(mark in decoded_value for mark in "{=") and looks_secret(decoded_value)
    return f"{name}={MASK}" if decoded_name in secret_names or looks_secret(decoded_name) or nested else part
