"""Generates texts by format, by regular expression, or by the name of the property that holds them."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

_WORDS = ("amber", "basil", "cedar", "delta", "ember", "fable", "grove", "harbor", "iris", "juniper", "maple", "opal")
_FIRST = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Tim")
_LAST = ("Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Perlman", "Berners-Lee")
_CITIES = ("Berlin", "Lyon", "Porto", "Oslo", "Turin", "Ghent", "Graz", "Malmo")
_START = datetime(2024, 1, 1, tzinfo=UTC)
#: What `*`, `+` and `{n,}` repeat at most, at first; rstr's own hundred makes unreadable texts.
_REPEATS = 8
_TRIES = 6

Maker = Callable[[Random], str]


def _moment(chance: Random) -> datetime:
    return _START + timedelta(seconds=chance.randrange(365 * 86_400))


def _word(chance: Random) -> str:
    return chance.choice(_WORDS)


def _uuid(chance: Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _hexadecimal(chance: Random, length: int) -> str:
    return f"{chance.getrandbits(4 * length):0{length}x}"


#: Formats of JSON Schema 2020-12, section 7.3, of the OpenAPI Format Registry, and what people write for them.
FORMATS: Mapping[str, Maker] = {
    "date-time": lambda chance: _moment(chance).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "date": lambda chance: _moment(chance).strftime("%Y-%m-%d"),
    "time": lambda chance: _moment(chance).strftime("%H:%M:%SZ"),
    "duration": lambda chance: f"P{chance.randint(1, 30)}D",
    "email": lambda chance: f"{_word(chance)}@example.com",
    "idn-email": lambda chance: f"{_word(chance)}@example.com",
    "hostname": lambda chance: f"{_word(chance)}.example.com",
    "idn-hostname": lambda chance: f"{_word(chance)}.example.com",
    "ipv4": lambda chance: f"192.0.2.{chance.randint(1, 254)}",
    "ipv6": lambda chance: f"2001:db8::{chance.randint(1, 0xFFFF):x}",
    "uri": lambda chance: f"https://example.com/{_word(chance)}",
    "url": lambda chance: f"https://example.com/{_word(chance)}",
    "iri": lambda chance: f"https://example.com/{_word(chance)}",
    "uri-reference": lambda chance: f"/{_word(chance)}",
    "iri-reference": lambda chance: f"/{_word(chance)}",
    "uri-template": lambda chance: f"/{_word(chance)}/{{id}}",
    "uuid": _uuid,
    "json-pointer": lambda chance: f"/{_word(chance)}",
    "relative-json-pointer": lambda _chance: "0",
    "regex": lambda _chance: "^[a-z]+$",
    "byte": lambda chance: base64.b64encode(_word(chance).encode()).decode(),
    "base64url": lambda chance: base64.urlsafe_b64encode(_word(chance).encode()).decode().rstrip("="),
    "binary": _word,
    "password": lambda chance: _hexadecimal(chance, 16),
}
#: Names of properties, most special first, and what stands in such a property.
_NAMES: tuple[tuple[re.Pattern[str], Maker], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), maker)
    for pattern, maker in (
        (r"e_?mail", FORMATS["email"]),
        (r"(^|_)(url|uri|href|link|website|homepage|avatar|image|logo)s?$|Ur[li]$", FORMATS["url"]),
        (r"(_at|_on|date_?time|timestamp|_time)$|At$|Time$", FORMATS["date-time"]),
        (r"(^|_)date$|Date$", FORMATS["date"]),
        (r"uuid|guid", FORMATS["uuid"]),
        (r"first_?name|given_?name", lambda chance: chance.choice(_FIRST)),
        (r"last_?name|sur_?name|family_?name", lambda chance: chance.choice(_LAST)),
        (r"user_?name|login|slug|handle", lambda chance: f"{_word(chance)}-{chance.randint(10, 99)}"),
        (r"^(full_?|display_?)?name$", lambda chance: f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"),
        (r"phone|mobile|msisdn", lambda chance: f"+1202555{chance.randint(100, 199):04d}"),
        (r"city|town", lambda chance: chance.choice(_CITIES)),
        (r"country_?code|^country$", lambda chance: chance.choice(("DE", "FR", "PT", "NO", "IT", "BE"))),
        (r"currency", lambda chance: chance.choice(("EUR", "USD", "GBP", "NOK"))),
        (r"language|locale", lambda chance: chance.choice(("en", "de", "fr", "pt"))),
        (r"zip|postal_?code|postcode", lambda chance: f"{chance.randint(10_000, 99_999)}"),
        (r"street|address", lambda chance: f"{chance.randint(1, 99)} Cedar Street"),
        (r"host(name)?|domain", FORMATS["hostname"]),
        (r"(^|_)ip(_?address)?$", FORMATS["ipv4"]),
        (r"version", lambda chance: f"{chance.randint(1, 4)}.{chance.randint(0, 9)}.{chance.randint(0, 9)}"),
        (r"colou?r", lambda chance: f"#{_hexadecimal(chance, 6)}"),
        (r"sha|hash|digest|checksum|etag", lambda chance: _hexadecimal(chance, 40)),
        (r"(^|_)id$|I[dD]$", lambda chance: _hexadecimal(chance, 12)),
        (r"description|summary|message|text|comment|note|title|subject", lambda chance: _sentence(chance)),
    )
)


def _sentence(chance: Random) -> str:
    words = chance.sample(_WORDS, 4)
    return f"{words[0].capitalize()} {' '.join(words[1:])}"


def named(name: str, chance: Random) -> str:
    """Return a text that is typical for a property of a given name."""
    for pattern, maker in _NAMES:
        if pattern.search(name):
            return maker(chance)
    return _word(chance)


def fitted(text: str, shortest: int, longest: int | None, chance: Random) -> str:
    """Return a text cut, or extended with random words, to a length in characters."""
    while len(text) < shortest:
        text += _word(chance) if shortest - len(text) > 8 else chance.choice("abcdefghijkmnopqrstuvwxyz")
    return text if longest is None else text[:longest]


def matching(pattern: str, shortest: int, longest: int | None, chance: Random) -> str | None:
    """Return a text that matches a regular expression and length limits, None if none was found.

    Args:
        pattern: in the validator's terms, which are nearly Python's.
        shortest: least length in characters.
        longest: greatest length, None for any.
        chance: where choices come from.
    """
    try:
        compiled = re.compile(_pythonic(pattern))
    except (re.error, RecursionError, OverflowError):
        return None
    for repeats in (_REPEATS, _REPEATS * 4, shortest + 1, 100, 1):
        for text in _built(compiled, repeats, chance):
            grown = _grown(text, pattern, shortest, chance)
            if compiled.search(grown) and len(grown) >= shortest and (longest is None or len(grown) <= longest):
                return grown
    return None


@cache
def _repeating() -> Callable[[Random, int], Any]:
    """Return a class that generates texts from a regular expression with limited repetition (of `*`, `+`)."""
    import rstr  # start-up must not pay for what most contracts never need

    class Repeating(rstr.Rstr):
        def __init__(self, chance: Random, most: int) -> None:
            super().__init__(chance)
            self._most = most

        def _handle_repeat(self, start_range: int, end_range: int, value: str) -> str:
            return super()._handle_repeat(start_range, min(end_range, max(start_range, self._most)), value)

    return Repeating


def _built(compiled: re.Pattern[str], repeats: int, chance: Random) -> list[str]:
    maker = _repeating()(chance, repeats)
    try:
        return [_printable(maker.xeger(compiled), compiled) for _ in range(_TRIES)]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return []


def _printable(text: str, compiled: re.Pattern[str]) -> str:
    """Return a text with control characters replaced by spaces, if it still matches the pattern."""
    plain = re.sub(r"[\x00-\x1f\x7f]", " ", text)
    return plain if compiled.search(plain) else text


def _grown(text: str, pattern: str, shortest: int, chance: Random) -> str:
    """Return a text extended to a least length, unless its pattern is anchored at the end."""
    return text if len(text) >= shortest or pattern.endswith("$") else fitted(text, shortest, None, chance)


#: Properties of characters that Python's `re` does not know, by a part of what they mean.
_PROPERTIES = {"L": "a-zA-Z", "Lu": "A-Z", "Ll": "a-z", "N": "0-9", "Nd": "0-9", "P": "!-/", "S": "+<=>", "Z": " "}
_NAMED_PROPERTIES = {
    "Letter": "a-zA-Z",
    "Alphabetic": "a-zA-Z",
    "Uppercase": "A-Z",
    "Lowercase": "a-z",
    "Number": "0-9",
}
_PROPERTY = re.compile(r"\\p\{(?:\w+=)?(\w+)\}")


def _pythonic(pattern: str) -> str:
    """Return an ECMA regular expression in Python's syntax: named groups and Unicode properties are rewritten."""

    def members(found: re.Match[str]) -> str:
        name = found[1]
        chosen = _PROPERTIES.get(name) or _NAMED_PROPERTIES.get(name) or "a-zA-Z"
        before = pattern[: found.start()]
        inside = before.count("[") - before.count("\\[") > before.count("]") - before.count("\\]")
        return chosen if inside else f"[{chosen}]"

    changed = _PROPERTY.sub(members, pattern)
    return re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", changed).replace(r"\/", "/")
