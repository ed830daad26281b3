"""Basic credentials: written, read and shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.http import basic
from mockserver.messages import MASK

CANARY = "canary-of-basic-credentials"
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(username=texts.filter(lambda name: ":" not in name), secret=texts)
def test_credentials_are_read_as_they_were_written(username: str, secret: str) -> None:
    assert basic.decode(basic.encode(f"{username}:{secret}")) == (username, secret)


def test_the_example_of_the_standard() -> None:
    assert basic.encode("Aladdin:open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert basic.decode("bASIC  dGVzdDoxMjPCow== ") == ("test", "123£")


@pytest.mark.parametrize(
    "field", ["", "Basic", "Basic !!!", "Basic /////w==", "Basic YWRtaW4", "Bearer YTpi", "YTpi", "Basic YTpi\n"]
)
def test_what_is_malformed_names_nobody(field: str) -> None:
    assert basic.decode(field) is None


def test_text_without_a_colon_is_no_user_and_secret() -> None:
    assert basic.user_pass(basic.encode("admin")) == "admin"
    assert basic.decode(basic.encode("admin")) is None


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        (None, None),
        (basic.encode("admin:" + CANARY), f"Basic admin:{MASK}"),
        (basic.encode("admin:" + CANARY).replace("Basic", "BASIC"), f"Basic admin:{MASK}"),
        (basic.encode("a:b:c"), f"Basic a:{MASK}"),
        (basic.encode(CANARY), f"Basic {MASK}"),
        (f"Basic {CANARY}!", f"Basic {MASK}"),
        ("Basic gIA6gIA=", f"Basic {MASK}"),
        (f"Bearer {CANARY}", f"Bearer {MASK}"),
        (CANARY, MASK),
        ("", MASK),
    ],
)
def test_credentials_lose_their_secret(field: str | None, shown: str | None) -> None:
    assert basic.masked(field) == shown


@given(field=st.text(max_size=30))
def test_no_field_breaks_it(field: str) -> None:
    shown = basic.masked(f"Basic {field}")
    assert shown is not None
    assert shown.startswith("Basic ")
