from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mockserver.http import json as documents
from mockserver.masking import MAX_SHOWN, show

CANARY = "canary-Zk2mV9xT4w"
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=5), inner, max_size=30),
    max_leaves=30,
)


@given(value=values)
def test_what_is_shown_is_json_and_short(value: Any) -> None:
    assert len(documents.encode(show(value))) < 200_000


@given(value=values, name=st.sampled_from(["password", "pin", "apiKey", "X-Auth-Token"]))
def test_a_secret_is_masked_wherever_it_stands(value: Any, name: str) -> None:
    for hidden in (CANARY, [CANARY], {"a": CANARY}, {CANARY: 1}):
        holder = {name: hidden, "other": value}
        for outer in (holder, [holder], {"x": [holder]}, {"x": {"y": holder}}):
            assert CANARY not in json.dumps(show(outer, {"pin"}))


def test_what_is_no_secret_is_shown_as_it_is() -> None:
    value = {"a": 1, "b": ["x", None, True, 1.5], "c": {"d": "e"}}
    assert show(value) == value


def test_long_and_deep_parts_are_cut() -> None:
    assert show("x" * (MAX_SHOWN + 1)) == "x" * MAX_SHOWN + "…"
    assert show("x" * MAX_SHOWN) == "x" * MAX_SHOWN
    assert show(list(range(100)))[-1] == "…"
    assert show({str(number): 1 for number in range(100)})["…"] == "80 more"
    assert show({"x" * 1000: 1}) == {"x" * MAX_SHOWN + "…": 1}
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    assert "…" in json.dumps(show(deep), ensure_ascii=False)
    assert show(10**250) == "an integer of 251 digits"
    assert show(-(10**250)) == "an integer of 251 digits"
