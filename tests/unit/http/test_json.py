"""JSON in and out."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.http.json import MAX_DEPTH, decode, depth, encode, excerpt

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**300), 10**300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@given(value=values)
def test_what_is_written_reads_as_itself(value: Any) -> None:
    """To the bit: types too, so that 1 stays 1 and 1.0 stays 1.0."""
    assert repr(decode(encode(value))) == repr(value)


@given(value=values)
def test_what_is_written_is_what_pythons_json_reads(value: Any) -> None:
    assert repr(json.loads(encode(value))) == repr(value)


@given(value=values, indent=st.sampled_from([None, 0, 3]), ascii_only=st.booleans())
def test_every_way_of_writing_reads_alike(value: Any, indent: int | None, *, ascii_only: bool) -> None:
    written = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    assert repr(decode(written)) == repr(value)


@pytest.mark.parametrize("digits", [18, 19, 20, 21, 39, 100, 308])
@pytest.mark.parametrize("sign", ["", "-"])
def test_integers_are_exact_at_every_length(sign: str, digits: int) -> None:
    for number in ("9" * digits, "1" + "0" * (digits - 1), "123456789" * 40):
        written = sign + number[:digits]
        assert decode(written.encode()) == int(written)
        assert decode(b'{"a": [' + written.encode() + b"]}") == {"a": [int(written)]}
        assert encode(int(written)) == written.encode()


def test_long_digits_in_text_and_fractions_are_no_integers() -> None:
    assert decode(b'{"a": "12345678901234567890123", "b": 0.12345678901234567890123}') == {
        "a": "12345678901234567890123",
        "b": 0.12345678901234568,
    }
    assert isinstance(decode(b"12345678901234567890123.0"), float)
    assert isinstance(decode(b"12345678901234567890123e0"), float)


def test_minus_zero_stays_minus_zero() -> None:
    assert math.copysign(1, decode(b"-0.0")) == -1
    assert decode(b"-0") == 0


@given(content=st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_nothing_but_json_is_read(content: bytes) -> None:
    """Whatever we take, the strictest reader takes too and reads the same."""
    try:
        value = decode(content)
    except ValueError:
        return

    def refuse(name: str) -> Any:
        raise AssertionError(name)

    assert repr(json.loads(content.decode("utf-8"), parse_constant=refuse)) == repr(value) or b"-0" in content


def test_the_depth_is_bounded_and_counted_rightly() -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        fits = (opening * MAX_DEPTH + "1" + closing * MAX_DEPTH).encode()
        decode(fits)
        with pytest.raises(ValueError, match="nested deeper"):
            decode((opening * (MAX_DEPTH + 1) + "1" + closing * (MAX_DEPTH + 1)).encode())
    assert MAX_DEPTH == 128, "docs/stub.md says so"
    wide = b"[" + b"[]," * 10_000 + b"[]]"
    assert len(decode(wide)) == 10_001


nested = st.recursive(st.just(0), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3))


def _true_depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_true_depth, inner), default=0)


@given(value=nested, noise=st.text(st.sampled_from('[]{}"\\,:'), max_size=10))
def test_depth_is_that_of_the_value(value: Any, noise: str) -> None:
    assert depth(json.dumps(value).encode()) == _true_depth(value)
    assert depth(json.dumps([noise, value]).encode()) == 1 + _true_depth(value)


def test_lone_surrogates_are_refused_not_repaired() -> None:
    for content in (b'"\\ud800"', b'"\\udc00\\ud800"', b'{"\\ud800":1}', b'"\xed\xa0\x80"'):
        with pytest.raises(ValueError, match=r"surrogate|UTF-8"):
            decode(content)
    assert decode(b'"\\ud83d\\ude00"') == "😀"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ('a"b', '"a\\"b"'),
        ({"a": [1, True]}, '{"a":[1,true]}'),
        ("x" * 59, '"' + "x" * 59 + "…"),
        ("x" * 58, '"' + "x" * 58 + '"'),
        ("\ud800", '"\\ud800"'),
        ({1}, '"{1}"'),
    ],
)
def test_an_excerpt_is_json_and_no_longer_than_it_may_be(value: Any, text: str) -> None:
    assert excerpt(value) == text
