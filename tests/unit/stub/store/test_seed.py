"""Seed data: what is read, and that a mistake is told with file and element."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mockserver.errors import UsageError
from mockserver.plugins import DEFAULT, find
from mockserver.plugins.account_records import ACCOUNTS, TOKENS, password_matches, token_key
from mockserver.stub.store import seed as seeding
from mockserver.stub.store.memory import MemoryStore
from mockserver.stub.store.seed import Account, Seed, Token
from mockserver.stub.store.seed_format import format_of
from tests.defaults import SEED_DATA

API = find(DEFAULT)
KEYS, SCHEMA = format_of(API).keys, format_of(API).schema


def load_seed(path: Path) -> Seed:
    return seeding.load_seed(path, API)


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
        ("acounts: []", "acounts", "known are accounts, addressbooks, "),
        ("accounts: {}", "accounts", "must be a list"),
        ("accounts: [1]", r"accounts\[0\]", "must be a mapping"),
        ("accounts: [{}]", r"accounts\[0\]\.username", "is missing"),
        ("accounts: [{username: 5}]", r"accounts\[0\]\.username", "must be text"),
        ("accounts: [{username: 'a:b'}]", r"accounts\[0\]\.username", "colon"),
        ("accounts: [{username: a}, {username: a}]", r"accounts\[1\]\.username", "is a duplicate"),
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
        ("issue: {auth_token: [1]}", r"issue\.auth_token\[0\]", "must be text"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, place: str, remedy: str) -> None:
    with pytest.raises(UsageError, match=rf"seed\.yaml: .*{place}: .*{remedy}"):
        load_seed(_write(tmp_path, text))


#: Names of members that items of all sections have.
_MEMBERS = sorted({name for one in SCHEMA["$defs"].values() for name in one.get("items", {}).get("properties", ())})
COMPANY = """
accounts: [{username: a@x.example}, {username: b@x.example, owns: [x.example, alias.example, relay.example]}]
domains: [{domain: x.example, added_by: b@x.example}]
domain_aliases: [{domain_alias: alias.example, rcpt_domain: x.example}]
relay_domains: [{relay_domain: relay.example, destination_hostname: h.example}]
aliases: [{alias: all@x.example, recipients: [a@x.example, b@x.example, else@where.example, all@x.example]}]
thresholds:
  - {domain: global, scores: {reject: 3, add_header: 2, greylist: 1}}
  - {domain: x.example, scores: {reject: 3, add_header: 2, greylist: 1}}
wlbl: [{domain: global, action: blacklist, sender_ips: [192.0.2.0/24]}, {domain: x.example, action: blacklist}]
calendars: [{owner: a@x.example, friendly_name: c, url: 'https://h.example/c', recipients: [b@x.example]}]
device_passwords: [{username: a@x.example, friendly_name: phone, password: canary-password}]
"""


def test_sections_are_records_under_what_names_them(tmp_path: Path) -> None:
    store = MemoryStore()
    store.open_world("w", load_seed(_write(tmp_path, COMPANY)).fill)
    dump = store.dump("w")
    assert dump["domains"] == {"x.example": {"verified": True, "added_by": "b@x.example"}}
    assert dump["domain_aliases"] == {"alias.example": {"rcpt_domain": "x.example", "verified": True}}
    assert dump["relay_domains"]["relay.example"]["destination_port"] == 25
    assert dump["wlbl"]["global/blacklist"]["sender_ips"] == ["192.0.2.0/24"]
    assert dump["wlbl"]["x.example/blacklist"]["phase"] == "applied"
    assert set(dump["thresholds"]) == {"global", "x.example"}
    assert dump["calendars"]["a@x.example/c"]["recipients"] == ["b@x.example"]
    assert dump["accounts"]["b@x.example"]["owns"] == ["x.example", "alias.example", "relay.example"]
    assert "canary" not in repr(dump)


def test_what_logs_people_in_is_as_behaviours_find_it(tmp_path: Path) -> None:
    text = """
    accounts: [{username: a}]
    twofa: [{username: a, status: enabled, key: Z6MZHESSZK4TOBVASQJKEFHC}]
    device_passwords: [{username: a, friendly_name: z, password: p}, {username: a, friendly_name: b, password: p}]
    webauthn_credentials: [{username: a, friendly_name: z}, {username: a, friendly_name: b, backed_up: 1}]
    webauthn: {relying_party: localhost, users: {a: 7}}
    """
    store = MemoryStore()
    store.open_world("w", load_seed(_write(tmp_path, text)).fill)
    dump = store.dump("w")
    assert dump["twofa"] == {"a": {"status": "enabled", "totp_secret": "Z6MZHESSZK4TOBVASQJKEFHC", "used": []}}
    assert [record["number"] for record in dump["device_passwords"].values()] == [1, 2]
    assert [record["number"] for record in dump["webauthn_credentials"].values()] == [1, 2]
    assert dump["webauthn"] == {"relying_party": {"id": "localhost"}, "users": {"a": 7}}


def test_a_relying_party_may_be_left_out(tmp_path: Path) -> None:
    store = MemoryStore()
    store.open_world("w", load_seed(_write(tmp_path, "webauthn: null")).fill)
    assert "webauthn" not in store.dump("w")


@pytest.mark.parametrize(
    ("section", "place", "remedy"),
    [
        ("accounts: [{username: a, added_by: nobody}]", r"accounts\[0\]\.added_by", '"nobody" is not an account'),
        ("accounts: [{username: a, owns: [y.example]}]", r"accounts\[0\]\.owns", "add it to `domains`"),
        (
            "domain_aliases: [{domain_alias: alias.example, rcpt_domain: relay.example}]",
            "rcpt_domain",
            "not in `domains`",
        ),
        ("aliases: [{alias: y, recipients: [c@x.example]}]", r"aliases\[0\]\.recipients", "not an account or alias"),
        ("sender_addresses: [{sender_address: y, usernames: [all@x.example]}]", "usernames", "is not an account"),
        ("thresholds: [{domain: y, scores: {reject: 1, add_header: 1, greylist: 1}}]", "domain", "neither `global`"),
        ("calendars: [{owner: c, friendly_name: d, url: u}]", r"calendars\[0\]\.owner", '"c" is not an account'),
        (
            "wlbl: [{domain: global, action: blacklist}, {domain: global, action: blacklist}]",
            r"\[1\]\.action",
            "is a duplicate",
        ),
        ("twofa: [{username: a@x.example, status: enabled, key: a-b}]", r"twofa\[0\]\.key", "Base32"),
        ("twofa: [{username: a@x.example, status: enabled, key: ABCDEFGH}]", r"twofa\[0\]\.key", "24, 32 or more"),
        ("issue: {totp_key: [ABCD-EFGH]}", r"issue\.totp_key\[0\]", "24 to 64"),
        ("issue: {webauthn_registration_challenge: ['a=']}", r"challenge\[0\]", "Base64url"),
        ("webauthn_credentials: [{username: a@x.example, friendly_name: k, public_key: +}]", "public_key", "Base64url"),
        (
            "webauthn_credentials: [{username: nobody, friendly_name: k}]",
            r"webauthn_credentials\[0\]",
            "is not an account",
        ),
        ("webauthn: {relying_party: 'https://x.example'}", r"webauthn\.relying_party", "without scheme"),
        ("webauthn: {users: {a@x.example: 0}}", r"webauthn\.users\.a@x\.example", "at least 1"),
        ("webauthn: {origin: x}", r"webauthn\.origin", "known are relying_party, users"),
        ("wlbl: [{domain: global, action: greylist}]", r"wlbl\[0\]\.action", "one of whitelist, blacklist"),
        ("resources: {pets: {}}", "resources", "with a leading slash"),
        ("aliases: [{alias: y, recipients: []}]", "recipients", "at least 1"),
        ("relay_domains: [{relay_domain: y, destination_hostname: h, destination_port: 0}]", "port", "at least 1"),
        ("domains: [{repeat: 3, domain: 'd{n}'}, {domain: d2}]", r"domains\[1\]\.domain", "is a duplicate"),
        ("domains: [{domain: d}, {repeat: 3, domain: '{n}'}]", r"domains\[1\]\.domain", "must be text"),
        ("domains: [{domain: d, repeat: 0}]", r"domains\[0\]\.repeat", "from 1 to 10000"),
        ("domains: [{domain: d, repeat: true}]", r"domains\[0\]\.repeat", "from 1 to 10000"),
        ("overlays: [a]", "overlays", "must be a mapping"),
        ("overlays: {a: [1]}", r"overlays\.a", "must be a mapping"),
        ("overlays: {a b: {}}", "overlays", "1 to 64"),
        ("overlays: {a: {acounts: []}}", r"overlays\.a\.acounts", "known are"),
        ("overlays: {a: {overlays: {}}}", r"overlays\.a\.overlays", "known are"),
        ("overlays: {a: {accounts: [{username: a}, {username: a}]}}", r"overlays\.a\.accounts\[1\]", "is a duplicate"),
        (
            "overlays: {a: {aliases: [{alias: y, recipients: [z], added_by: c}]}}",
            r"overlays\.a\.aliases\[0\]\.added_by",
            '"c" is not an account',
        ),
        ("overlays: {a: {accounts: []}}", r"domains\[0\]\.added_by", '"b@x.example" is not an account'),
    ],
)
def test_a_name_that_leads_nowhere_is_told_with_its_place(
    tmp_path: Path, section: str, place: str, remedy: str
) -> None:
    company = {**yaml.safe_load(COMPANY), **yaml.safe_load(section)}
    with pytest.raises(UsageError, match=rf"seed\.yaml: .*{place}.*: .*{remedy}"):
        load_seed(_write(tmp_path, yaml.safe_dump(company)))


_TEXTS = st.sampled_from(["a", "{n}", "x.example", "global", "a@x.example"])
_NAMES = st.sampled_from([*_MEMBERS, "repeat"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "x"]), _JSON | st.lists(_JSON, max_size=3)) | _JSON)
def test_whatever_stands_there_is_taken_or_told_with_its_file(data: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = _write(Path(folder), json.dumps(data))
        told: str | None = None
        try:
            MemoryStore().open_world("w", load_seed(path).fill)
        except UsageError as error:
            told = str(error)
        assert told is None or told.startswith(f"{path}: ")


def test_an_item_is_repeated_with_its_number(tmp_path: Path) -> None:
    text = """
    accounts: [{repeat: 2, username: 'm{n}', tokens: [{token: 't{n}', valid_to: '{n}'}]}, {username: last}]
    domains: [{repeat: 3, domain: 'd{n}.example', added_by: m1}]
    """
    seed = load_seed(_write(tmp_path, text))
    assert seed.accounts == {
        "m1": Account("m1", tokens=(Token("t1", 0, 1),)),
        "m2": Account("m2", tokens=(Token("t2", 0, 2),)),
        "last": Account("last"),
    }
    assert list(seed.records["domains"]) == ["d1.example", "d2.example", "d3.example"]


def test_an_overlay_stands_in_place_of_the_sections_of_its_name(tmp_path: Path) -> None:
    text = """
    accounts: [{username: a}]
    domains: [{domain: base.example}]
    issue: {auth_token: [base]}
    overlays: {other: {domains: [{domain: other.example}], issue: {code: [other]}}}
    """
    seed = load_seed(_write(tmp_path, text))
    other = seed.overlaid("other")
    assert seed.overlaid(None) is seed
    assert (list(other.accounts), list(other.records["domains"])) == (["a"], ["other.example"])
    assert list(seed.records["domains"]) == ["base.example"]
    with pytest.raises(LookupError, match=r'no overlay "x"; they have other'):
        seed.overlaid("x")
    store = MemoryStore()
    store.open_world("w", other.fill)
    with store.transaction("w") as transaction:
        assert (seed.first_secrets(transaction, "code"), seed.first_secrets(transaction, "auth_token")) == (
            ("other",),
            (),
        )
    store.reset("w", seed.fill)
    with store.transaction("w") as transaction:
        assert (seed.first_secrets(transaction, "code"), seed.first_secrets(transaction, "auth_token")) == (
            (),
            ("base",),
        )


def test_what_is_null_is_as_if_left_out(tmp_path: Path) -> None:
    assert load_seed(_write(tmp_path, "accounts: [{username: a, password: null, scopes: ~}]")).accounts == {
        "a": Account("a")
    }
    assert load_seed(_write(tmp_path, "accounts:\n")).accounts == {}


@pytest.mark.parametrize(
    ("levels", "left"), [(["low", "high"], ["c"]), (["high", "low"], ["b"]), ([], ["a"]), (["none"], ["a"])]
)
def test_nothing_but_one_account_is_left(tmp_path: Path, levels: list[str], left: list[str]) -> None:
    text = """
    accounts: [{username: a}, {username: b, level: high, password: p, owns: [x]}, {username: c, level: low}]
    domains: [{domain: x}]
    issue: {auth_token: [one]}
    overlays: {other: {}}
    """
    empty = load_seed(_write(tmp_path, text)).emptied(levels)
    assert (list(empty.accounts), empty.issue, empty.records, empty.overlays) == (left, {}, {}, {})
    assert all(not account.profile for account in empty.accounts.values())
    assert Seed().emptied(levels) == Seed()


def test_the_sections_of_overlays_are_those_of_the_file() -> None:
    whole = SCHEMA["properties"]
    assert whole["overlays"]["additionalProperties"]["properties"] == {
        name: section for name, section in whole.items() if name != "overlays"
    }
    assert set(KEYS) == {name for name in whole if SCHEMA["$defs"].get(name, {}).get("type") == "array"}
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


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
