from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.http import json as documents
from mockserver.masking import MAX_SHOWN, show, show_credentials
from mockserver.messages import MASK

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


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        (None, None),
        (_basic("admin:" + CANARY), f"Basic admin:{MASK}"),
        (_basic("admin:" + CANARY).replace("Basic", "BASIC"), f"Basic admin:{MASK}"),
        (_basic("a:b:c"), f"Basic a:{MASK}"),
        (_basic(CANARY), f"Basic {MASK}"),
        (f"Basic {CANARY}!", f"Basic {MASK}"),
        ("Basic gIA6gIA=", f"Basic {MASK}"),
        (f"Bearer {CANARY}", f"Bearer {MASK}"),
        (CANARY, MASK),
        ("", MASK),
    ],
)
def test_credentials_lose_their_secret(field: str | None, shown: str | None) -> None:
    assert show_credentials(field) == shown


@given(field=st.text(max_size=30))
def test_no_field_breaks_it(field: str) -> None:
    shown = show_credentials(f"Basic {field}")
    assert shown is not None
    assert shown.startswith("Basic ")
