"""Accounts: who may make, see and change which; passwords; what ends when an account is disabled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.builtin.mailcheap import passwords

if TYPE_CHECKING:
    from tests.conftest import Answer, Client

ACCOUNTS = "/api/v1/accounts/"
PASSWORD = "A-Password-12"  # of accounts that live as long as a test
#: Made by the C library's crypt(3), with 1000 rounds and with those of a hash that names none.
HASHES_OF_PASSWORD = (
    "{SHA512-CRYPT}$6$rounds=1000$saltsaltsaltsalt$q.suIPJWKuWD/s7Kay8WSPjBDsbRkEi9/JrlRiDRDyktP.6/BcfY6AJG19dHVsAWrO2uoRuvDLPNbuPz93ArM/",
    "{SHA512-CRYPT}$6$Pepper./9$xXVEPYohXdH6Copkx76lVGgQinHtjJnuXLrh.qR64djAHmEr69NtIgBy/dnfcmt51AIH1XE3ZEL.1iwlUaFzP1",
)
COMMON = {"api_access": 1, "enabled": 1, "recovery_email": "recovery@domain.tld", "language": "en"}
QUOTAS = {"quota_aliases": 9, "quota_domainaliases": 8, "quota_domains": 7, "quota_mailboxes": 3}
#: Tokens of the seed data that stand for accounts beside those of the tests' USERS.
OTHER_ADMIN = ("domainadmin@other.example", "long-auth_token-of-other-domainadmin")


def master_admin(username: str = "master", **members: Any) -> dict[str, Any]:
    return {"username": username, "password": PASSWORD, "perm_level": "MasterAdmin", **COMMON, **members}


def domain_admin(username: str = "domains", **members: Any) -> dict[str, Any]:
    shape = {"perm_level": "DomainAdmin", **COMMON, "domains": "cheapmailhosting.com", **QUOTAS}
    return {"username": username, "password": PASSWORD, **shape, "storagequota_total": 1000, **members}


def mail_user(username: str = "new@vonmail.com", **members: Any) -> dict[str, Any]:
    shape = {"perm_level": "MailUser", **COMMON, "storagequota_total": 100}
    return {"username": username, "password": PASSWORD, **shape, **members}


def create(stub: Client, account: dict[str, Any], user: Any = "admin") -> Answer:
    return stub.call("POST", ACCOUNTS, json=account, user=user)


def change(stub: Client, username: str, members: dict[str, Any], user: Any = "admin") -> Answer:
    return stub.call("PATCH", f"{ACCOUNTS}{username}/", json=members, user=user)


def names(stub: Client, query: str = "", user: Any = "admin") -> list[str]:
    answer = stub.call("GET", f"{ACCOUNTS}?{query}", user=user)
    assert answer.status == 200, answer
    return [account["username"] for account in answer.json()["accounts"]]


def shown(stub: Client, username: str) -> dict[str, Any]:
    listed = stub.call("GET", f"{ACCOUNTS}?search={username}").json()["accounts"]
    (account,) = [one for one in listed if one["username"] == username]
    found: dict[str, Any] = account
    return found


def log_in(stub: Client, username: str, password: str = PASSWORD) -> Answer:
    return stub.call("POST", "/api/v1/auth/", user=None, json={"username": username, "password": password})


def token_of(stub: Client, username: str, password: str = PASSWORD) -> tuple[str, str]:
    return username, log_in(stub, username, password).json()["auth"]["auth_token"]


# ---- creating


@pytest.mark.parametrize("account", [master_admin(), domain_admin(), mail_user()], ids=lambda one: one["perm_level"])
def test_a_created_account_is_shown_listed_and_can_log_in(stub: Client, account: dict[str, Any]) -> None:
    answer = create(stub, account)
    told = {name: value for name, value in account.items() if name != "password"}
    assert (answer.status, answer.json()) == (200, told)
    listed = shown(stub, account["username"])
    assert told.items() <= listed.items()
    assert listed["last_login"] == 0
    assert passwords.hash_matches(PASSWORD, listed["password_hash"])
    auth = log_in(stub, account["username"]).json()["auth"]
    assert (auth["username"], auth["perm_level"]) == (account["username"], account["perm_level"])
    assert shown(stub, account["username"])["last_login"] == auth["valid_from"]


@pytest.mark.parametrize("account", [master_admin(), domain_admin(), mail_user()], ids=lambda one: one["perm_level"])
def test_nothing_exists_twice(stub: Client, account: dict[str, Any]) -> None:
    assert create(stub, account).status == 200
    before = shown(stub, account["username"])
    assert create(stub, {**account, "recovery_email": "thief@domain.tld"}).status == 409
    assert shown(stub, account["username"]) == before


def test_a_mailbox_is_in_a_domain_that_is_there(stub: Client) -> None:
    assert create(stub, mail_user("new@nowhere.example")).status == 404
    assert create(stub, domain_admin(domains="cheapmailhosting.com,nowhere.example")).status == 404
    assert names(stub, "search=new@") == []


@pytest.mark.parametrize(
    ("account", "pointer"),
    [
        (mail_user("no-address"), "/username"),
        (mail_user("two@at@vonmail.com"), "/username"),
        (master_admin("a:b"), "/username"),
        (master_admin("a/b"), "/username"),
        (master_admin(".."), "/username"),
        (master_admin(enabled=2), "/enabled"),
        (master_admin(api_access=True), "/api_access"),
        (master_admin(language="english"), "/language"),
        (master_admin(recovery_email="none"), "/recovery_email"),
        (master_admin(perm_level="Root"), "/perm_level"),
        (master_admin(storagequota_total=1), "/storagequota_total"),
        (domain_admin(domains="a.example, b.example"), "/domains"),
        (mail_user(storagequota_total=-1), "/storagequota_total"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_named(stub: Client, account: dict[str, Any], pointer: str) -> None:
    answer = create(stub, account)
    assert answer.status == 422
    # Without a level that there is, nothing else of an account can be judged.
    assert set(answer.pointers) - {""} == {pointer}


@pytest.mark.parametrize("level", ["MasterAdmin", "DomainAdmin", "MailUser"])
def test_each_level_has_its_own_members(stub: Client, level: str) -> None:
    make = {"MasterAdmin": master_admin, "DomainAdmin": domain_admin, "MailUser": mail_user}[level]
    for name in make().keys() - {"perm_level"}:
        answer = create(stub, {key: value for key, value in make().items() if key != name})
        assert (answer.status, answer.pointers) == (422, [f"/{name}"])


def test_whole_numbers_are_shown_as_integers(stub: Client) -> None:
    assert create(stub, mail_user(enabled=1.0, storagequota_total=50.0)).status == 200
    assert b"50.0" not in stub.call("GET", f"{ACCOUNTS}?search=new@").content
    assert change(stub, "new@vonmail.com", {"storagequota_total": 60.0}).content == b'{"storagequota_total":60}'


# ---- passwords


@pytest.mark.parametrize(
    ("password", "rules"),
    [
        ("Elevenchars", ["minLength", "pattern"]),
        ("some-password", ["pattern", "pattern"]),
        ("SOME-PASSWORD-1", ["pattern"]),
        ("some-password-1", ["pattern"]),
        ("Some-Password-X", ["pattern"]),
        ("{SSHA}Some-Password-1", ["pattern"]),
        ("{SHA512-CRYPT}$6$Some-Salt-1$too-short", ["pattern"]),
        ("{SHA512-CRYPT}$5$saltsalt$" + "aA1" * 29, ["pattern", "pattern"]),
        ("Nul-Password-1\0", ["pattern"]),
    ],
)
@pytest.mark.parametrize("way", ["create", "change", "migrate"])
def test_a_password_is_held_to_the_rules(stub: Client, way: str, password: str, rules: list[str]) -> None:
    migration = {"old_password": "x", "new_password": password, "storagequota_total": 1, "username": "new@vonmail.com"}
    migration |= {"recovery_email": "recovery@domain.tld", "language": "en"}
    answer = {
        "create": lambda: create(stub, master_admin(password=password)),
        "change": lambda: change(stub, "t3@vonmail.com", {"password": password}),
        "migrate": lambda: stub.call("POST", "/api/v1/automigration/users/", user=None, json=migration),
    }[way]()
    assert answer.status == 422
    violations = answer.json()["violations"]
    assert [violation["keyword"] for violation in violations] == rules
    assert {violation["pointer"] for violation in violations} == {"/new_password" if way == "migrate" else "/password"}
    assert password.encode() not in answer.content


def test_any_password_that_keeps_the_rules_opens_its_account(local_stub: Client) -> None:
    @given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), min_size=9, max_size=80))
    def opens(text: str) -> None:
        local_stub.control("POST", "/reset")
        password = f"aB1{text}"
        assert create(local_stub, mail_user(password=password)).status == 200
        assert log_in(local_stub, "new@vonmail.com", password).status == 200
        assert log_in(local_stub, "new@vonmail.com", password + "x").status == 401

    opens()


@pytest.mark.parametrize("hashed", HASHES_OF_PASSWORD, ids=["1000 rounds", "5000 rounds"])
def test_a_hashed_password_is_what_its_password_opens(stub: Client, hashed: str) -> None:
    assert create(stub, mail_user(password=hashed)).status == 200
    assert shown(stub, "new@vonmail.com")["password_hash"] == hashed
    assert log_in(stub, "new@vonmail.com", hashed).status == 401
    assert log_in(stub, "new@vonmail.com", "A-Password-13").status == 401
    assert log_in(stub, "new@vonmail.com", PASSWORD + "\0").status == 401
    assert log_in(stub, "new@vonmail.com").status == 200
    # Changed to plain text, the hash is worth nothing.
    assert change(stub, "new@vonmail.com", {"password": "Another-One-1"}).json() == {}
    assert log_in(stub, "new@vonmail.com").status == 401
    assert log_in(stub, "new@vonmail.com", "Another-One-1").status == 200


def test_seeded_accounts_show_the_hash_of_their_password(stub: Client) -> None:
    hashed = shown(stub, "u1@vonmail.com")["password_hash"]
    assert passwords.hash_matches("Mailuser-Sample-u1", hashed)


def test_an_account_without_password_shows_the_hash_of_none(stub: Client) -> None:
    stub.control("POST", "/reset", {"overlay": "migrated_users"})
    hashed = shown(stub, "test@vonmail.com")["password_hash"]
    assert not any(passwords.hash_matches(text, hashed) for text in ("", "None", "null"))
    assert log_in(stub, "test@vonmail.com", "None").status == 401


def test_no_password_stands_in_dumps(stub: Client) -> None:
    hashed = passwords.make_hash("hashed@vonmail.com", "Hidden-Password-2")
    create(stub, mail_user())
    create(stub, mail_user("hashed@vonmail.com", password=hashed))
    change(stub, "new@vonmail.com", {"password": "Hidden-Password-3"})
    listed = [one["password_hash"] for one in stub.call("GET", ACCOUNTS).json()["accounts"]]
    kept = str(stub.control("GET", "/state")) + str(stub.journal())
    for secret in (PASSWORD, "Hidden-Password-3", *listed):
        assert secret not in kept
        assert secret.removeprefix("{SHA512-CRYPT}") not in kept


# ---- who may what


def test_a_domain_admin_creates_mailboxes_of_its_domains_only(stub: Client) -> None:
    assert create(stub, mail_user(), "domain").status == 200
    assert create(stub, mail_user("new@other.example"), "domain").status == 403
    assert create(stub, master_admin("new2@vonmail.com"), "domain").status == 403
    assert create(stub, domain_admin("new3@vonmail.com", domains="vonmail.com"), "domain").status == 403
    assert create(stub, mail_user("new4@vonmail.com"), "mail").status == 403
    assert names(stub, "search=new") == ["new@vonmail.com"]


def test_each_sees_itself_and_what_it_administers(stub: Client) -> None:
    everybody = names(stub)
    assert everybody == sorted(everybody)
    assert {"admin", "masteradmin2", "domainadmin@vonmail.com", "u9@other.example"} <= set(everybody)
    assert names(stub, user="domain") == [name for name in everybody if name.endswith("@vonmail.com")]
    assert names(stub, user=OTHER_ADMIN) == ["domainadmin@other.example", "u9@other.example"]
    assert names(stub, user="mail") == ["u2@vonmail.com"]


def test_a_domain_admin_changes_its_mailboxes_only(stub: Client) -> None:
    members = {"recovery_email": "changed@domain.tld", "storagequota_total": 600}
    assert change(stub, "t3@vonmail.com", members, "domain").json() == members
    assert members.items() <= shown(stub, "t3@vonmail.com").items()
    for username in ("u9@other.example", "domainadmin@other.example", "masteradmin2"):
        assert change(stub, username, {"language": "de"}, "domain").status == 403
        assert shown(stub, username)["language"] == "en"
    create(stub, domain_admin("second@vonmail.com", domains="vonmail.com"))
    assert change(stub, "second@vonmail.com", {"language": "de"}, "domain").status == 403
    assert change(stub, "nobody@vonmail.com", {"language": "de"}, "domain").status == 404
    assert change(stub, "nobody", {"language": "de"}).status == 404


@pytest.mark.parametrize("user", ["admin", "domain", "mail"])
def test_of_its_own_account_each_changes_three_things(stub: Client, user: str) -> None:
    name = {"admin": "admin", "domain": "domainadmin@vonmail.com", "mail": "u2@vonmail.com"}[user]
    members = {"recovery_email": "own@domain.tld", "language": "de"}
    assert change(stub, name, {**members, "password": "Own-Password-12"}, user).json() == members
    assert log_in(stub, name, "Own-Password-12").status == 200
    for beyond in ({"enabled": 0}, {"api_access": 1}, {"storagequota_total": 9}, {"domains": ""}):
        assert change(stub, name, beyond, user).status == 403
    assert stub.call("GET", "/api/v1/auth/", user=user).status == 200


@pytest.mark.parametrize(
    ("username", "members"),
    [
        ("masteradmin2", {"storagequota_total": 5}),
        ("masteradmin2", {"domains": "vonmail.com"}),
        ("t3@vonmail.com", {"quota_domains": 5}),
        ("t3@vonmail.com", {"storagequota_total": 402}),
        ("domainadmin@vonmail.com", {"quota_domains": 0}),
    ],
    ids=str,
)
def test_what_an_account_does_not_have_or_needs_is_a_conflict(
    stub: Client, username: str, members: dict[str, Any]
) -> None:
    before = shown(stub, username)
    assert change(stub, username, {**members, "language": "fr"}).status == 409
    assert shown(stub, username) == before


def test_at_least_one_member_is_changed(stub: Client) -> None:
    assert change(stub, "t3@vonmail.com", {}).status == 422
    assert change(stub, "t3@vonmail.com", {"last_login": 5}).pointers == ["/last_login"]


def test_the_domains_of_a_domain_admin_can_be_changed(stub: Client) -> None:
    assert change(stub, OTHER_ADMIN[0], {"domains": "vonmail.com"}).json() == {"domains": "vonmail.com"}
    assert shown(stub, OTHER_ADMIN[0])["domains"] == "vonmail.com"
    assert "u9@other.example" not in names(stub, user=OTHER_ADMIN)
    assert change(stub, "t3@vonmail.com", {"language": "de"}, OTHER_ADMIN).status == 200
    assert change(stub, OTHER_ADMIN[0], {"domains": "nowhere.example"}).status == 404
    assert change(stub, OTHER_ADMIN[0], {"domains": ""}).json() == {"domains": ""}
    assert names(stub, user=OTHER_ADMIN) == [OTHER_ADMIN[0]]


# ---- disabled


@pytest.mark.parametrize("member", ["enabled", "api_access"])
def test_a_disabled_account_is_out_at_once(stub: Client, member: str) -> None:
    create(stub, mail_user())
    first, second = token_of(stub, "new@vonmail.com"), token_of(stub, "new@vonmail.com")
    assert change(stub, "new@vonmail.com", {member: 0}).json() == {member: 0}
    for token in (first, second):
        assert stub.call("GET", "/api/v1/auth/", user=token).status == 401
    refused = log_in(stub, "new@vonmail.com")
    assert (refused.status, "www-authenticate" in refused.fields) == (401, True)
    assert change(stub, "new@vonmail.com", {member: 1}).status == 200
    assert stub.call("GET", "/api/v1/auth/", user=first).status == 401
    assert stub.call("GET", "/api/v1/auth/", user=token_of(stub, "new@vonmail.com")).status == 200
    # Nobody else lost a token.
    assert stub.call("GET", "/api/v1/auth/", user="mail").status == 200


def test_seeded_tokens_end_too(stub: Client) -> None:
    assert change(stub, "u2@vonmail.com", {"enabled": 0}).status == 200
    assert stub.call("GET", "/api/v1/auth/", user="mail").status == 401


@pytest.mark.parametrize("member", ["enabled", "api_access"])
def test_an_account_may_be_created_disabled(stub: Client, member: str) -> None:
    create(stub, mail_user() | {member: 0})
    assert log_in(stub, "new@vonmail.com").status == 401
    assert names(stub, f"{member}=0") == ["new@vonmail.com"]
    assert "new@vonmail.com" not in names(stub, f"{member}=1")


# ---- quotas


def test_a_domain_admin_creates_no_more_than_its_quota(stub: Client) -> None:
    create(stub, domain_admin(storagequota_total=250))
    user = token_of(stub, "domains")
    for number in range(2):
        assert create(stub, mail_user(f"m{number}@cheapmailhosting.com"), user).status == 200
    assert create(stub, mail_user("m2@cheapmailhosting.com"), user).status == 409  # 50 MB are left
    assert create(stub, mail_user("m2@cheapmailhosting.com", storagequota_total=50), user).status == 200
    assert create(stub, mail_user("m3@cheapmailhosting.com", storagequota_total=0), user).status == 409
    listed = shown(stub, "domains")
    assert (listed["quota_mailboxes_used"], listed["storagequota_used"]) == (3, 250)
    assert (listed["quota_domains_used"], listed["quota_aliases_used"], listed["quota_domainaliases_used"]) == (1, 0, 0)
    assert change(stub, "m0@cheapmailhosting.com", {"storagequota_total": 101}, user).status == 409
    assert change(stub, "m0@cheapmailhosting.com", {"storagequota_total": 90}, user).status == 200
    assert change(stub, "m1@cheapmailhosting.com", {"storagequota_total": 110}, user).status == 200
    # Who set the quotas is not held to them.
    assert create(stub, mail_user("m3@cheapmailhosting.com")).status == 200


def test_a_quota_may_be_what_is_used_and_no_less(stub: Client) -> None:
    create(stub, domain_admin(storagequota_total=250))
    user = token_of(stub, "domains")
    for number in range(2):
        create(stub, mail_user(f"m{number}@cheapmailhosting.com"), user)
    used = {"quota_mailboxes": 2, "quota_domains": 1, "storagequota_total": 200}
    for quota, least in used.items():
        assert change(stub, "domains", {quota: least - 1}).status == 409, quota
        assert change(stub, "domains", {quota: least}).status == 200, quota
    # Now all of it is used up, to the last megabyte and mailbox.
    for storage in (0, 1):
        refused = create(stub, mail_user("m2@cheapmailhosting.com", storagequota_total=storage), user)
        assert refused.status == 409, storage
    assert change(stub, "domains", {"quota_mailboxes": 3}).status == 200
    assert create(stub, mail_user("m2@cheapmailhosting.com", storagequota_total=1), user).status == 409
    assert create(stub, mail_user("m2@cheapmailhosting.com", storagequota_total=0), user).status == 200


# ---- lists


def test_pages_are_parts_of_the_list(stub: Client) -> None:
    for number in range(60):
        assert create(stub, master_admin(f"page{number:02}")).status == 200
    everybody = [f"page{number:02}" for number in range(60)]
    assert names(stub, "search=page") == everybody[:50]
    assert names(stub, "search=PAGE&start=50") == everybody[50:]
    assert names(stub, "search=page&start=7&limit=3") == everybody[7:10]
    assert names(stub, "search=page&start=60") == []
    assert names(stub, "search=page&perm_level=MailUser") == []
    assert names(stub, "perm_level=MasterAdmin&search=e2") == everybody[20:30]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=51", "limit=x", "start=-1", "perm_level=Root", "enabled=2", "api_access=yes", "enabled="],
)
def test_a_wrong_query_is_refused(stub: Client, query: str) -> None:
    answer = stub.call("GET", f"{ACCOUNTS}?{query}")
    assert (answer.status, set(answer.pointers)) == (422, {"/" + query.partition("=")[0]})


# ---- webmail passwords


def test_webmail_passwords_differ_and_are_not_kept(stub: Client) -> None:
    path = "/api/v1/webmail/password"
    made = [stub.call("POST", f"{path}/{number}/", user="mail").json()["webmail_password"] for number in (1, 2, 1)]
    assert made[0] == "3haYnlc59BWWeHChP5HFeeEL1xvPRVEra2FEUTf8tIwOxkPOPL"
    assert len(set(made)) == 3
    assert {len(password) for password in made} == {50}
    kept = str(stub.control("GET", "/state")) + str(stub.journal())
    assert not any(password in kept for password in made)


@pytest.mark.parametrize(("number", "user", "status"), [("3", "mail", 404), ("x", "mail", 404), ("1", "admin", 403)])
def test_there_are_two_webmail_passwords_for_mailboxes(stub: Client, number: str, user: str, status: int) -> None:
    assert stub.call("POST", f"/api/v1/webmail/password/{number}/", user=user).status == status
