"""A server that gives away whatever it knows, and a reader who finds it however it is written.

Neither shares a line with the package: what one judge overlooks, the other one must not overlook for the same reason.
"""

from __future__ import annotations

import base64
import binascii
import html
import itertools
import json
import random
import re
import string
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote

#: Every canary begins with it, so that one search finds them all.
MARK = "cnry"
#: What a canary may hold besides letters, so that each way of escaping has something to escape.
_AWKWARD = (
    "",
    '"',
    "\\",
    "&",
    "<b>",
    "%",
    "%41",
    "ü",
    "€",
    "😀",
    "'",
    " ",
    "/",
    "+",
    "=",
    ":",
    "|",
    "`",
    "$x",
    "&amp;",
)
_SHORT = 4
#: So much of a canary stands before anything awkward.
_BEGINNING = len(MARK) + _SHORT // 2


def canaries(count: int, seed: int = 0) -> list[str]:
    """Return as many made-up secrets, some of them short."""
    chance = random.Random(seed)
    letters = string.ascii_letters + string.digits
    made = []
    for number in range(count):
        length = _SHORT if number % 40 == 39 else 16
        body = "".join(chance.choices(letters, k=length))
        made.append(MARK + body[: length // 2] + _AWKWARD[number % len(_AWKWARD)] + body[length // 2 :])
    return made


def _utf8(form: Callable[[int], str]) -> Callable[[str], str]:
    return lambda text: "".join(map(form, text.encode()))


def _utf16(form: str) -> Callable[[str], str]:
    def write(text: str) -> str:
        units = text.encode("utf-16-be")
        return "".join(form.format(units[at] * 256 + units[at + 1]) for at in range(0, len(units), 2))

    return write


def _base64(offset: int, encode: Callable[[bytes], bytes], *, padded: bool = True) -> Callable[[str], str]:
    def write(text: str) -> str:
        digits = encode(b"\x07" * offset + text.encode()).decode()
        return digits if padded else digits.rstrip("=")

    return write


#: How a secret may be written: the ways that the issue names.
WAYS: dict[str, Callable[[str], str]] = {
    "raw": str,
    **{f"base64 at {offset}": _base64(offset, base64.b64encode) for offset in range(3)},
    **{f"base64 at {offset}, bare": _base64(offset, base64.b64encode, padded=False) for offset in range(3)},
    **{f"base64url at {offset}": _base64(offset, base64.urlsafe_b64encode) for offset in range(3)},
    "percent": lambda text: quote(text, safe=""),
    "percent, each": _utf8(lambda byte: f"%{byte:02X}"),
    "percent, small": _utf8(lambda byte: f"%{byte:02x}"),
    "percent, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent, each, twice": _utf8(lambda byte: f"%25{byte:02x}"),
    "json": lambda text: json.dumps(text)[1:-1],
    "json, each": _utf16("\\u{:04x}"),
    "json, each, capital": _utf16("\\u{:04X}"),
    "html": html.escape,
    "html, decimal": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "html, hexadecimal": lambda text: "".join(f"&#x{ord(character):x};" for character in text),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "basic": lambda text: base64.b64encode(f"someone:{text}".encode()).decode(),
}


class LeakingServer:
    """A WSGI application: every answer holds some secrets, each time other ones, written in other ways.

    Attributes:
        sent: everything that it answered, fields included.
    """

    PER_ANSWER = 26

    def __init__(self, secrets: Iterable[str]) -> None:
        pairs = [(way, secret) for way in WAYS for secret in secrets]
        random.Random(1).shuffle(pairs)
        self._pairs = itertools.cycle(pairs)
        self._number = itertools.count()
        self.rounds = len(pairs) // self.PER_ANSWER + 1
        self.sent: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (PEP 3333), whatever it is."""
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        leaks = [WAYS[way](secret) for way, secret in itertools.islice(self._pairs, self.PER_ANSWER)]
        status, media_type, body = self._content(environ, next(self._number), leaks)
        fields = [("Content-Type", media_type)]
        for number, leak in enumerate(leaks[:3]):
            value = re.sub(r"[\x00-\x1f\x7f]", "", leak.encode().decode("latin-1"))
            fields.append((("X-Debug", "Location", "Set-Cookie")[number], value))
        self.sent.append("\n".join([*(value for _, value in fields), body]))
        start_response(status, fields)
        return [body.encode()]

    def _content(self, environ: dict[str, Any], number: int, leaks: list[str]) -> tuple[str, str, str]:
        """Return status, media type and content: each kind in its turn."""
        text = " | ".join(leaks)
        told = {"path": environ["PATH_INFO"], "value": {leaks[0]: leaks[1]}, "log": leaks[2:], "token": leaks[0]}
        return (
            ("200 OK", "application/json", json.dumps(told)),
            ("200 OK", "application/json", json.dumps(told, ensure_ascii=False)),
            ("403 Forbidden", "application/problem+json", json.dumps({"status": 403, "detail": text})),
            ("500 Internal Server Error", "text/html", f"<pre>Traceback: {html.escape(text)}</pre>"),
            ("200 OK", "application/json", f"{{broken: {text}"),
            ("302 Found", "text/plain", text),
            ("418 X", "text/plain", text),
            ("200 OK", "application/json", json.dumps(json.dumps(told))),
        )[number % 8]


def found_in(text: str, secrets: Iterable[str]) -> set[str]:
    """Return the secrets that a text holds in any way: everything is decoded that looks as if it could be."""
    by_beginning: dict[str, list[str]] = {}
    for secret in secrets:
        by_beginning.setdefault(secret.lower()[:_BEGINNING], []).append(secret)
    return {
        secret
        for reading in _everything(text)
        for around in _around_marks(reading.lower())
        for secret in by_beginning.get(around[:_BEGINNING], ())
        if around.startswith(secret.lower())
    }


def _around_marks(text: str) -> Iterator[str]:
    at = text.find(MARK)
    while at >= 0:
        yield text[at : at + 60]
        at = text.find(MARK, at + 1)


def _everything(text: str) -> Iterator[str]:
    for reading in _readings(text, 4):
        yield reading
        yield from _base64_in(reading)
        yield from _hex_in(reading)


def _readings(text: str, depth: int) -> set[str]:
    """Return a text as it is, and decoded several times: always in the same way, or in all ways at once."""
    found = {text}
    for read in (_from_url, html.unescape, _from_json, _from_all):
        reading = text
        for _ in range(depth):
            reading = read(reading)
            found |= {reading, _from_json(reading)}
    return found


def _from_all(text: str) -> str:
    return _from_url(html.unescape(_from_json(text)))


def _from_url(text: str) -> str:
    return unquote(text, errors="replace")


def _from_json(text: str) -> str:
    plain = re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _base64_in(text: str) -> Iterator[str]:
    runs = re.findall(r"[A-Za-z0-9+/_-]{5,}", text)
    for start in range(4):
        pieces = []
        for run in runs:
            digits = run[start:].replace("-", "+").replace("_", "/")
            pieces.append(binascii.a2b_base64(digits[: len(digits) // 4 * 4]))
            rest = len(digits) % 4
            if rest > 1:
                pieces.append(binascii.a2b_base64(digits[-rest:] + "=" * (4 - rest)))
            pieces.append(b" ")
        yield b"".join(pieces).decode("utf-8", "replace")


def _hex_in(text: str) -> Iterator[str]:
    runs = re.findall(r"[0-9a-fA-F]{8,}", text)
    for start in range(2):
        yield b" ".join(bytes.fromhex(run[start : start + (len(run) - start) // 2 * 2]) for run in runs).decode(
            "utf-8", "replace"
        )
