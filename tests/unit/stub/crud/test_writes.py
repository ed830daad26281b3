"""Patches of items: RFC 7396's own table, and anything as a JSON Patch."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.errors import RequestRejected
from mockserver.stub.crud.writes import json_patched, merge_patched

#: Appendix A of RFC 7396: original, patch, result.
MERGES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "no"]) | JSON,
            "path": st.sampled_from(["", "/", "/a", "/a/0", "/a/-", "/b/c", "a", "/~2"]) | JSON,
            "from": st.sampled_from(["", "/a", "/x"]) | JSON,
            "value": JSON,
        },
    ),
    max_size=3,
)


@pytest.mark.parametrize(("value", "patch", "result"), MERGES)
def test_merge_patches_as_in_the_appendix(value: Any, patch: Any, result: Any) -> None:
    assert merge_patched(value, patch) == result


@given(JSON | OPERATIONS)
def test_any_json_patch_leaves_an_object_or_is_rejected(patch: Any) -> None:
    item = {"a": [1, {"b": 2}], "b": {"c": "d"}}
    with suppress(RequestRejected):
        assert isinstance(json_patched(item, patch), dict)
    assert item == {"a": [1, {"b": 2}], "b": {"c": "d"}}


def test_a_json_patch_is_applied() -> None:
    patch = [{"op": "move", "from": "/a", "path": "/b"}, {"op": "add", "path": "/c/-", "value": 3}]
    assert json_patched({"a": 1, "c": [2]}, patch) == {"b": 1, "c": [2, 3]}
