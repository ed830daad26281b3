"""Issued tokens: where the response to a login holds a token, and how long the token is good for."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

#: Members that hold a token, the likeliest first, in small letters without `_` and `-`.
TOKEN_NAMES = (
    *("accesstoken", "token", "jwt", "idtoken", "authtoken", "access", "bearer", "bearertoken", "key", "apikey"),
    *("sessiontoken", "sessionid", "sid", "session", "ticket"),
)
_EXPIRIES = ("expiresin", "ttl", "expiresinseconds", "maxage", "lifetime")
#: How deep objects are searched for a token: `{"data": {"attributes": {"token": ...}}}`.
_MAX_DEPTH = 4
_RANKS = {name: rank for rank, name in enumerate(TOKEN_NAMES)}
#: A shorter text is no token.
MIN_TOKEN = 4


def find_token(value: Any) -> str | None:
    """Return the likeliest token in a JSON value, by the names of members, None if there is none."""
    best: tuple[int, int, str] | None = None
    for depth, holder in _objects(value):
        # An access token of LoopBack is an item like others.
        names = {**dict.fromkeys(["id"] if "ttl" in holder else [], len(TOKEN_NAMES)), **_RANKS}
        for name, held in holder.items():
            rank = names.get(_plain(name))
            if rank is None or not isinstance(held, str) or len(held) < MIN_TOKEN:
                continue
            if best is None or (rank, depth) < best[:2]:
                best = rank, depth, held
    return best[2] if best is not None else None


def lifetime(value: Any, token: str) -> float | None:
    """Return the seconds that a token is good for, as the response or the token itself (a JWT) says, else None."""
    for _, holder in _objects(value):
        for name, held in holder.items():
            if _plain(name) in _EXPIRIES and (seconds := seconds_of(held)) is not None:
                return seconds
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(claims, dict):
        return None
    begin, end = claims.get("iat"), claims.get("exp")
    # By its own clock, which need not be ours (RFC 7519, section 4.1).
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (begin, end))
    return max(float(end - begin), 0.0) if numbers and end is not None and begin is not None else None


def seconds_of(value: Any) -> float | None:
    """Return a number of seconds, also one that is written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 <= seconds < 10**10 else None


def _objects(value: Any, depth: int = 0) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if isinstance(value, dict):
        yield depth, value
        for member in value.values() if depth < _MAX_DEPTH else ():
            yield from _objects(member, depth + 1)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
