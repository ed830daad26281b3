"""What is worked out in a short way comes out as Hypothesis works it out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis.specs.openapi import examples

from mockserver.suite.fuzz.patches import no_examples_from_elsewhere, no_eye_on_chance, short_properties

Make = Callable[[], SearchStrategy[object]]


def _itself() -> SearchStrategy[object]:
    found: SearchStrategy[object] = st.deferred(lambda: st.none() | st.tuples(found, found))
    return found


def _each_other() -> SearchStrategy[object]:
    one: SearchStrategy[object] = st.deferred(lambda: st.tuples(other))
    other: SearchStrategy[object] = st.deferred(lambda: st.lists(one, min_size=1))
    return one


STRATEGIES: dict[str, Make] = {
    "nothing": st.nothing,
    "just": lambda: st.just(1),
    "mapped nothing": lambda: st.nothing().map(str),
    "filtered": lambda: st.integers().filter(bool),
    "one of nothing": lambda: st.one_of(st.nothing(), st.nothing()),
    "one of some": lambda: st.one_of(st.nothing(), st.text()),
    "tuple with nothing": lambda: st.tuples(st.integers(), st.nothing()),
    "list of nothing": lambda: st.lists(st.nothing()),
    "dictionary": lambda: st.fixed_dictionaries({"a": st.none(), "b": st.nothing() | st.booleans()}),
    "flat map": lambda: st.integers(0, 3).flatmap(lambda size: st.lists(st.none(), min_size=size)),
    "recursive": lambda: st.recursive(st.none(), st.lists),
    "itself": _itself,
    "each other": _each_other,
}


def _properties(strategy: SearchStrategy[object]) -> tuple[bool, bool, bool]:
    return strategy.is_empty, strategy.has_reusable_values, strategy.is_cacheable


@pytest.mark.parametrize("make", STRATEGIES.values(), ids=STRATEGIES.keys())
def test_the_short_way_says_the_same_of_a_strategy(make: Make) -> None:
    expected = _properties(make())
    with short_properties():
        assert _properties(make()) == expected
    assert _properties(make()) == expected


def test_both_are_as_before_afterwards() -> None:
    from hypothesis import control
    from hypothesis.strategies._internal import strategies

    before = control.deprecate_random_in_strategy, vars(strategies)["recursive_property"]
    with no_eye_on_chance(), short_properties():
        assert control.deprecate_random_in_strategy is not before[0]
        assert vars(strategies)["recursive_property"] is not before[1]
    assert (control.deprecate_random_in_strategy, vars(strategies)["recursive_property"]) == before


def test_examples_of_other_hosts_are_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("requests.get", lambda url, **_: fetched.append(url))
    held = {"externalValue": "http://127.0.0.1:9/example.json"}
    with no_examples_from_elsewhere():
        assert list(examples.extract_named_inner_examples({"one": held}, None)) == []  # type: ignore[arg-type]
    assert fetched == []
