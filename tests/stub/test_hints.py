"""Hints where people stumble: a path that nearly matches, a forgotten base path, the preferences of Prism 3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client, Log


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/api/v1/accounts", "/api/v1/accounts/"),
        ("/accounts/", "/api/v1/accounts/"),
        ("/api/v1/acounts/", "/api/v1/accounts/"),
        ("/api/v2/domains/", "/api/v1/domains/"),
        ("/__mock__/jurnal", "/__mock__/journal"),
    ],
)
def test_an_unknown_path_that_is_near_to_one_of_the_contract(stub: Client, path: str, meant: str) -> None:
    answer = stub.call("GET", path)
    assert answer.status == 404
    assert answer.json()["detail"].endswith(f"; did you mean {meant}?")


def test_the_root_says_where_the_contract_is_described(stub: Client) -> None:
    detail = stub.call("GET", "/").json()["detail"]
    assert detail.endswith("; its paths are described at /__mock__/docs")
    assert stub.call("GET", "/__mock__/docs", user=None).status == 200


def test_a_path_that_is_near_to_none_gets_no_suggestion(stub: Client) -> None:
    assert stub.call("GET", "/favicon.ico").json()["detail"].endswith("has GET /favicon.ico")


@pytest.mark.parametrize(
    ("query", "field"),
    [("__code=404", "code=404"), ("a=b&__example=second", "example=second"), ("__dynamic=true", "dynamic=true")],
)
def test_a_preference_in_the_query_is_told_in_log_and_journal(
    write_contract: Callable[..., Path], make_stub: Callable[..., Client], log: Log, query: str, field: str
) -> None:
    contract = write_contract({"/a": {"get": {"responses": {"200": {"description": "d"}}}}})
    client = make_stub(contract, log=log)
    assert client.call("GET", f"/a?{query}").status == 200
    hint = f"in the query does nothing here, send the field `Prefer: {field}`"
    assert hint in client.journal()[-1]["why"]
    assert hint in log.wait_for(hint)


@pytest.mark.parametrize("query", ["code=404", "x__code=404", "__code=4 04", "__codes=1"])
def test_another_query_is_nothing_to_say_about(
    write_contract: Callable[..., Path], make_stub: Callable[..., Client], query: str
) -> None:
    contract: Any = write_contract({"/a": {"get": {"responses": {"200": {"description": "d"}}}}})
    client = make_stub(contract)
    client.call("GET", "/a?" + query.replace(" ", "%20"))
    assert "Prefer" not in client.journal()[-1]["why"]
