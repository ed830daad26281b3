from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.contract.source.references import follow, target
from mockserver.errors import ContractError
from mockserver.http.pointers import child, lookup, split

# RFC 6901, section 5.
DATA = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", DATA),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_the_examples_of_the_standard(pointer: str, value: object) -> None:
    assert lookup(DATA, pointer) == value


@pytest.mark.parametrize("pointer", ["/no", "/foo/2", "/foo/-", "/foo/-1", "/foo/x", "/foo/0/x", "/a~1b/x", "/foo/²"])
def test_nothing_stands_there(pointer: str) -> None:
    with pytest.raises(LookupError):
        lookup(DATA, pointer)


tricky = st.text(st.sampled_from("~/01a%é"), max_size=5)


@given(names=st.lists(st.text(max_size=5) | tricky, max_size=5))
def test_names_survive_the_way_through_a_pointer(names: list[str]) -> None:
    assert split(child("", *names)) == names


@given(name=st.text(max_size=8) | tricky)
def test_any_name_is_found_by_its_pointer(name: str) -> None:
    assert lookup({name: {"x": 1}}, child("", name, "x")) == 1


@pytest.mark.parametrize(
    "reference", ["other.yaml", "other.yaml#/a", "https://example.com/a#/b", "", "/a", "#foo", "# /a", 5, None, ["#/a"]]
)
def test_only_pointers_into_the_document_are_references(reference: object) -> None:
    with pytest.raises(ContractError, match="only `#/"):
        target(reference)


def test_references_are_percent_decoded() -> None:
    """RFC 6901, section 6."""
    assert target("#/c%25d") == "/c%d"
    assert target("#/%C3%BC~1") == "/ü~1"
    assert target("#") == ""


def test_references_are_followed_to_the_end() -> None:
    data = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/c/x~1y"}, "c": {"x/y": {"value": 1}}}
    assert follow(data, "/a") == ({"value": 1}, "/c/x~1y")
    assert follow(data, "/c/x~1y/value") == (1, "/c/x~1y/value")


@pytest.mark.parametrize(
    "data",
    [
        {"a": {"$ref": "#/a"}},
        {"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}},
        {"a": {"$ref": "#/b"}, "b": {"$ref": "#/c"}, "c": {"$ref": "#/b"}},
    ],
)
def test_circles_end(data: object) -> None:
    with pytest.raises(ContractError, match="back to itself"):
        follow(data, "/a")


@pytest.mark.parametrize("reference", ["#/nothing", "#/b/x", "#/list/7", "#/list/x"])
def test_dangling_references_are_told(reference: str) -> None:
    data = {"a": {"$ref": reference}, "b": 1, "list": []}
    with pytest.raises(ContractError, match="nothing is at this pointer"):
        follow(data, "/a")
