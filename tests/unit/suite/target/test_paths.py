"""Which operations a request target means, where several templates take it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.target.paths import Resolver, fill, in_query, read_off


@pytest.mark.parametrize(
    ("templates", "target", "expected"),
    [
        (("/a/{b}", "/a/{b}:c", "/a/{b}.json"), "/a/x:c", "/a/{b}:c"),
        (("/a/{b}", "/a/{b}:c", "/a/{b}.json"), "/a/x.json?q=1", "/a/{b}.json"),
        (("/a/{b}", "/a/{b}:c", "/a/{b}.json"), "/a/x", "/a/{b}"),
        (("/a/{b}", "/a/{b}s", "/a/{b}-{c}s"), "/a/x-ys", "/a/{b}-{c}s"),
        (("/{a}/c", "/b/{d}", "/{e}/{f}"), "/b/c", "/b/{d}"),
        (("/{a}/c", "/b/{d}", "/{e}/{f}"), "/x/c", "/{a}/c"),
    ],
)
def test_the_more_concrete_template_wins_in_any_order(
    write_contract: Callable[..., Path], templates: tuple[str, ...], target: str, expected: str
) -> None:
    for order in permutations(templates):
        paths = {path: {"get": {"responses": {"200": {"description": ""}}}} for path in order}
        resolver = Resolver(load_contract(write_contract(paths)))
        assert {operation.path for operation in resolver.methods_at(target).values()} == {expected}, order


def test_a_template_may_have_a_name_twice(write_contract: Callable[..., Path]) -> None:
    paths = {"/a/{x}/b/{x}": {"get": {"responses": {"200": {"description": ""}}}}}
    resolver = Resolver(load_contract(write_contract(paths)))
    assert {operation.path for operation in resolver.methods_at("/a/1/b/2").values()} == {"/a/{x}/b/{x}"}


@pytest.mark.parametrize(
    ("how", "value", "path", "query"),
    [
        ({}, [1, 2], "/a/1,2", "x=1&x=2"),
        ({"explode": False}, ["a,b", "c d"], "/a/a%2Cb,c%20d", "x=a%2Cb,c+d"),
        ({"explode": True}, {"a": 1, "b": True}, "/a/a=1,b=true", "a=1&b=true"),
        ({"explode": False}, {"a": 1, "b": None}, "/a/a,1,b,", "x=a,1,b,"),
        ({}, [], "/a/", "x="),
        ({}, "a/b c", "/a/a%2Fb%20c", "x=a%2Fb+c"),
        ({}, "\ud800", "/a/%ED%A0%80", "x=%ED%A0%80"),
    ],
)
def test_values_stand_in_their_style(
    write_contract: Callable[..., Path], how: dict[str, Any], value: Any, path: str, query: str
) -> None:
    parameters = [{"name": "x", "in": place, "required": True, "schema": {}, **how} for place in ("path", "query")]
    paths = {"/a/{x}": {"get": {"parameters": parameters, "responses": {"200": {"description": ""}}}}}
    operation = load_contract(write_contract(paths)).operations[0]
    assert fill(operation, {"x": value}) == path
    assert "&".join(in_query(operation.parameters[1], value)) == query


def test_values_are_read_off_a_path() -> None:
    assert read_off("/a/{x}.{y}", "/a/b%20c.d?x=1") == {"x": "b c", "y": "d"}
    assert read_off("/a/{x}", "/b/1") == {}
