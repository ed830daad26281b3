"""Which path a client meant whose path the contract does not have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.stub.control.nearest_path import nearest_path

TEMPLATES = ("/api/v1/accounts/", "/api/v1/accounts/{name}/", "/api/v1/settings/relay", "/pets/{id}/toys/{toy}", "/")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/api/v1/accounts", "/api/v1/accounts/"),
        ("/api/v1/settings/relay/", "/api/v1/settings/relay"),
        ("/api/v1/accounts/bob", "/api/v1/accounts/bob/"),
        ("/accounts/", "/api/v1/accounts/"),
        ("/accounts", "/api/v1/accounts/"),
        ("/accounts/bob/", "/api/v1/accounts/bob/"),
        ("/v2/pets/7/toys/9", "/pets/7/toys/9"),
        ("/api/v1/acounts/", "/api/v1/accounts/"),
        ("/api/v2/accounts/", "/api/v1/accounts/"),
        ("/API/v1/accounts/", "/api/v1/accounts/"),
        ("//api/v1/accounts/", "/api/v1/accounts/"),
        ("/pets/7/toy/9", "/pets/7/toys/9"),
        ("/api/v1/accounts/", None),
        ("/", None),
        ("/docs", None),
        ("/something/else", None),
        ("/api/v1/accounts/" + "x" * 400, None),
    ],
)
def test_what_is_meant(path: str, meant: str | None) -> None:
    assert nearest_path(path, TEMPLATES) == meant


@given(
    st.text(st.sampled_from("/aApi1v{}%é\udc80"), max_size=30), st.lists(st.text(st.sampled_from("/ab{}"), max_size=9))
)
def test_any_path_has_an_answer(path: str, templates: list[str]) -> None:
    found = nearest_path(path, templates)
    assert found is None or (found != path and found.startswith("/"))
