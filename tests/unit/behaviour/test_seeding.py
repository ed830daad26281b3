"""Seed data: what is read, and that a mistake is told with file and element."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockserver.behaviour.seeding import Account, Token, load_seed
from mockserver.behaviour.store import MemoryStore
from mockserver.credentials import ACCOUNTS, TOKENS, password_matches, token_key
from mockserver.defaults import SEED_DATA
from mockserver.errors import UsageError


def _write(folder: Path, text: str | bytes) -> Path:
    path = folder / "seed.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_all_that_can_be_said(tmp_path: Path) -> None:
    seed = load_seed(
        _write(
            tmp_path,
            """
            accounts:
              - {username: a, password: p, level: L, tokens: [{token: t, valid_from: 1, valid_to: 2, expires: true}]}
              - {username: b}
            issue: {auth_token: [one, two]}
            """,
        )
    )
    assert seed.accounts == {
        "a": Account("a", "p", "L", (Token("t", 1, 2, expires=True),)),
        "b": Account("b"),
    }
    assert seed.issue == {"auth_token": ("one", "two")}


@pytest.mark.parametrize("text", ["", "{}", "# nothing\n", "accounts: []\n"])
def test_nothing_is_something(tmp_path: Path, text: str) -> None:
    assert load_seed(_write(tmp_path, text)).accounts == {}


def test_the_built_in_seed_data_are_as_documented() -> None:
    seed = load_seed(SEED_DATA)
    levels = {account.username: account.level for account in seed.accounts.values()}
    documented = {"admin": "MasterAdmin", "masteradmin2": "MasterAdmin", "u2@vonmail.com": "MailUser"}
    assert documented.items() <= levels.items()
    assert seed.accounts["admin"].password == "2xtoC5UGjMNieTBpGsAO"
    assert seed.accounts["admin"].tokens == (Token("long-auth_token-here", 1582536536, 1582622936, expires=False),)


def test_no_secret_is_stored_as_it_is() -> None:
    seed = load_seed(SEED_DATA)
    store = MemoryStore()
    store.open_world("w", seed.fill)
    dump = repr(store.dump("w"))
    for account in seed.accounts.values():
        assert account.password is not None
        assert account.password not in dump
        assert not any(token.token in dump for token in account.tokens)
    record = store.reader("w")(ACCOUNTS, "admin")
    assert record is not None
    assert password_matches(record, "admin", "2xtoC5UGjMNieTBpGsAO")
    assert not password_matches(record, "u2@vonmail.com", "2xtoC5UGjMNieTBpGsAO")
    assert store.reader("w")(TOKENS, token_key("long-auth_token-here")) is not None


def test_an_account_without_password_cannot_log_in() -> None:
    assert not password_matches({"password_hash": None}, "a", "")
    assert not password_matches({"password_hash": None}, "a", "None")


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("[1]", "the file", "must be a mapping"),
        ("acounts: []", "acounts", "known are accounts, issue"),
        ("accounts: {}", "accounts", "must be a list"),
        ("accounts: [1]", r"accounts\[0\]", "must be a mapping"),
        ("accounts: [{}]", r"accounts\[0\]\.username", "is missing"),
        ("accounts: [{username: 5}]", r"accounts\[0\]\.username", "must be text"),
        ("accounts: [{username: 'a:b'}]", r"accounts\[0\]\.username", "colon"),
        ("accounts: [{username: a}, {username: a}]", r"accounts\[1\]\.username", "twice"),
        ("accounts: [{username: a, pasword: x}]", r"accounts\[0\]\.pasword", "known are"),
        ("accounts: [{username: a, password: 123}]", r"accounts\[0\]\.password", "quotes"),
        ("accounts: [{username: a, level: [x]}]", r"accounts\[0\]\.level", "must be text"),
        ("accounts: [{username: a, tokens: x}]", r"accounts\[0\]\.tokens", "must be a list"),
        ("accounts: [{username: a, tokens: [{}]}]", r"accounts\[0\]\.tokens\[0\]\.token", "is missing"),
        ("accounts: [{username: a, tokens: [{token: 5}]}]", r"accounts\[0\]\.tokens\[0\]\.token", "must be text"),
        ("accounts: [{username: a, tokens: [{token: t, expires: 1}]}]", r"tokens\[0\]\.expires", "true or false"),
        ("accounts: [{username: a, tokens: [{token: t, valid_to: x}]}]", r"tokens\[0\]\.valid_to", "whole number"),
        (
            "accounts: [{username: a, tokens: [{token: t, valid_from: true}]}]",
            r"tokens\[0\]\.valid_from",
            "whole number",
        ),
        ("issue: []", "issue", "must be a mapping"),
        ("issue: {auth_token: x}", r"issue\.auth_token", "must be a list"),
        ("issue: {auth_token: [1]}", r"issue\.auth_token", "must be text"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, place: str, remedy: str) -> None:
    with pytest.raises(UsageError, match=rf"seed\.yaml: .*{place}: .*{remedy}"):
        load_seed(_write(tmp_path, text))


@pytest.mark.parametrize("text", ["accounts: [", "a: 1\na: 2\n", "a: \0", "[" * 50_000, b"\xff"])
def test_what_is_no_yaml_is_told_with_the_file(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "seed.yaml"))):
        load_seed(_write(tmp_path, text))


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load_seed(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        load_seed(tmp_path)


def test_a_secret_in_the_seed_data_is_not_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_seed(_write(tmp_path, "accounts: [{username: a, password: [canary-secret]}]"))
    assert "canary" not in str(caught.value)
