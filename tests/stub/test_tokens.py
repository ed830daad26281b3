"""Logging in, telling about a token, revoking it, and when a token is worth nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mockserver import sources
from mockserver.plugins import MAX_TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Client

AUTH = "/api/v1/auth/"
MAILER = "/api/v1/settings/system_mailer/"
LOGIN = {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"}
START = 1582536047
PASSWORDS = {
    "domainadmin@vonmail.com": ("domainadmin-sample-password", "DomainAdmin"),
    "u2@vonmail.com": ("mailuser-sample-password", "MailUser"),
}


def _log_in(client: Client, **changed: Any) -> dict[str, Any]:
    answer = client.call("POST", AUTH, user=None, json={**LOGIN, **changed})
    assert answer.status == 200, answer
    auth: dict[str, Any] = answer.json()["auth"]
    return auth


def test_an_issued_token_works_at_once(stub: Client) -> None:
    auth = _log_in(stub)
    user = ("admin", auth["auth_token"])
    assert stub.call("GET", MAILER, user=user).status == 204
    described = stub.call("GET", AUTH, user=user).json()["auth"]
    assert described["valid_from"] == auth["valid_from"]
    assert described["valid_to"] == auth["valid_to"] == auth["valid_from"] + 86_400


@pytest.mark.parametrize("username", PASSWORDS)
def test_every_seeded_account_can_log_in(stub: Client, username: str) -> None:
    password, level = PASSWORDS[username]
    auth = _log_in(stub, username=username, password=password)
    assert (auth["username"], auth["perm_level"]) == (username, level)
    assert stub.call("GET", AUTH, user=(username, auth["auth_token"])).json()["auth"]["perm_level"] == level


@pytest.mark.parametrize(
    "changed",
    [
        {"password": "wrong"},
        {"password": "2xtoC5UGjMNieTBpGsAO "},
        {"password": "long-auth_token-here"},
        {"username": "nobody"},
        {"username": "Admin"},
        {"username": "admin\0"},
        {"username": "u2@vonmail.com"},
    ],
)
def test_a_wrong_login_is_401_with_a_challenge(stub: Client, changed: dict[str, str]) -> None:
    answer = stub.call("POST", AUTH, user=None, json={**LOGIN, **changed})
    assert answer.status == 401
    assert answer.fields["www-authenticate"].lower().startswith("basic realm=")
    assert LOGIN["password"].encode() not in answer.content


def test_wrong_name_and_wrong_password_cannot_be_told_apart(stub: Client) -> None:
    name = stub.call("POST", AUTH, user=None, json={**LOGIN, "username": "nobody"})
    password = stub.call("POST", AUTH, user=None, json={**LOGIN, "password": "nothing"})
    assert name.content == password.content


def test_a_token_expires_at_the_second_it_says(stub: Client) -> None:
    stub.set_clock(now=START)
    auth = _log_in(stub)
    user = ("admin", auth["auth_token"])
    stub.set_clock(now=auth["valid_to"] - 1)
    assert stub.call("GET", AUTH, user=user).status == 200
    stub.set_clock(advance_seconds=0.999)
    assert stub.call("GET", AUTH, user=user).status == 200
    stub.set_clock(now=auth["valid_to"])
    answer = stub.call("GET", AUTH, user=user)
    assert answer.status == 401
    assert "www-authenticate" in answer.fields


def test_a_token_is_not_valid_before_it_was_issued(stub: Client) -> None:
    stub.set_clock(now=START)
    token = _log_in(stub)["auth_token"]
    stub.set_clock(now=START - 1)
    assert stub.call("GET", AUTH, user=("admin", token)).status == 401


def test_seeded_tokens_never_expire(stub: Client) -> None:
    for now in (0, 1582622936, 4_000_000_000, sources.LATEST):
        stub.set_clock(now=now)
        assert stub.call("GET", MAILER).status == 204
        assert stub.call("GET", AUTH, user="mail").json()["auth"]["valid_to"] == 1582622936


def test_a_revoked_token_is_worth_nothing_and_the_others_go_on(stub: Client) -> None:
    first, second = _log_in(stub)["auth_token"], _log_in(stub)["auth_token"]
    assert stub.call("DELETE", AUTH, user=("admin", first)).status == 200
    for method in ("GET", "DELETE"):
        assert stub.call(method, AUTH, user=("admin", first)).status == 401
    assert stub.call("GET", MAILER, user=("admin", first)).status == 401
    assert stub.call("GET", AUTH, user=("admin", second)).status == 200
    assert stub.call("GET", AUTH).status == 200


def test_the_seeded_token_can_be_revoked_and_a_login_still_works(stub: Client) -> None:
    assert stub.call("DELETE", AUTH).status == 200
    assert stub.call("GET", AUTH).status == 401
    assert stub.call("GET", AUTH, user=("admin", _log_in(stub)["auth_token"])).status == 200


def test_tokens_belong_to_their_user(stub: Client) -> None:
    assert stub.call("GET", AUTH, user=("domainadmin@vonmail.com", "long-auth_token-here")).status == 401
    assert stub.call("GET", AUTH, user=("admin", "long-auth_token-of-mailuser")).status == 401


def test_a_password_is_no_token(stub: Client) -> None:
    assert stub.call("GET", AUTH, user=("admin", LOGIN["password"])).status == 401


def test_the_login_takes_no_notice_of_credentials(stub: Client) -> None:
    for user in (None, "mail", ("admin", "nonsense")):
        assert stub.call("POST", AUTH, user=user, json=LOGIN).status == 200


def test_a_login_loop_cannot_fill_the_memory(local_stub: Client) -> None:
    seeded = len(local_stub.control("GET", "/state")["tokens"])
    tokens = [_log_in(local_stub)["auth_token"] for _ in range(MAX_TOKENS + 5)]
    assert len(set(tokens)) == len(tokens)
    state = local_stub.control("GET", "/state")
    assert state["accounts"]["admin"]["tokens"] == MAX_TOKENS + 1
    assert len(state["tokens"]) == MAX_TOKENS + seeded
    assert local_stub.call("GET", AUTH).status == 200
    assert local_stub.call("GET", AUTH, user=("admin", tokens[-1])).status == 200
    assert local_stub.call("GET", AUTH, user=("admin", tokens[0])).status == 401


def test_logins_survive_a_restart(make_stub: Callable[..., Client], tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path / 'state.db'}"
    token = _log_in(make_stub(state=state))["auth_token"]
    assert make_stub(state=state).call("GET", AUTH, user=("admin", token)).status == 200


def test_without_auth_everybody_is_the_mightiest(make_stub: Callable[..., Client]) -> None:
    client = make_stub(no_auth=True, clock=START)
    assert client.call("GET", MAILER, user=None).status == 204
    assert client.call("GET", AUTH, user=None).json()["auth"]["username"] == "admin"
    assert client.call("DELETE", AUTH, user=None).json()["auth"]["status"] == "revoked"
    assert client.call("GET", AUTH, user=None).status == 200


def test_a_token_that_several_accounts_have_is_each_ones_own(stub: Client) -> None:
    """The documentation shows `long-auth_token-here` for every account; HTTP Basic tells whose is meant."""
    token = "long-auth_token-here"
    for username, level in (("admin", "MasterAdmin"), ("u2@vonmail.com", "MailUser"), ("ab@vonmail.com", "MailUser")):
        described = stub.call("GET", AUTH, user=(username, token)).json()["auth"]
        assert (described["username"], described["perm_level"]) == (username, level)
    assert stub.call("DELETE", AUTH, user=("u2@vonmail.com", token)).status == 200
    assert stub.call("GET", AUTH, user=("u2@vonmail.com", token)).status == 401
    assert stub.call("GET", AUTH, user=("u2@vonmail.com", "long-auth_token-of-mailuser")).status == 200
    assert stub.call("GET", AUTH, user=("admin", token)).status == 200
