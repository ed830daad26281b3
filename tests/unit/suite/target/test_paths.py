"""Which operations a request target means, where several templates take it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.target.paths import Resolver


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
