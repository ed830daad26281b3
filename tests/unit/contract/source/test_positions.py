"""Lines in JSON text, held against those that a YAML parser finds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.contract.source import yaml
from mockserver.contract.source.positions import JsonLines
from mockserver.http.pointers import split

NAMES = st.text(st.sampled_from('ab/~"\\ü{[:, '), max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.sampled_from([None, 1, 4]))
def test_lines_are_those_of_yaml(data: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    found = JsonLines(text)
    for pointer, line in yaml.lines(text).items():
        assert found.line(split(pointer)) == line, pointer


def test_what_is_not_there_has_no_line() -> None:
    found = JsonLines('\n{"a": [1, {"b": 2}]}')
    assert found.line(["a", "1", "b"]) == 2
    assert [found.line(parts) for parts in (["b"], ["a", "2"], ["a", "0", "x"])] == [None, None, None]


def test_yaml_is_not_json() -> None:
    with pytest.raises(ValueError, match="no name at 1"):
        JsonLines("{a: 1}").line(["a"])
