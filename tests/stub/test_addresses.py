"""Aliases are listed, cut and searched; sender addresses get other users; both only of the caller's own domains."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.conftest import Client

ALIASES = "/api/v1/aliases/"
SENDERS = "/api/v1/sender_addresses/"
OTHER = ("domainadmin@other.example", "long-auth_token-of-other-domainadmin")
INFO = {"alias": "info@vonmail.com", "recipients": "u1@vonmail.com"}
SALES = {"alias": "sales@vonmail.com", "recipients": "u1@vonmail.com,u2@vonmail.com"}
THEIRS = {"alias": "info@other.example", "recipients": "u9@other.example"}
ALL = [THEIRS, INFO, SALES]


def aliases(client: Client, user: Any = "admin", **query: Any) -> list[Any]:
    answer = client.call("GET", f"{ALIASES}?{urlencode(query)}", user=user)
    assert answer.status == 200, answer
    shown: list[Any] = answer.json()["aliases"]
    return shown


def test_aliases_by_address_and_domain(stub: Client) -> None:
    assert aliases(stub) == ALL
    assert aliases(stub, "domain") == [INFO, SALES]
    assert aliases(stub, OTHER) == [THEIRS]
    assert stub.call("GET", ALIASES, user="mail").status == 403


@given(
    limit=st.none() | st.integers(1, 50),
    start=st.none() | st.integers(0, 4),
    search=st.none() | st.sampled_from(["", "info", "INFO@", "u2@von", "other", "@", ",", "nobody", "%", ".*"]),
    user=st.sampled_from(["admin", "domain"]),
)
def test_a_page_is_the_whole_searched_and_cut(local_stub: Client, user: str, **query: Any) -> None:
    term = (query["search"] or "").lower()
    whole = [one for one in (ALL if user == "admin" else ALL[1:]) if term in one["alias"] or term in one["recipients"]]
    start = query["start"] or 0
    expected = whole[start : start + (query["limit"] or 50)]
    assert aliases(local_stub, user, **{k: v for k, v in query.items() if v is not None}) == expected


def test_no_answer_has_more_than_fifty(make_stub: Callable[..., Client], tmp_path: Any) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(
        "accounts:\n  - {username: boss, level: MasterAdmin, tokens: [{token: t0, expires: false}]}\n"
        "domains: [{domain: a.example}]\n"
        "aliases:\n  - {repeat: 120, alias: 'x{n}@a.example', recipients: [someone@elsewhere.example]}\n",
        encoding="utf-8",
    )
    client = make_stub(seed_data=path)
    user = ("boss", "t0")
    pages = [aliases(client, user, start=start) for start in (0, 50, 100, 150)]
    assert [len(page) for page in pages] == [50, 50, 20, 0]
    assert len({one["alias"] for page in pages for one in page}) == 120


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=51", "limit=-1", "limit=x", "limit=", "start=-1", "start=1.5", f"search={'x' * 321}"]
)
def test_a_senseless_page_is_422(stub: Client, query: str) -> None:
    answer = stub.call("GET", f"{ALIASES}?{query}")
    assert answer.status == 422
    assert answer.pointers == [f"/{query.partition('=')[0]}"]


def put(client: Client, address: str, usernames: str, user: Any = "admin") -> Any:
    return client.call("PUT", SENDERS, json={"sender_address": address, "usernames": usernames}, user=user)


@pytest.mark.parametrize(
    ("usernames", "shown"),
    [
        ("u1@vonmail.com", None),
        ("u2@vonmail.com,u1@vonmail.com", None),
        (" u1@vonmail.com , ab@vonmail.com", "u1@vonmail.com,ab@vonmail.com"),
        ("u1@vonmail.com,u1@VonMail.com", "u1@vonmail.com"),
    ],
)
@pytest.mark.parametrize("user", ["admin", "domain"])
def test_a_sender_address_gets_other_users(stub: Client, user: str, usernames: str, shown: str | None) -> None:
    answer = put(stub, "sa1@VONMAIL.com", usernames, user)
    assert answer.status == 200
    assert answer.json() == {"sender_address": "sa1@vonmail.com", "usernames": shown or usernames}


@pytest.mark.parametrize(
    ("address", "usernames", "user", "status", "named"),
    [
        ("absent@vonmail.com", "u1@vonmail.com", "admin", 404, "absent@vonmail.com"),
        ("absent@vonmail.com", "u1@vonmail.com", "domain", 404, "absent@vonmail.com"),
        ("u1@vonmail.com", "u1@vonmail.com", "admin", 404, "u1@vonmail.com"),
        ("sa1@other.example", "u1@vonmail.com", "domain", 403, "sa1@other.example"),
        ("absent@other.example", "u1@vonmail.com", "domain", 403, "absent@other.example"),
        ("sa1@vonmail.com", "u1@vonmail.com", "mail", 403, ""),
        ("sa1@vonmail.com", "u1@vonmail.com,absent@vonmail.com", "admin", 404, "absent@vonmail.com"),
        ("sa1@vonmail.com", "admin", "admin", 404, "admin"),
        ("sa1@vonmail.com", "domainadmin@vonmail.com", "domain", 404, "domainadmin@vonmail.com"),
        ("sa1@vonmail.com", "u1@vonmail.com, ", "admin", 404, '""'),
        ("sa1@vonmail.com", "u9@other.example", "domain", 404, "u9@other.example"),
        ("sa1@vonmail.com", "u1@vonmail.com,", "admin", 422, ""),
        ("sa1@vonmail.com", "", "admin", 422, ""),
        ("no address", "u1@vonmail.com", "admin", 422, ""),
    ],
)
def test_what_a_sender_address_cannot_get(
    stub: Client, address: str, usernames: str, user: str, status: int, named: str
) -> None:
    answer = put(stub, address, usernames, user)
    assert answer.status == status
    assert named in answer.json()["detail"]


def test_only_the_state_shows_who_may_send(stub: Client) -> None:
    before = stub.control("GET", "/state")["records"]["sender_addresses"]
    put(stub, "sa1@vonmail.com", "absent@vonmail.com")
    put(stub, "sa1@vonmail.com", "u9@other.example", "domain")
    assert stub.control("GET", "/state")["records"]["sender_addresses"] == before
    put(stub, "sa1@vonmail.com", "u1@vonmail.com,ab@vonmail.com")
    after = stub.control("GET", "/state")["records"]["sender_addresses"]
    changed = {**before["sa1@vonmail.com"], "usernames": ["u1@vonmail.com", "ab@vonmail.com"]}
    assert after == {**before, "sa1@vonmail.com": changed}


def test_a_master_admin_lets_users_of_any_domain_send(stub: Client) -> None:
    assert put(stub, "sa1@vonmail.com", "u9@other.example").status == 200
