"""Path templates: parsed once, matched and expanded by the same reading."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.http.path_templates import parse_template

values = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(lambda text: quote(text, safe=""))
literals = st.text("ab.:-~()[]+*?^$|\\é", max_size=4)


@pytest.mark.parametrize(
    ("text", "texts", "names"),
    [
        ("/a/b", ("/a/b",), ()),
        ("/a/{x}", ("/a/", ""), ("x",)),
        ("/a/{x}.{y}", ("/a/", ".", ""), ("x", "y")),
        ("/{x}:cancel", ("/", ":cancel"), ("x",)),
        ("/a/{x y}/{é}", ("/a/", "/", ""), ("x y", "é")),
        ("/a/{}/{b/c}/{d", ("/a/{}/{b/c}/{d",), ()),
        ("", ("",), ()),
    ],
)
def test_a_template_has_literals_and_parameters(text: str, texts: tuple[str, ...], names: tuple[str, ...]) -> None:
    template = parse_template(text)
    assert (template.literals, template.parameters) == (texts, names)


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ("/a/{x}.{y}", "/a/b.c", {"x": "b", "y": "c"}),
        ("/a/{x}.{y}", "/a/b.c.d", {"x": "b.c", "y": "d"}),
        ("/a/{x}.{y}", "/a/.c", None),
        ("/a/{x}:cancel", "/a/1:cancel", {"x": "1"}),
        ("/a/{x}:cancel", "/a/1", None),
        ("/a/{x}", "/a/1/", None),
        ("/a/{x}", "/a/", None),
        ("/a/{x}", "/a/b%2Fc", {"x": "b%2Fc"}),
        ("/a.b", "/a-b", None),
        ("/{x}/{x}", "/1/2", {"x": "2"}),
    ],
)
def test_a_path_matches_segment_by_segment(text: str, path: str, found: dict[str, str] | None) -> None:
    assert parse_template(text).match(path) == found


@given(data=st.data(), known=st.lists(st.tuples(literals, st.booleans()), min_size=1, max_size=5))
def test_what_is_expanded_matches(data: st.DataObject, known: list[tuple[str, bool]]) -> None:
    # One parameter a segment: of several only where one ends can be told by the text between them.
    text = "".join(
        f"/{literal}{{p{place}}}" if named else f"/{literal}" for place, (literal, named) in enumerate(known)
    )
    template = parse_template(text)
    assert template.parameters == tuple(re.findall(r"\{(p\d)\}", text))
    named = {name: data.draw(values) for name in template.parameters}
    path = template.expand(named)
    assert template.match(path) == named
    assert template.expand({name: f"{{{name}}}" for name in template.parameters}) == text


def test_a_value_that_is_missing_is_told() -> None:
    with pytest.raises(KeyError, match="x"):
        parse_template("/a/{x}").expand({"y": "1"})


@pytest.mark.parametrize(
    ("text", "names"),
    [("/a/{x}/{y}.json/", ["", "x", "", ""]), ("/{x}{y}", [""]), ("{x}", ["x"]), ("/{x}", ["x"])],
)
def test_a_segment_is_a_template_itself(text: str, names: list[str]) -> None:
    segments = parse_template(text).segments
    assert "/".join(segment.text for segment in segments) == text.removeprefix("/")
    assert [segment.name for segment in segments] == names


@pytest.mark.parametrize(
    ("text", "item", "nameless"),
    [
        ("/a/{b}", "/a/{b}", "/a/{}"),
        ("/a/{b}/c", "/a/{b}", "/a/{}/c"),
        ("/a/{b}:c/{d}.e/", "/a/{b}:c/{d}", "/a/{}:c/{}.e/"),
        ("/a/b", "", "/a/b"),
    ],
)
def test_what_names_an_item(text: str, item: str, nameless: str) -> None:
    assert (parse_template(text).item, parse_template(text).nameless) == (item, nameless)
