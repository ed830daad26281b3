from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.suite.secrets.encoded_secrets import Finder, fold, readings
from mockserver.suite.secrets.known_secrets import Canaries, Secrets

SECRET = 'T0p"secret/wörd <&> 4\\2'
#: One way of writing each character, and Python's ways of writing a whole text.
_LETTER: dict[str, Callable[[str], str]] = {
    "raw": lambda c: c,
    "percent": lambda c: "".join(f"%{byte:02X}" for byte in c.encode()),
    "percent, small": lambda c: "".join(f"%{byte:02x}" for byte in c.encode()),
    "percent twice": lambda c: "".join(f"%25{byte:02X}" for byte in c.encode()),
    "json": lambda c: json.dumps(c)[1:-1],
    "json, each": lambda c: f"\\u{ord(c):04x}",
    "json, each, capital": lambda c: f"\\u{ord(c):04X}",
    "html": lambda c: html.escape(c),
    "html, decimal": lambda c: f"&#{ord(c)};",
    "html, hexadecimal": lambda c: f"&#x{ord(c):X};",
    "html, open": lambda c: f"&#{ord(c)}",
}
_WHOLE: dict[str, Callable[[str], str]] = {
    "form": quote_plus,
    "path": quote,
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "json in json in json": lambda text: json.dumps(json.dumps(json.dumps(text))),
    "html in json": lambda text: json.dumps(html.escape(text)),
    "repr": repr,
    "bytes": lambda text: repr(text.encode()),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "capitals": str.upper,
    "basic": lambda text: base64.b64encode(f"admin:{text}".encode()).decode(),
    "base64 in a URL": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
    "base64 of JSON": lambda text: base64.b64encode(json.dumps({"a": text}).encode()).decode(),
}


@pytest.fixture
def secrets() -> Secrets:
    known = Secrets()
    known.add("ADMIN_TOKEN", SECRET)
    return known


@pytest.mark.parametrize("way", _LETTER)
def test_each_character_in_its_own_way(secrets: Secrets, way: str) -> None:
    text = f"x={''.join(map(_LETTER[way], SECRET))}/y"
    assert list(secrets.leaked(text)) == [SECRET]
    assert secrets.mask(text) == "x=$ADMIN_TOKEN/y"
    assert secrets.redact(text) == "x=$ADMIN_TOKEN/y"


@pytest.mark.parametrize("way", _WHOLE)
def test_the_whole_text_at_once(secrets: Secrets, way: str) -> None:
    text = f"<{_WHOLE[way](SECRET)}>"
    assert list(secrets.leaked(text)) == [SECRET]
    assert "$ADMIN_TOKEN" in secrets.mask(text)
    assert not list(secrets.leaked(secrets.mask(text)))


@pytest.mark.parametrize("offset", range(3))
@pytest.mark.parametrize("behind", range(3))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padding", ["", "="])
def test_base64_of_something_around_it(
    offset: int, behind: int, encode: Callable[[bytes], bytes], padding: str
) -> None:
    for secret in (Canaries(offset).make("x"), "\xff\xfe>>>???~~~ü" * 2):
        secrets = Secrets()
        secrets.add("S", secret)
        digits = encode(b"~" * offset + secret.encode() + b"?" * behind).decode().rstrip("=" if not padding else "")
        assert list(secrets.leaked(f'"{digits}"')) == [secret]
        left = secrets.mask(f'"{digits}"')
        assert left.startswith('"')
        assert left.endswith('"')
        assert len(left) <= len('"$S"') + offset + behind + 5


@given(st.data())
def test_any_mix_is_found_and_masked_and_json_stays_json(data: st.DataObject) -> None:
    secrets = Secrets()
    secrets.add("S", SECRET)
    mixed = ""
    for character in SECRET:
        # What begins an escape cannot stand before one as it is, or it is none.
        ways = [way for name, way in _LETTER.items() if name != "raw" or character not in "\\&%"]
        mixed += data.draw(st.sampled_from(ways))(character)
    around = st.text(st.characters(exclude_characters="0123456789abcdefABCDEF"), max_size=8)
    text = data.draw(around) + mixed + data.draw(around)
    for written in (text, json.dumps(text), json.dumps({"a": [json.dumps(text)]})):
        assert SECRET in secrets.leaked(written)
        masked = secrets.mask(written)
        assert not list(secrets.leaked(masked))
    assert "$S" in json.loads(secrets.mask(json.dumps(text)))


@given(st.text())
def test_what_holds_no_secret_stays_as_it_is(text: str) -> None:
    secrets = Secrets()
    secrets.add("S", SECRET)
    assert secrets.mask(text) == text


@given(st.lists(st.text("ab%41\\&;#u", min_size=1, max_size=30), min_size=1), st.text("ab%41\\&;#u", max_size=200))
def test_a_finder_finds_what_is_there(forms: list[str], text: str) -> None:
    finder = Finder()
    for form in forms:
        finder.add(form)
    assert sorted(set(finder.found(text))) == sorted({form for form in forms if form in text})


@given(st.text())
def test_folding_keeps_the_length(text: str) -> None:
    assert len(fold(text)) == len(text)


def test_reading_ends() -> None:
    assert len(list(readings("%25" * 50 + "41"))) <= 5
    assert list(readings("plain")) == ["plain"]


@pytest.mark.parametrize(
    ("secret", "text", "masked"),
    [
        ("pw", "pw=pw, pwd", "$S=$S, pwd"),
        ("1234", "port 12345, pin 1234", "port 12345, pin $S"),
        ("1234", base64.b64encode(b"admin:1234").decode(), "YWRtaW4$S=="),
        ("123456", "pin=x123456", "pin=x$S"),
        ("hunter2", "HUNTER2", "$S"),
    ],
)
def test_short_secrets_are_masked_too(secret: str, text: str, masked: str) -> None:
    secrets = Secrets()
    secrets.add("S", secret)
    assert secrets.mask(text) == masked
    assert secrets.redact(text) == text, "a document's own words"


@pytest.mark.parametrize("way", [*_LETTER, "hex", "basic"])
def test_what_is_left_of_a_secret_that_was_cut_is_masked(secrets: Secrets, way: str) -> None:
    whole = "".join(map(_LETTER[way], SECRET)) if way in _LETTER else _WHOLE[way](SECRET)
    start = 8 if way == "basic" else 0  # of `admin:`
    for length in range(len(whole) // 2, len(whole)):
        shown = re.sub("&#x?[0-9A-F]*…", "…", secrets.mask(f"got {whole[:length]}… and more"))
        assert shown in {f"got {whole[:start]}$ADMIN_TOKEN… and more", "got YWRtaW4$ADMIN_TOKEN… and more"}, length
    assert secrets.mask("T0p… T0p") == "T0p… T0p"


def test_each_line_of_a_key_is_one() -> None:
    secrets = Secrets()
    secrets.add("KEY", "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQ\n-----END KEY-----")
    assert secrets.mask("x MIIEvQIBADANBgkqhkiG9w0BAQ y") == "x $KEY y"


def test_many_secrets_in_a_large_output_take_seconds() -> None:
    secrets, canaries = Secrets(), Canaries()
    for number in range(200):
        secrets.add(f"S{number}", canaries.make("x"))
    line = json.dumps({"body": json.dumps({"name": "x" * 200}), "url": "http://127.0.0.1/a%20b?c=d&e=f"})
    text = "\n".join([line] * (2_000_000 // len(line)))
    clock = time.monotonic()
    assert secrets.redact(text) == text
    assert time.monotonic() - clock < 5
