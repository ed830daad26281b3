"""Encoded secrets: the forms in which a secret may appear in a text, and the search for all of them.

::

    text ── readings ──► as it is ── escapes undone ──► once ── escapes undone ──► twice ...
                         └──────────────┬──────────────┘
    secret ── folded_forms ──► raw, reversed, base64 at each offset, hex, base64 of these, digests ── Finder ──► where

Escapes (percent, JSON, HTML, Python) are undone in the text, since each character may be written in its own way, and
once more what was escaped twice. Base64 and hexadecimal digits are looked for as they are.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

#: So many times a text may be escaped on top of itself.
MAX_LEVELS = 4
#: Fewer characters of base64 or hexadecimal digits say nothing.
MIN_DIGITS = 5
#: A shorter secret is not looked for backwards, encoded twice, or as a digest.
_REVERSED = 12
_DIGESTS = ("md5", "sha1", "sha256", "sha512")
_BASE64 = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+/-_")
#: How a form is looked for: wherever it is; as a word of its own; among digits that hold parts of it.
MatchKind = Literal["text", "word", "digits"]
_ESCAPE = re.compile(
    r"""
      (?:%[0-9A-Fa-f]{2})+                                              # percent (RFC 3986, section 2.1)
    | \\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}        # JSON, two surrogates (RFC 8259, section 7)
    | \\u[0-9A-Fa-f]{4} | \\["'\\/bfnrt]
    | \\x[0-9A-Fa-f]{2} | \\U[0-9A-Fa-f]{8}                             # Python's repr
    | &(?:\#[0-9]{1,7} | \#[xX][0-9A-Fa-f]{1,6} | [A-Za-z][A-Za-z0-9]{1,31});?   # HTML, named, decimal, hexadecimal
    """,
    re.VERBOSE,
)
#: What is left of an escape that was cut.
_CUT_ESCAPE = re.compile(r"(?:%[0-9a-f]?|\\(?:[uxU][0-9a-f]{0,7})?|&\#?[0-9a-z]{0,10})$", re.IGNORECASE)
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LAST_CHARACTER = 0x10FFFF


def as_bytes(text: str) -> bytes:
    """Return a text in UTF-8 in which lone surrogates are encoded like other characters.

    JSON may hold one (RFC 8259, section 8.2), so a server can give it out, and has to stand getting it back.
    """
    return text.encode("utf-8", "surrogatepass")


def undone(text: str) -> str:
    """Return a text with one level of escapes (percent, JSON, HTML, Python) undone."""
    if "%" not in text and "\\" not in text and "&" not in text:
        return text
    return _ESCAPE.sub(_undo, text)


def _undo(found: re.Match[str]) -> str:
    escape = found[0]
    if len(escape) == 2:  # a backslash and a character, of which JSON in JSON is full
        return _SHORT.get(escape[1], escape[1])
    return "".join([character for character, _ in _units(escape)])


def _units(escape: str) -> Iterator[tuple[str, int]]:
    """Yield the decoded parts of an escape, each with its length in the escaped text."""
    if escape[0] == "%":
        for character in bytes.fromhex(escape.replace("%", "")).decode("utf-8", "surrogateescape"):
            yield character, 3 * len(character.encode("utf-8", "surrogateescape"))
    elif escape[0] == "&":
        yield html.unescape(escape), len(escape)
    elif escape[1] not in "uxU":
        yield _SHORT.get(escape[1], escape[1]), len(escape)
    elif escape.count("\\") > 1:
        high, low = int(escape[2:6], 16), int(escape[8:12], 16)
        yield chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), len(escape)
    else:
        number = int(escape[2:], 16)
        yield (chr(number) if number <= _LAST_CHARACTER else escape), len(escape)


def fold(text: str) -> str:
    """Return a text in lower case, with the same length."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(character.lower() if len(character.lower()) == 1 else character for character in text)


def readings(text: str) -> Iterator[str]:
    """Yield a text, then the text with one, two and more levels of escapes undone."""
    yield text
    for _ in range(MAX_LEVELS):
        plain = undone(text)
        if plain == text:
            return
        yield plain
        text = plain


@lru_cache(maxsize=4096)
def folded_forms(value: str) -> frozenset[str]:
    """Return all forms, in lower case, in which a secret may appear in a text."""
    return folded_texts(value) | folded_digits(value)


def folded_texts(value: str) -> frozenset[str]:
    """Return the plain forms of a secret in lower case: as it is, as a form field, unescaped, line by line."""
    *_, last = readings(value)
    lines = [line.strip() for line in value.splitlines()]
    long = [line for line in lines if len(line) * len(lines) * 2 >= len(value)]  # not the brackets around a key
    bytewise = as_bytes(value).decode("latin-1")  # as Python shows bytes, and header fields come
    reverse = (value[::-1],) if len(value) >= _REVERSED else ()
    return frozenset(fold(form) for form in (value, last, bytewise, value.replace(" ", "+"), *long, *reverse) if form)


def folded_digits(value: str) -> frozenset[str]:
    """Return the encoded forms of a secret in lower case: hexadecimal, base64 at each offset, and digests of it."""
    # What is encoded may have been escaped before: a whole JSON text in a header field.
    inner = {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        quote(value, safe="", errors="surrogatepass"),
    }
    forms = [form for text in inner for form in _digits(text)]
    if len(value) >= _REVERSED:  # of a shorter one, all are so short that they may be there by chance
        forms += [form for text in _encoded(value) for form in _digits(text)]
        forms += _digests(as_bytes(value))
    return frozenset(fold(form) for form in forms if len(form) >= MIN_DIGITS)


def _encoded(text: str) -> Iterator[str]:
    """Yield a text in base64, with and without padding, and in hexadecimal digits: what may be encoded once more."""
    raw = as_bytes(text)
    padded = base64.b64encode(raw).decode()
    yield from dict.fromkeys((padded, padded.rstrip("="), base64.urlsafe_b64encode(raw).decode(), raw.hex()))


def _digests(raw: bytes) -> Iterator[str]:
    """Yield the unsalted digests of a secret, in hexadecimal digits and in base64."""
    for name in _DIGESTS:
        digest = hashlib.new(name, raw, usedforsecurity=False).digest()
        yield digest.hex()
        yield base64.b64encode(digest).decode().rstrip("=")
        yield base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _digits(text: str) -> Iterator[str]:
    raw = as_bytes(text)
    yield raw.hex()
    for offset in range(3):
        digits = base64.b64encode(bytes(offset) + raw).decode()
        # Digits with bits of the text before or behind are left out, since that text is not known.
        core = digits[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
        yield core
        yield core.replace("+", "-").replace("/", "_")


@dataclass(frozen=True, slots=True)
class SecretMatch:
    """A form of a secret that was found in a text, with its position."""

    start: int
    end: int
    form: str


class Finder:
    """Searches a text for many forms of secrets at once, in time that does not grow with their number.

    A text of at least `2 * STEP - 1` characters holds a whole piece of each `STEP` characters at which another one is
    cut, wherever it stands in it, so that it is enough to look up these pieces.
    """

    STEP = 6
    #: So much of what was cut is enough to know it by; less says little.
    HEAD = 5

    def __init__(self) -> None:
        self._kinds: dict[str, MatchKind] = {}
        self._pieces: dict[str, list[tuple[str, int]]] = {}  # piece -> forms that have it, and where
        self._short: list[str] = []
        self._heads: dict[str, list[str]] = {}
        self._longest = 0

    def add(self, form: str, kind: MatchKind = "text") -> None:
        """Add a form of a secret to search for, in lower case; the kind given first counts."""
        if form in self._kinds:
            return
        self._kinds[form] = kind
        self._longest = max(self._longest, len(form))
        if len(form) > self.HEAD:
            self._heads.setdefault(form[: self.HEAD], []).append(form)
        if len(form) < 2 * self.STEP - 1:
            self._short.append(form)
            return
        for offset in range(self.STEP):
            self._pieces.setdefault(form[offset : offset + self.STEP], []).append((form, offset))

    def found(self, folded: str) -> list[str]:
        """Return the forms of secrets that a text in lower case contains."""
        return list(dict.fromkeys(form for _, form in self._hits(folded)))

    def places(self, text: str) -> list[SecretMatch]:
        """Return where forms of secrets occur in a text, at any level of escapes, without splitting an escape.

        Where a text was shortened, as `…` tells, what is left of a form counts, too.
        """
        found: list[SecretMatch] = []
        ways: list[_PositionMap] = []
        for reading in readings(text):
            folded = fold(reading)
            for start, end, form in (*self._whole(folded), *self._cut(folded)):
                for way in reversed(ways):
                    start, end = way.back(start, end)
                found.append(SecretMatch(start, end, form))
            ways.append(_PositionMap(reading))
        return found

    def _hits(self, folded: str) -> Iterator[tuple[int, str]]:
        """Yield position and form of each secret that a text contains; a match may be repeated."""
        for form in self._short:
            start = folded.find(form)
            while start >= 0:
                yield start, form
                start = folded.find(form, start + 1)
        step, pieces = self.STEP, self._pieces
        if not pieces:
            return
        cuts = range(0, len(folded) - step + 1, step)
        for start in [start for start in cuts if folded[start : start + step] in pieces]:
            for form, offset in pieces[folded[start : start + step]]:
                if start >= offset and folded.startswith(form, start - offset):
                    yield start - offset, form

    def _whole(self, folded: str) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and form of each complete secret in a text, as far as the kind of the form allows."""
        for start, form in dict.fromkeys(self._hits(folded)):
            end, kind = start + len(form), self._kinds[form]
            before, behind = folded[max(0, start - 1) : start], folded[end : end + 1]
            if kind == "digits":
                # The digits around hold bits of it.
                yield start - (before in _BASE64), end + (behind in _BASE64), form
            elif kind == "text" or not (before.isalnum() or behind.isalnum()):
                yield start, end, form

    def _cut(self, folded: str) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and form of each secret that is cut off by an ellipsis in a text."""
        place = folded.find("…")
        while place >= 0:
            end = _CUT_ESCAPE.search(folded, max(0, place - 12), place)
            last = end.start() if end else place
            for start in range(max(0, last - self._longest), last - self.HEAD + 1):
                if folded[start : start + self.HEAD] not in self._heads:
                    continue
                left = folded[start:last]
                for form in self._heads[left[: self.HEAD]]:
                    # Half an escape may have been read as another character.
                    if form.startswith((left, left[:-1] if len(left) > self.HEAD else left)):
                        yield start, place, form
            place = folded.find("…", place + 1)


class _PositionMap:
    """Maps positions in an unescaped text back to the escaped text."""

    def __init__(self, before: str) -> None:
        self._before = before
        self._marks: tuple[list[int], list[int], list[int], list[int]] | None = None

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return the range of the escaped text that a range of the unescaped text comes from."""
        return self._at(start)[0], self._at(end - 1)[1]

    def _at(self, position: int) -> tuple[int, int]:
        """Return start and end in the escaped text of the character at a position."""
        if self._marks is None:
            self._marks = self._marked()
        here, there, width_here, width_there = self._marks
        mark = bisect_right(here, position) - 1
        if mark < 0:
            return position, position + 1
        beyond = position - here[mark] - width_here[mark]
        if beyond < 0:
            return there[mark], there[mark] + width_there[mark]
        start = there[mark] + width_there[mark] + beyond
        return start, start + 1

    def _marked(self) -> tuple[list[int], list[int], list[int], list[int]]:
        here: list[int] = []
        there: list[int] = []
        width_here: list[int] = []
        width_there: list[int] = []
        shift = 0  # how much shorter the reading is so far
        for escape in _ESCAPE.finditer(self._before):
            start = escape.start()
            for character, width in _units(escape[0]):
                here.append(start - shift)
                there.append(start)
                width_here.append(len(character))
                width_there.append(width)
                start += width
                shift += width - len(character)
        return here, there, width_here, width_there
