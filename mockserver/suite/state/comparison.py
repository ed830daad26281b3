"""Comparison of what was written with what is shown: the same, only written otherwise, another value, or nothing."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any
from urllib.parse import unquote

from mockserver.masking import looks_secret
from mockserver.suite.target.exchange import same_json

#: How deep the object is looked for that a response shows: `{"data": {"attributes": {...}}}`.
_DEPTH = 3
#: Members that servers set by themselves, whoever may send them.
_OWNED = re.compile(
    r"(?:^_|^@|^\$)|^(?:id|uuid|guid|self|href|urls?|uri|links?|etag|version|revision|rev|resource_?version|generation|kind_?of"
    r"|serial|edited_serial|created|updated|modified|deleted|changed|checksum|digest|hash|size|length|status|state|phase"
    r"|progress|owner|author|total|count|position|rank|order|sequence|index|type|kind|object|metadata|meta)$"
    r"|(?:_at|_on|_by|_count|_url|_uri|_href|_hash|_time|_date|[a-z](?:At|By|Count|Url|URL|Uri|Href|Hash|Time|Version))$"
    r"|^(?:created|updated|modified|deleted|last|next|date|time)(?:_|[A-Z])",
    re.ASCII | re.IGNORECASE,
)
#: What is shown in place of a secret.
_MASK = re.compile(
    r"[*\u2022\u25cfx#.\u2026-]{3,}|[<\[(](?:redacted|hidden|masked|secret|filtered)[>\])]", re.IGNORECASE
)
#: A character as DNS names are written (RFC 1035, section 5.1).
_DECIMAL = re.compile(r"\\(\d{3})")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?)?")
#: Numbers that differ by less are the same, kept as a 32-bit float or as a decimal with two places.
_RELATIVE, _CENTS = 1e-6, 0.005


class Likeness(IntEnum):
    """How what is shown relates to what was written, the best first."""

    SAME = 0
    ALIKE = 1
    OTHER = 2
    ABSENT = 3


def is_owned(name: str) -> bool:
    """Tell whether a member has a name of those that servers set by themselves, or is a secret that is not shown."""
    return _OWNED.search(name) is not None or looks_secret(name)


def likeness(written: Any, shown: Any) -> Likeness:
    """Return how a shown JSON value relates to the one that was written; a shown object may have more members."""
    if same_json(written, shown):
        return Likeness.SAME
    if isinstance(written, dict) and isinstance(shown, dict):
        return max((likeness(held, shown.get(name)) for name, held in written.items()), default=Likeness.SAME)
    if isinstance(written, list) and isinstance(shown, list):
        return _of_lists(written, shown)
    if shown is None:
        return Likeness.ABSENT if written not in ("", [], {}) else Likeness.ALIKE
    if isinstance(written, dict | list) or isinstance(shown, dict | list):
        return Likeness.ALIKE  # another form of it: an object for its identifier, a number of them for a list
    return Likeness.ALIKE if _alike(written, shown) else Likeness.OTHER


def _of_lists(written: list[Any], shown: list[Any]) -> Likeness:
    left = list(shown)
    worst = Likeness.SAME
    for one in written:
        best = min(range(len(left)), key=lambda number: likeness(one, left[number]), default=None)
        if best is None:
            return Likeness.OTHER
        worst = max(worst, likeness(one, left.pop(best)))
    return max(worst, Likeness.ALIKE if left else Likeness.SAME)


def _alike(written: Any, shown: Any) -> bool:
    """Tell whether two scalars are the same thing, written in another way: case, blanks, Unicode form, notation."""
    if isinstance(shown, str) and _MASK.fullmatch(shown):
        return True
    if _is_number(written) and _is_number(shown):
        close = abs(written - shown) <= max(_RELATIVE * abs(written), _CENTS)
        return close and not (isinstance(written, int) and isinstance(shown, int))
    one, other = _plain(written), _plain(shown)
    if one == other:
        return True
    moments = _moment(written), _moment(shown)
    if None not in moments:
        return moments[0] == moments[1]
    # `name` shown as `/things/name`, or as `name.example.com`
    return len(one) > 3 and re.search(rf"(?<![a-z0-9]){re.escape(one)}(?![a-z0-9])", other) is not None


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if _is_number(value):
        return f"{float(value):g}" if abs(value) < 1e15 else str(value)
    text = _DECIMAL.sub(lambda found: chr(int(found[1])), unquote(html.unescape(str(value))))
    text = unicodedata.normalize("NFKC", text).casefold().strip().rstrip("./")
    text = {"true": "1", "false": "0"}.get(text, " ".join(text.split()))
    try:
        return f"{float(text):g}" if len(text) < 16 else text
    except ValueError:
        return text


def _moment(value: Any) -> float | None:
    """Return the time that a text or a number stands for, in seconds since 1970; None if it stands for none."""
    if not isinstance(value, str):
        return float(value) if _is_number(value) and value > 10**8 else None
    if _DATE.fullmatch(value) is None:
        return None
    try:
        moment = datetime.fromisoformat(value.replace(" ", "T", 1))
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def aligned(written: Any, shown: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the object in what was written and that in what is shown which have most members in common.

    One of them may be in an envelope: `{"data": {...}}`, `{"thing": {...}, "status": "ok"}`. None without any.
    """
    pairs = [(one, other) for one in unwrapped(written) for other in _objects(shown, _DEPTH)]
    best = max(pairs, key=lambda pair: len(pair[0].keys() & pair[1].keys()), default=None)
    return best if best is not None and best[0].keys() & best[1].keys() else None


def unwrapped(value: Any) -> list[dict[str, Any]]:
    """Return an object, and the one in it if it is nothing but an envelope."""
    found = []
    while isinstance(value, dict):
        found.append(value)
        value = next(iter(value.values())) if len(value) == 1 else None
    return found


def _objects(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for member in value.values() if depth > 1 else ():
            yield from _objects(member, depth - 1)
    elif isinstance(value, list) and len(value) == 1 and depth > 1:
        yield from _objects(value[0], depth - 1)
