"""Parameter styles: what is written is read again, for all that OpenAPI defines."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.http.styles import (
    Pairs,
    decode_query,
    decode_text,
    encode_query,
    encode_text,
    pairs,
    primitive,
)

#: Anything but half of a pair of surrogates, which no UTF-8 holds.
texts = st.text(st.characters(exclude_categories=["Cs"]))
primitives = texts | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
NOTHING_ESCAPED = ",.;="


def _without(values: st.SearchStrategy[Any], signs: str) -> st.SearchStrategy[Any]:
    """Return values whose texts have none of some signs."""
    return values.filter(lambda value: not set(signs) & set(primitive(value)))


def _kinds(value: Any) -> set[str]:
    return {"array"} if isinstance(value, list) else {"object"} if isinstance(value, dict) else set()


def _as_texts(value: Any) -> Any:
    if isinstance(value, list):
        return [primitive(item) for item in value]
    if isinstance(value, dict):
        return {name: primitive(item) for name, item in value.items()}
    return primitive(value)


def _sent(parts: list[str]) -> Pairs:
    return pairs("&".join(["before=1", *parts, "after=2"]))


def _in_query(name: str, value: Any, style: str, *, explode: bool) -> Any:
    sent = _sent(encode_query(name, value, style, explode=explode))
    members = value if isinstance(value, dict) else ()
    return decode_query(name, style, _kinds(value), sent, explode=explode, members=members)[0]


names = st.sampled_from(["a", "the name", "é&=", "x[y]"])
members = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]"), min_size=1).filter(
    lambda name: name not in {"before", "after"}
)


@given(name=names, value=primitives | st.lists(primitives, min_size=1), explode=st.booleans())
def test_form_is_read_as_it_was_written(name: str, value: Any, explode: bool) -> None:
    assert _in_query(name, value, "form", explode=explode) == _as_texts(value)


@given(name=names, value=st.dictionaries(members, primitives, min_size=1))
def test_an_exploded_object_stands_among_the_other_parameters(name: str, value: dict[str, Any]) -> None:
    assert _in_query(name, value, "form", explode=True) == _as_texts(value)


@pytest.mark.parametrize(
    ("style", "separators"),
    [("form", ","), ("spaceDelimited", " +"), ("pipeDelimited", "|"), ("tabDelimited", "\t")],
)
@given(data=st.data())
def test_what_is_joined_is_parted(style: str, separators: str, data: st.DataObject) -> None:
    free = _without(primitives, separators)
    value = data.draw(st.lists(free, min_size=1) | st.dictionaries(_without(members, separators), free, min_size=1))
    assert _in_query("a", value, style, explode=False) == _as_texts(value)


@given(name=st.sampled_from(["a", "the name"]), value=st.dictionaries(members, primitives, min_size=1))
def test_deep_objects_are_read_again(name: str, value: dict[str, Any]) -> None:
    expected = {key: [primitive(item)] for key, item in value.items()}
    assert _in_query(name, value, "deepObject", explode=True) == expected


def test_deeper_objects_and_arrays_stand_in_brackets() -> None:
    value = {"a": {"b": 1, "c": [2, 3]}, "d": "e&f"}
    assert encode_query("q", value, "deepObject") == [
        *("q%5Ba%5D%5Bb%5D=1", "q%5Ba%5D%5Bc%5D=2", "q%5Ba%5D%5Bc%5D=3", "q%5Bd%5D=e%26f")
    ]
    assert _in_query("q", value, "deepObject", explode=True) == {"a": {"b": ["1"], "c": ["2", "3"]}, "d": ["e&f"]}


@pytest.mark.parametrize("explode", [False, True])
@pytest.mark.parametrize("style", ["simple", "label", "matrix"])
@given(data=st.data())
def test_texts_are_read_as_they_were_written(style: str, explode: bool, data: st.DataObject) -> None:
    free = _without(primitives, NOTHING_ESCAPED)
    named = _without(members, NOTHING_ESCAPED)
    value = data.draw(free | st.lists(free, min_size=1) | st.dictionaries(named, free, min_size=1))
    written = encode_text("name", value, style, explode=explode, quote=partial(quote, safe=""))
    read = decode_text("name", style, _kinds(value), unquote(written), explode=explode)
    assert read == _as_texts(value)


@pytest.mark.parametrize(
    ("style", "explode", "array", "members"),
    [
        # The table of OpenAPI 3.1.1, section 4.8.12.4, "Style Examples".
        ("matrix", False, ";color=blue,black,brown", ";color=R,100,G,200,B,150"),
        ("matrix", True, ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"),
        ("label", False, ".blue,black,brown", ".R,100,G,200,B,150"),
        ("label", True, ".blue.black.brown", ".R=100.G=200.B=150"),
        ("simple", False, "blue,black,brown", "R,100,G,200,B,150"),
        ("simple", True, "blue,black,brown", "R=100,G=200,B=150"),
    ],
)
def test_the_examples_of_openapi_in_texts(style: str, explode: bool, array: str, members: str) -> None:
    assert encode_text("color", ["blue", "black", "brown"], style, explode=explode) == array
    assert encode_text("color", {"R": 100, "G": 200, "B": 150}, style, explode=explode) == members


@pytest.mark.parametrize(
    ("style", "explode", "array", "members"),
    [
        ("form", False, "color=blue,black,brown", "color=R,100,G,200,B,150"),
        ("form", True, "color=blue&color=black&color=brown", "R=100&G=200&B=150"),
        ("spaceDelimited", False, "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"),
        ("pipeDelimited", False, "color=blue|black|brown", "color=R|100|G|200|B|150"),
        ("deepObject", True, None, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
    ],
)
def test_the_examples_of_openapi_in_queries(style: str, explode: bool, array: str | None, members: str) -> None:
    if array is not None:
        assert "&".join(encode_query("color", ["blue", "black", "brown"], style, explode=explode)) == array
    assert "&".join(encode_query("color", {"R": 100, "G": 200, "B": 150}, style, explode=explode)) == members


@pytest.mark.parametrize(("value", "text"), [(None, ""), (True, "true"), (2.5, "2.5"), (10**30, "1" + "0" * 30)])
def test_primitives_are_written_as_json_does(value: Any, text: str) -> None:
    assert primitive(value) == text


def test_an_encoded_comma_has_two_readings_the_standards_first() -> None:
    sent = pairs("a=1%2C2,3")
    assert decode_query("a", "form", {"array"}, sent, explode=False) == [["1,2", "3"], ["1", "2", "3"]]


def test_members_in_pairs_come_first() -> None:
    assert decode_query("a", "form", {"object"}, pairs("a=x%2C1"), explode=False) == [{"x": "1"}, {}]


@pytest.mark.parametrize("query", ["", "b=1", "ab=1", "a%5Bb%5D=1"])
def test_what_is_absent_is_not_there(query: str) -> None:
    with pytest.raises(LookupError):
        decode_query("a", "form", {"array"}, pairs(query), explode=True)
