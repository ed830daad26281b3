"""Domains, domain aliases and relay domains: added, pending, verified or expired, listed, deleted; and by whom."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.errors import UsageError

if TYPE_CHECKING:
    from tests.conftest import Answer, Client

DOMAINS = "/api/v1/domains/"
ALIASES = "/api/v1/domainaliases/"
RELAYS = "/api/v1/relaydomains/"
VERIFY = "/__mock__/mailcheap/domains/verify"
#: Paths, and what lists call the verified ones, by the member that names a thing.
PATHS = {"domain": DOMAINS, "domain_alias": ALIASES, "relay_domain": RELAYS}
LISTS = {"domain": "domains", "domain_alias": "domain_aliases", "relay_domain": "relay_domains"}
KINDS = list(PATHS)
WEEK = 7 * 86_400
OTHER = ("domainadmin@other.example", "long-auth_token-of-other-domainadmin")
CODE = re.compile(r"nms-domain-verification=[0-9]{12}")
#: What the seed company has, by kind and owner.
SEEDED: dict[str, dict[str, str | None]] = {
    "domain": {"vonmail.com": "domain", "cheapmailhosting.com": None, "other.example": "other"},
    "domain_alias": {"vonmail.example": "domain", "alias.other.example": "other"},
    "relay_domain": {"branch.vonmail.com": "domain", "branch.other.example": "other"},
}


def content(kind: str, name: str, rcpt_domain: str = "vonmail.com") -> dict[str, Any]:
    others: dict[str, dict[str, Any]] = {
        "domain": {},
        "domain_alias": {"rcpt_domain": rcpt_domain},
        "relay_domain": {"destination_hostname": "mail3.mymailcheap.com", "destination_port": 25},
    }
    return {kind: name, **others[kind]}


def add(client: Client, kind: str, name: str, user: Any = "admin", **others: str) -> Answer:
    return client.call("POST", PATHS[kind], json=content(kind, name, **others), user=user)


def verify(client: Client, name: Any) -> Answer:
    return client.call("POST", VERIFY, json={"domain": name}, user=None)


def delete(client: Client, name: str, user: Any = "admin") -> Answer:
    return client.call("DELETE", RELAYS, json={"relay_domain": name}, user=user)


def listed(client: Client, kind: str, user: Any = "admin") -> tuple[list[Any], list[Any]]:
    """Return the names that a list shows as verified, and as pending."""
    answer = client.call("GET", PATHS[kind], user=user)
    assert answer.status == 200, answer
    shown = answer.json()
    assert list(shown) == [LISTS[kind], f"{LISTS[kind]}_pending_verification"]
    verified, pending = shown.values()
    return [item if kind == "domain" else item[kind] for item in verified], [item[kind] for item in pending]


@pytest.mark.parametrize("kind", KINDS)
def test_pending_until_verified(stub: Client, kind: str) -> None:
    stub.set_clock(now=1_600_000_000)
    before, _ = listed(stub, kind)
    answer = add(stub, kind, "new.vonmail.com")
    assert answer.status == 200
    added = answer.json()
    assert CODE.fullmatch(added["verification_code"])
    entry = {
        **content(kind, "new.vonmail.com"),
        "expire_time": 1_600_000_000 + WEEK,
        "verification_code": added["verification_code"],
    }
    assert added == {**entry, "status": "pending_verification", "verification_type": "DNS TXT"}
    assert stub.call("GET", PATHS[kind]).json()[f"{LISTS[kind]}_pending_verification"] == [entry]
    assert verify(stub, "new.vonmail.com").json() == {"domain": "new.vonmail.com", "kind": kind, "status": "verified"}
    assert listed(stub, kind) == (sorted([*before, "new.vonmail.com"]), [])
    whole = stub.call("GET", PATHS[kind]).json()[LISTS[kind]]
    assert ("new.vonmail.com" if kind == "domain" else content(kind, "new.vonmail.com")) in whole


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_verified_in_time_is_gone_and_can_be_added_again(stub: Client, kind: str) -> None:
    stub.set_clock(now=1_600_000_000)
    first = add(stub, kind, "new.vonmail.com").json()
    stub.set_clock(now=first["expire_time"], advance_seconds=0)
    assert listed(stub, kind)[1] == []
    assert verify(stub, "new.vonmail.com").status == 404
    second = add(stub, kind, "new.vonmail.com")
    assert second.status == 200
    assert second.json()["expire_time"] == first["expire_time"] + WEEK
    assert second.json()["verification_code"] != first["verification_code"]
    stub.set_clock(now=second.json()["expire_time"] - 1)
    assert verify(stub, "new.vonmail.com").status == 200
    stub.set_clock(advance_seconds=10 * WEEK)
    assert "new.vonmail.com" in listed(stub, kind)[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
@pytest.mark.parametrize("is_verified", [False, True])
def test_a_name_is_one_thing_only(local_stub: Client, kind: str, other: str, *, is_verified: bool) -> None:
    add(local_stub, kind, "New.vonmail.com")
    if is_verified:
        verify(local_stub, "new.vonmail.com")
    before = listed(local_stub, other)
    refused = add(local_stub, other, "NEW.vonmail.com")
    assert refused.status == 409
    assert refused.fields["content-type"] == "application/problem+json"
    assert f"a {kind.replace('_', ' ')} already" in refused.json()["detail"]
    assert listed(local_stub, other) == before


def test_an_alias_stands_for_a_verified_domain_that_is_the_callers(stub: Client) -> None:
    add(stub, "domain", "new.vonmail.com")
    assert add(stub, "domain_alias", "a.vonmail.com", rcpt_domain="absent.example").status == 404
    assert add(stub, "domain_alias", "a.vonmail.com", rcpt_domain="new.vonmail.com").status == 409
    assert add(stub, "domain_alias", "a.vonmail.com", rcpt_domain="vonmail.example").status == 404
    assert add(stub, "domain_alias", "a.vonmail.com", rcpt_domain="vonmail.com", user=OTHER).status == 403
    assert add(stub, "domain_alias", "a.vonmail.com", rcpt_domain="absent.example", user=OTHER).status == 403
    assert listed(stub, "domain_alias")[1] == []
    assert add(stub, "domain_alias", "a.vonmail.com", rcpt_domain="VonMail.COM").json()["rcpt_domain"] == "vonmail.com"


@pytest.mark.parametrize("kind", KINDS)
def test_a_domain_admin_sees_its_own_only(stub: Client, kind: str) -> None:
    mine = {name for name, owner in SEEDED[kind].items() if owner == "domain"}
    assert listed(stub, kind) == (sorted(SEEDED[kind]), [])
    assert listed(stub, kind, "domain") == (sorted(mine), [])
    add(stub, kind, "of-mine.vonmail.com", "domain")
    add(stub, kind, "of-theirs.other.example", OTHER, rcpt_domain="other.example")
    assert listed(stub, kind, "domain")[1] == ["of-mine.vonmail.com"]
    assert listed(stub, kind, OTHER)[1] == ["of-theirs.other.example"]
    assert listed(stub, kind)[1] == ["of-mine.vonmail.com", "of-theirs.other.example"]
    assert stub.call("GET", PATHS[kind], user="mail").status == 403
    assert add(stub, kind, "of-users.vonmail.com", "mail").status == 403


def test_who_let_a_name_expire_does_not_own_what_others_make_of_it(stub: Client) -> None:
    stub.set_clock(now=1_600_000_000)
    add(stub, "relay_domain", "new.vonmail.com", "domain")
    stub.set_clock(advance_seconds=WEEK)
    assert add(stub, "relay_domain", "new.vonmail.com", OTHER).status == 200
    assert listed(stub, "relay_domain", "domain")[1] == []
    assert delete(stub, "new.vonmail.com", "domain").status == 403
    assert delete(stub, "new.vonmail.com", OTHER).status == 204


@pytest.mark.parametrize("is_verified", [False, True])
def test_a_relay_domain_is_deleted_by_its_name(stub: Client, *, is_verified: bool) -> None:
    """The content of a DELETE means something here, whatever RFC 9110, section 9.3.5, says of it."""
    add(stub, "relay_domain", "new.vonmail.com")
    if is_verified:
        verify(stub, "new.vonmail.com")
    answer = delete(stub, "NEW.vonmail.com")
    assert (answer.status, answer.content) == (204, b"")
    assert answer.fields["content-type"].partition(";")[0] == "text/html"
    assert delete(stub, "new.vonmail.com").status == 404
    assert "new.vonmail.com" not in str(listed(stub, "relay_domain"))
    assert add(stub, "domain", "new.vonmail.com").status == 200
    assert delete(stub, "new.vonmail.com").status == 404
    assert delete(stub, "vonmail.com").status == 404


def test_a_delete_without_its_content_deletes_nothing(stub: Client) -> None:
    for sent in (None, b""):
        assert stub.call("DELETE", RELAYS, content=sent).status in {400, 415}
    assert stub.call("DELETE", RELAYS, json={}).status == 422
    assert stub.call("DELETE", RELAYS, json={"relay_domain": "branch.vonmail.com", "all": True}).status == 422
    assert stub.call("DELETE", f"{RELAYS}?relay_domain=branch.vonmail.com").status in {400, 415}
    assert listed(stub, "relay_domain")[0] == sorted(SEEDED["relay_domain"])


@pytest.mark.parametrize(
    "name",
    [
        *("", "localhost", "192.0.2.1", "2001:db8::1", "a..b", ".com", "a.com.", "-a.com", "a-.com", "a_b.com"),
        *("a b.com", "m\u00fcnchen.example", "xn--a.example", "*.a.com", "u@a.com", "a.com\n", "a.c1\t"),
        f"{'x' * 64}.com",
        f"{'x.' * 126}com",
    ],
)
def test_what_dns_does_not_take_is_no_domain(local_stub: Client, name: str) -> None:
    for kind in KINDS:
        answer = add(local_stub, kind, name)
        assert (answer.status, answer.pointers[0]) == (422, f"/{kind}")


@pytest.mark.parametrize("port", [0, 65_536, 25.5, "25", None, True])
def test_a_destination_has_a_port(local_stub: Client, port: Any) -> None:
    sent = {**content("relay_domain", "new.vonmail.com"), "destination_port": port}
    assert local_stub.call("POST", RELAYS, json=sent).status == 422


def test_a_whole_number_is_a_port_however_it_is_written(local_stub: Client) -> None:
    sent = {**content("relay_domain", "new.vonmail.com"), "destination_port": 25.0}
    assert b'"destination_port":25,' in local_stub.call("POST", RELAYS, json=sent).content


def test_codes_differ_by_name_and_are_the_same_in_every_run(make_stub: Callable[..., Client]) -> None:
    def codes(client: Client) -> list[str]:
        names = [f"n{number}.vonmail.com" for number in range(20)]
        return [
            add(client, kind, f"{kind}{name}".replace("_", "-")).json()["verification_code"]
            for kind in KINDS
            for name in names
        ]

    first = codes(make_stub())
    assert len(set(first)) == 60
    assert all(CODE.fullmatch(code) for code in first)
    assert codes(make_stub()) == first
    assert codes(make_stub(seed=1)) != first


def with_quota(make_stub: Callable[..., Client], tmp_path: Any, **quotas: int) -> Client:
    accounts = [
        {"username": "boss", "level": "MasterAdmin", "tokens": [{"token": "t0"}]},
        {"username": "da", "level": "DomainAdmin", "owns": ["mine.example"], "tokens": [{"token": "t1"}], **quotas},
    ]
    path = tmp_path / "seed.yaml"  # YAML takes JSON
    path.write_text(json.dumps({"accounts": accounts, "domains": [{"domain": "mine.example"}]}), encoding="utf-8")
    return make_stub(seed_data=path)


@pytest.mark.parametrize(("kind", "quota"), [("domain", "quota_domains"), ("domain_alias", "quota_domainaliases")])
def test_a_quota_counts_pending_names_and_is_given_back_when_they_expire(
    make_stub: Callable[..., Client], tmp_path: Any, kind: str, quota: str
) -> None:
    client = with_quota(make_stub, tmp_path, **{quota: 2})
    client.set_clock(now=1_600_000_000)
    da = ("da", "t1")
    room = 1 if kind == "domain" else 2  # it has a domain already
    for number in range(room):
        assert add(client, kind, f"n{number}.mine.example", da, rcpt_domain="mine.example").status == 200
    refused = add(client, kind, "more.mine.example", da, rcpt_domain="mine.example")
    assert (refused.status, "2 of at most 2" in refused.json()["detail"]) == (409, True)
    assert add(client, kind, "more.mine.example", ("boss", "t0"), rcpt_domain="mine.example").status == 200
    client.set_clock(advance_seconds=WEEK)
    assert add(client, kind, "later.mine.example", da, rcpt_domain="mine.example").status == 200


def test_a_pending_name_of_seed_data_need_not_say_when_it_expires(
    make_stub: Callable[..., Client], tmp_path: Any
) -> None:
    path = tmp_path / "seed.yaml"
    accounts = [{"username": "boss", "level": "MasterAdmin", "tokens": [{"token": "t0"}]}]
    domains = [{"domain": "a.example", "verified": False}, {"domain": "b.example", "verified": False, "expire_time": 9}]
    path.write_text(json.dumps({"accounts": accounts, "domains": domains}), encoding="utf-8")
    client = make_stub(seed_data=path, errors=True)  # an answer that breaks its schema is 500
    client.set_clock(now=8)
    assert listed(client, "domain", ("boss", "t0")) == ([], ["a.example", "b.example"])
    client.set_clock(now="9999-12-01T00:00:00Z")
    assert listed(client, "domain", ("boss", "t0")) == ([], ["a.example"])
    assert verify(client, "a.example").status == 200
    assert listed(client, "domain", ("boss", "t0")) == (["a.example"], [])


def test_names_of_seed_data_are_in_lower_case(make_stub: Callable[..., Client], tmp_path: Any) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text("domains: [{domain: A.example}]", encoding="utf-8")
    with pytest.raises(UsageError, match=r"domains\[0\].domain: must be in lower case"):
        make_stub(seed_data=path)


def test_a_domain_admin_fills_the_domain_that_it_added_once_that_is_verified(stub: Client) -> None:
    stub.set_clock(now=1_600_000_000)

    def create(user: Any = "domain") -> int:
        account = {
            "username": "new@new.example",
            "password": "Mailuser-Sample-1",
            "perm_level": "MailUser",
            "api_access": 1,
            "enabled": 1,
            "recovery_email": "recovery@vonmail.com",
            "language": "en",
            "storagequota_total": 10,
        }
        return stub.call("POST", "/api/v1/accounts/", json=account, user=user).status

    assert create() == 403
    add(stub, "domain", "new.example", "domain")
    assert (create(), create(OTHER)) == (409, 403)
    stub.set_clock(advance_seconds=WEEK)
    assert create() == 404  # expired; still the name's last owner, and told so
    add(stub, "domain", "new.example", "domain")
    verify(stub, "new.example")
    assert (create(OTHER), create(), create()) == (403, 200, 409)
    sender = {"sender_address": "sa1@vonmail.com", "usernames": "new@new.example"}
    assert stub.call("PUT", "/api/v1/sender_addresses/", json=sender, user="domain").status == 200


# ---- the control API


@pytest.mark.parametrize("name", ["absent.example", "", "x" * 10_000, "\ud83d\ude00", "../x"])
def test_what_is_not_there_cannot_be_verified(stub: Client, name: str) -> None:
    add(stub, "domain", "new.vonmail.com")
    answer = verify(stub, name)
    assert answer.status == 404
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith("pending are new.vonmail.com")
    assert len(answer.content) < 1000


@pytest.mark.parametrize(
    "body", [{}, [], None, {"domain": 1}, {"domain": None}, {"name": "x"}, {"domain": "x", "y": 1}]
)
def test_a_senseless_verification_is_422(stub: Client, body: Any) -> None:
    assert stub.call("POST", VERIFY, json=body, user=None).status == 422


def test_verifying_twice_is_verifying_once(stub: Client) -> None:
    add(stub, "domain", "new.vonmail.com")
    assert verify(stub, "NEW.vonmail.com").json() == verify(stub, "new.vonmail.com").json()


def test_the_state_shows_what_is_pending_and_what_is_verified(stub: Client) -> None:
    add(stub, "relay_domain", "new.vonmail.com", "domain")
    assert stub.control("GET", "/state")["records"]["relay_domains"]["new.vonmail.com"]["verified"] is False
    verify(stub, "new.vonmail.com")
    assert stub.control("GET", "/state")["records"]["relay_domains"]["new.vonmail.com"] == {
        "verified": True,
        "destination_hostname": "mail3.mymailcheap.com",
        "destination_port": 25,
        "added_by": "domainadmin@vonmail.com",
    }


def test_worlds_verify_their_own(local_stub: Client) -> None:
    other = local_stub.in_new_world()
    for client in (local_stub, other):
        add(client, "domain", "new.vonmail.com")
    verify(other, "new.vonmail.com")
    assert listed(local_stub, "domain")[1] == ["new.vonmail.com"]
    assert listed(other, "domain")[1] == []


def test_a_contract_without_domains_has_none_to_verify(
    make_stub: Callable[..., Client], write_contract: Callable[..., Any]
) -> None:
    client = make_stub(write_contract({"/pets": {"get": {"responses": {"200": {"description": "ok"}}}}}))
    answer = verify(client, "new.vonmail.com")
    assert answer.status == 404
    assert answer.json()["detail"] == f"neither the contract nor the control API has POST {VERIFY}"


def test_the_former_path_goes_on_working_and_says_where_it_moved(stub: Client) -> None:
    add(stub, "domain", "new.vonmail.com")
    for name, status in (("new.vonmail.com", 200), ("absent.example", 404)):
        answer = stub.call("POST", "/__mock__/domains/verify", json={"domain": name}, user=None)
        assert answer.status == status
        assert answer.fields["deprecation"] == "@1795996800"  # RFC 9745: 2026-11-30
        assert answer.fields["link"].endswith(f'{VERIFY}>; rel="successor-version"')
    assert "deprecation" not in verify(stub, "new.vonmail.com").fields
    assert listed(stub, "domain")[1] == []


# ---- the whole, against a model

#: Domains, and domain aliases, that a DomainAdmin of the seed company may have.
QUOTAS = {"domain": 10, "other": 2}
NAMES = ["a.vonmail.com", "b.example", "c.other.example"]
CALLERS: dict[str, Any] = {"admin": "admin", "domain": "domain", "other": OTHER}
callers = st.sampled_from(list(CALLERS))
names = st.sampled_from(NAMES)
targets = st.sampled_from(["vonmail.com", "other.example", "absent.example", *NAMES])
actions = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(KINDS), names, targets, callers),
    st.tuples(st.just("verify"), names),
    st.tuples(st.just("delete"), names, callers),
    st.tuples(st.just("wait"), st.sampled_from([1, WEEK - 1, WEEK, WEEK // 2])),
)


@dataclass
class Model:
    """What the server ought to hold: an entry is (kind, recipient, expire_time or None once verified)."""

    now: int
    entries: dict[str, tuple[str, str, int | None]] = field(default_factory=dict)
    #: Whoever added a name last; lasts beyond its expiry, so that it is told 404 where others are told 403.
    owners: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, seeded in SEEDED.items():
            for name, owner in seeded.items():
                recipient = "other.example" if "other" in name else "vonmail.com"
                self.entries[name] = (kind, recipient, None)
                self.owners[name] = owner or ""

    def live(self, name: str) -> tuple[str, str, int | None] | None:
        entry = self.entries.get(name)
        return entry if entry and (entry[2] is None or self.now < entry[2]) else None

    def may(self, caller: str, name: str) -> bool:
        return caller == "admin" or self.owners.get(name) == caller

    def add(self, kind: str, name: str, recipient: str, caller: str) -> int:
        if kind == "domain_alias":
            if not self.may(caller, recipient):
                return 403
            target = self.live(recipient)
            if target is None or target[0] != "domain":
                return 404
            if target[2] is not None:
                return 409
        if self.live(name) or self.is_full(kind, caller):
            return 409
        self.entries[name] = (kind, recipient, self.now + WEEK)
        self.owners[name] = caller
        return 200

    def is_full(self, kind: str, caller: str) -> bool:
        if caller == "admin" or kind == "relay_domain":
            return False
        return sum(map(len, self.lists(kind, caller))) >= QUOTAS[caller]

    def verify(self, name: str) -> int:
        entry = self.live(name)
        if entry is None:
            return 404
        self.entries[name] = (*entry[:2], None)
        return 200

    def delete(self, name: str, caller: str) -> int:
        if not self.may(caller, name):
            return 403
        entry = self.live(name)
        if entry is None or entry[0] != "relay_domain":
            return 404
        del self.entries[name]
        del self.owners[name]
        return 204

    def lists(self, kind: str, caller: str) -> tuple[list[str], list[str]]:
        verified: list[str] = []
        pending: list[str] = []
        for name in sorted(self.entries):
            entry = self.live(name)
            if entry is None or entry[0] != kind:
                continue
            if self.may(caller, entry[1] if kind == "domain_alias" else name):
                (verified if entry[2] is None else pending).append(name)
        return verified, pending


@given(steps=st.lists(actions, min_size=1, max_size=12))
def test_every_history_of_a_name(local_stub: Client, steps: list[tuple[Any, ...]]) -> None:
    client = local_stub.in_new_world()
    model = Model(1_600_000_000)
    client.set_clock(now=model.now)
    for action, *given_ in steps:
        if action == "add":
            kind, name, recipient, caller = given_
            got = add(client, kind, name, CALLERS[caller], rcpt_domain=recipient).status
            assert got == model.add(kind, name, recipient, caller), (action, given_)
        elif action == "verify":
            assert verify(client, *given_).status == model.verify(*given_), (action, given_)
        elif action == "delete":
            name, caller = given_
            assert delete(client, name, CALLERS[caller]).status == model.delete(name, caller), (action, given_)
        else:
            model.now += given_[0]
            client.set_clock(advance_seconds=given_[0])
        for kind in KINDS:
            for caller, user in CALLERS.items():
                assert listed(client, kind, user) == model.lists(kind, caller), (action, given_, kind, caller)
    client.control("DELETE", "/world")
