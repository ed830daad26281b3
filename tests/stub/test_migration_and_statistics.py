"""Migrated users, counts and quotas: all of it fits the accounts that are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stub.test_accounts import domain_admin, mail_user, token_of

if TYPE_CHECKING:
    from tests.conftest import Answer, Client

MIGRATIONS = "/api/v1/automigration/users/"
OTHER_ADMIN = ("domainadmin@other.example", "long-auth_token-of-other-domainadmin")


def migrate(stub: Client, username: str = "test@vonmail.com") -> Answer:
    content = {
        "username": username,
        "old_password": "NCg55iljdQe6qR6a8bIh",
        "new_password": "njtbElGtDAgWCicUuo8F",
        "recovery_email": "recovery@domain.tld",
        "language": "en",
        "storagequota_total": 100,
    }
    return stub.call("POST", MIGRATIONS, user=None, json=content)


def migrations(stub: Client, user: Any = "admin") -> list[dict[str, Any]]:
    answer = stub.call("GET", MIGRATIONS, user=user)
    assert answer.status == 200
    found: list[dict[str, Any]] = answer.json()["automigration_users"]
    return found


def counts(stub: Client) -> dict[str, Any]:
    found: dict[str, Any] = stub.call("GET", "/api/v1/stats/mail/").json()
    return found


def usage(stub: Client, query: str = "", user: Any = "admin") -> list[dict[str, Any]]:
    answer = stub.call("GET", f"/api/v1/stats/quota/?{query}", user=user)
    assert answer.status == 200
    found: list[dict[str, Any]] = answer.json()
    return found


def test_a_migration_takes_its_time_on_the_worlds_clock(make_stub: Callable[..., Client]) -> None:
    stub = make_stub(transition_seconds=60).in_new_world()
    stub.set_clock(now=1_600_000_000)
    assert (migrate(stub).status, migrate(stub).status) == (200, 409)
    (running,) = migrations(stub, "domain")
    assert (running["username"], running["status"]) == ("test@vonmail.com", "migrating")
    # The account is there at once.
    assert token_of(stub, "test@vonmail.com", "njtbElGtDAgWCicUuo8F")
    stub.set_clock(advance_seconds=60)
    (done,) = migrations(stub, "domain")
    assert (done["status"], done["message"]) == ("migrated", "success with no errors")
    assert done["expire_time"] == running["expire_time"] > 1_600_000_000


def test_migrated_users_are_their_domains_administrators_business(stub: Client) -> None:
    assert migrate(stub, "test@nowhere.example").status == 404
    migrate(stub, "test@other.example")
    migrate(stub)
    assert [one["username"] for one in migrations(stub)] == [
        "test@other.example",
        "test@vonmail.com",
        "u9@other.example",
    ]
    assert [one["username"] for one in migrations(stub, "domain")] == ["test@vonmail.com"]
    assert [one["username"] for one in migrations(stub, OTHER_ADMIN)] == ["test@other.example", "u9@other.example"]
    assert stub.call("GET", MIGRATIONS, user="mail").status == 403


def test_no_mailbox_is_taken_over(stub: Client) -> None:
    assert migrate(stub, "u1@vonmail.com").status == 409
    assert token_of(stub, "u1@vonmail.com", "Mailuser-Sample-u1")


def test_counts_follow_what_is_made(stub: Client) -> None:
    before = counts(stub)
    stub.call("POST", "/api/v1/accounts/", json=mail_user())
    stub.call("POST", "/api/v1/accounts/", json=mail_user("more@vonmail.com"), user="domain")
    stub.call("POST", "/api/v1/accounts/", json=domain_admin())
    after = counts(stub)
    # Each mailbox comes with an address book and a calendar.
    per_mailbox = ("mailboxes", "addressbooks", "calendars")
    assert {name: after[name] for name in per_mailbox} == {name: before[name] + 2 for name in per_mailbox}

    def added(found: dict[str, Any]) -> dict[str, int]:
        return {name: count for item in found["domainadmin_usage"] for name, count in item.items()}

    assert added(after) == {
        **added(before),
        "domainadmin@vonmail.com": added(before)["domainadmin@vonmail.com"] + 1,
        "domains": 0,
    }
    assert list(added(after).values()) == sorted(added(after).values(), reverse=True)
    others = before.keys() - {*per_mailbox, "domainadmin_usage"}
    assert {name: after[name] for name in others} == {name: before[name] for name in others}


def test_usage_is_sorted_rounded_down_and_whole(local_stub: Client) -> None:
    quotas = st.lists(st.integers(0, 1000), max_size=6)

    @settings(max_examples=40)
    @given(quotas)
    def fits(totals: list[int]) -> None:
        local_stub.control("POST", "/reset")
        for number, total in enumerate(totals):
            account = mail_user(f"m{number}@cheapmailhosting.com", storagequota_total=total)
            assert local_stub.call("POST", "/api/v1/accounts/", json=account).status == 200
        change = {"domains": "vonmail.com,cheapmailhosting.com"}
        local_stub.call("PATCH", "/api/v1/accounts/domainadmin@vonmail.com/", json=change)
        found = usage(local_stub)
        percents = [one["use_percent"] for one in found]
        assert percents == sorted(percents, reverse=True)
        for one in found:
            total, used = one["storagequota_total"], one["storagequota_used"]
            percent = one["use_percent"]
            assert percent * total <= 100 * used < (percent + 1) * total or total == percent == 0
        told = {one["username"]: one for one in found}
        shared = [one["storagequota_total"] for name, one in told.items() if name[0] != "d" and "other" not in name]
        assert told["domainadmin@vonmail.com"]["storagequota_used"] == sum(shared)
        assert len(shared) == 6 + len(totals)
        assert usage(local_stub, "limit=2&start=1") == found[1:3]

    fits()


def test_usage_is_told_to_administrators_of_what_they_administer(stub: Client) -> None:
    everybody = {one["username"] for one in usage(stub)}
    assert {"domainadmin@vonmail.com", "t3@vonmail.com", "u9@other.example"} <= everybody
    assert not everybody & {"admin", "masteradmin2"}
    assert {one["username"] for one in usage(stub, user=OTHER_ADMIN)} == {"u9@other.example"}
    assert {one["username"] for one in usage(stub, "perm_level=DomainAdmin")} == {
        name for name in everybody if name.startswith("domain")
    }
    for path, user in (
        ("quota/?perm_level=DomainAdmin", "domain"),
        ("quota/", "mail"),
        ("mail/", "domain"),
    ):
        assert stub.call("GET", f"/api/v1/stats/{path}", user=user).status == 403
    assert stub.call("GET", "/api/v1/stats/quota/?perm_level=MasterAdmin").status == 422


def test_a_domain_admin_uses_what_it_gave_away(stub: Client) -> None:
    def used() -> int:
        (one,) = usage(stub, "search=domainadmin@vonmail.com")
        return int(one["storagequota_used"])

    before = used()
    stub.call("POST", "/api/v1/accounts/", json=mail_user(storagequota_total=300))
    assert used() == before + 300
