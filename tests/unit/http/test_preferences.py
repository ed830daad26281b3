"""`Prefer`: what is read of any field, and that a long one costs no more than its length."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.errors import RequestRejected
from mockserver.http.preferences import applied, parse
from mockserver.messages import Preferences

codes = st.one_of(st.none(), st.integers(200, 599))
names = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)


@given(st.builds(Preferences, codes, names, st.sampled_from([None, True, False])))
def test_what_is_said_to_be_applied_means_the_same(preferences: Preferences) -> None:
    assert parse(applied(preferences)) == preferences


@given(st.text(max_size=60))
def test_any_field_is_read_or_rejected(field: str) -> None:
    with contextlib.suppress(RequestRejected):
        parse(field)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("code=404", Preferences(404)),
        ("Code = 404 ; x=y, EXAMPLE=a", Preferences(404, "a")),
        ('example="a, b;c"', Preferences(example="a, b;c")),
        ("dynamic", Preferences(dynamic=True)),
        ("dynamic=false, code=200, code=500", Preferences(200, dynamic=False)),
        ("return=minimal; code=404", Preferences()),
    ],
)
def test_forms_of_the_field(field: str, expected: Preferences) -> None:
    assert parse(field) == expected


@pytest.mark.parametrize("piece", [" ", '"', '="', "a ", 'a="', "\\", "=", ";", "a=b "])
def test_long_fields_are_read_in_no_time(piece: str) -> None:
    parse(piece * 40_000 + "!")  # pytest's own time-out would end what is quadratic
