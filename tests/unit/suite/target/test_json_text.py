"""JSON texts of any depth, size and oddity: read, or refused, and never the end of a run."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.suite.target.json_text import MAX_DEPTH, NotJSON, TooLarge, parse_json, read_json, same_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
)


@given(VALUES, st.sampled_from([0, MAX_DEPTH - 1, MAX_DEPTH, 3 * MAX_DEPTH]))
def test_a_text_is_read_as_json_reads_it_down_to_the_limit(value: Any, levels: int) -> None:
    text = "[" * levels + json.dumps(value) + "]" * levels
    reading = read_json(text.encode())
    found, depth = reading.value, 0
    while depth < min(levels, MAX_DEPTH - 1):
        (found,) = found
        depth += 1
    if levels == 0 and not reading.pruned:
        assert same_json(found, value)
    if levels > MAX_DEPTH:
        assert reading.pruned
        assert found == [[]]


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 99_999 + "]" * 100_000, '{"a":' * 5000 + "x" + "}" * 5000])
def test_grammar_is_looked_at_below_the_limit_too(text: str) -> None:
    with pytest.raises(NotJSON):
        parse_json(text.encode())


def test_brackets_in_texts_are_no_levels() -> None:
    assert parse_json(json.dumps(["[" * 5000, '\\"' + "{" * 5000]).encode()) == ["[" * 5000, '\\"' + "{" * 5000]


@pytest.mark.parametrize(
    "content",
    [b"[" * 300 + b'"' + b'\\"' * 2_000_000, b"[" * 300 + b'"' + b'\\"' * 2_000_000 + b"\\", b'"[' * 1_000_000],
)
def test_reading_takes_time_that_grows_with_the_length(content: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(NotJSON):
        parse_json(content)
    assert time.monotonic() - began < 60  # what grows with its square takes hours


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"9" * 5000, 10**400),
        (b"-" + b"9" * 5000, -(10**400)),
        (b"1e999", 1.7976931348623157e308),
        (b"-1E+4000", -1.7976931348623157e308),
        (b'"\\ud800"', "\ud800"),
    ],
)
def test_odd_values_are_values(text: bytes, value: Any) -> None:
    assert parse_json(text) == value


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"", b"1 2", b"{'a': 1}", b'"\xed\xa0\x80"', b"\xff"])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(NotJSON):
        parse_json(text)


@pytest.mark.parametrize("part", [b"{}", b"[]", b'"a"', b'{"a":{"b":[]}}'])
def test_content_that_would_fill_the_memory_is_not_read(part: bytes) -> None:
    with pytest.raises(TooLarge):
        parse_json(b"[" + b",".join([part] * (16 * 2**20 // (len(part) + 1))) + b"]")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        ([0], [False], False),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True),
        ({"a": None}, {}, False),
        ([], {}, False),
        ("1", 1, False),
        (None, False, False),
    ],
)
def test_equality_is_that_of_json(one: Any, other: Any, same: bool) -> None:
    assert same_json(one, other) is same


def test_values_of_any_depth_can_be_compared() -> None:
    one: Any = 1
    other: Any = 2
    for _ in range(50_000):
        one, other = [one], [other]
    assert same_json(one, one)
    assert not same_json(one, other)
