"""Antispam thresholds and the lists of senders: created, changed, cleared; global and per domain."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Client

THRESHOLDS = "/api/v1/antispam/thresholds/"
LISTS = "/api/v1/antispam/wlbl/"
KINDS = ("sender_domains", "sender_emails", "sender_ips")
SCORES = {"reject": 12, "add_header": 5, "greylist": 4}
OTHER_SCORES = {"reject": 50, "add_header": 6, "greylist": 4}
DEFAULTS = {"reject": 10, "add_header": 4, "greylist": 3}
BAD = {
    "sender_domains": ["bad-domain.tld", "another-bad-domain.tld"],
    "sender_emails": ["user@bad-domain.tld", "user@another-bad-domain.tld"],
    "sender_ips": ["172.16.11.255", "203.0.113.0/24"],
}
NOBODY: dict[str, list[str]] = {kind: [] for kind in KINDS}
OTHER_ADMIN = ("domainadmin@other.example", "long-auth_token-of-other-domainadmin")
TRANSITION_SECONDS = 10


def path_of(collection: str, scope: str) -> str:
    return f"{collection}{'global' if scope == 'global' else f'domain/{scope}'}/"


OURS, OTHERS = path_of(THRESHOLDS, "vonmail.com"), path_of(THRESHOLDS, "other.example")
OUR_LISTS, OTHERS_LISTS = path_of(LISTS, "vonmail.com"), path_of(LISTS, "other.example")


def shown(client: Client, scope: str, action: str) -> tuple[str, dict[str, Any]]:
    """Return status and senders of one list, as a read tells them."""
    answer = client.call("GET", path_of(LISTS, scope))
    assert answer.status == 200, answer
    told = answer.json()
    return told[f"{action}_status"], {kind: told[f"{action}ed_{kind}"] for kind in KINDS}


@pytest.fixture
def slow_stub(make_stub: Callable[..., Client]) -> Client:
    """A stub whose changes take ten seconds of its clock."""
    return make_stub(clock=1_000_000, transition_seconds=TRANSITION_SECONDS)


# ---- thresholds


def test_a_server_has_thresholds_from_the_start(slow_stub: Client) -> None:
    told = {"scores": DEFAULTS, "status": "applied"}
    assert slow_stub.call("GET", path_of(THRESHOLDS, "global")).json() == told


def test_the_servers_thresholds_are_applied_in_time(slow_stub: Client) -> None:
    client, path = slow_stub, path_of(THRESHOLDS, "global")
    written = {"scores": OTHER_SCORES, "status": "applying"}
    assert client.call("PUT", path, json=OTHER_SCORES).json() == written
    client.set_clock(advance_seconds=TRANSITION_SECONDS - 0.5)
    assert client.call("GET", path).json() == written
    client.set_clock(advance_seconds=0.5)
    assert client.call("GET", path).json() == {"scores": OTHER_SCORES, "status": "applied"}


def test_a_domains_thresholds_are_created_changed_and_cleared(stub: Client) -> None:
    assert stub.call("PUT", OURS, json=OTHER_SCORES).status == 404
    created = stub.call("POST", OURS, json=SCORES)
    assert (created.status, created.json()) == (
        200,
        {"domain": "vonmail.com", "scores": SCORES, "status": "applying"},
    )
    assert stub.call("POST", OURS, json=OTHER_SCORES).status == 409
    changed = {"domain": "vonmail.com", "scores": OTHER_SCORES, "status": "applying"}
    assert stub.call("PUT", OURS, json=OTHER_SCORES).json() == changed
    cleared = {"domain": "vonmail.com", "status": "deleting"}
    assert stub.call("DELETE", OURS).json() == cleared
    assert stub.call("PUT", OURS, json=OTHER_SCORES).status == 404
    assert stub.call("DELETE", OURS).json() == cleared
    assert stub.call("POST", OURS, json=SCORES).status == 200


def test_domains_and_the_server_have_thresholds_of_their_own(stub: Client) -> None:
    stub.call("POST", OURS, json=SCORES)
    assert stub.call("GET", path_of(THRESHOLDS, "global")).json()["scores"] == DEFAULTS
    assert stub.call("PUT", OTHERS, json=SCORES).status == 404
    stub.call("POST", OTHERS, json=SCORES)
    stub.call("DELETE", OTHERS)
    assert stub.call("PUT", OURS, json=OTHER_SCORES).status == 200


@pytest.mark.parametrize("member", ["reject", "add_header", "greylist"])
@pytest.mark.parametrize("value", [-1, 1001, 4.5, "4", None, True])
def test_scores_are_whole_numbers_within_bounds(stub: Client, member: str, value: Any) -> None:
    for method, path in (("PUT", path_of(THRESHOLDS, "global")), ("POST", OURS)):
        answer = stub.call(method, path, json={**SCORES, member: value})
        assert (answer.status, answer.pointers) == (422, [f"/{member}"])
    assert stub.call("GET", path_of(THRESHOLDS, "global")).json()["scores"] == DEFAULTS
    assert stub.call("PUT", OURS, json=SCORES).status == 404


def test_no_order_of_scores_is_demanded(stub: Client) -> None:
    upside_down = {"reject": 0, "add_header": 1000, "greylist": 500}
    assert stub.call("PUT", path_of(THRESHOLDS, "global"), json=upside_down).json()["scores"] == upside_down


# ---- lists


@pytest.mark.parametrize("scope", ["global", "vonmail.com"])
def test_lists_that_nobody_created_are_empty(stub: Client, scope: str) -> None:
    for action in ("blacklist", "whitelist"):
        assert shown(stub, scope, action) == ("applied", NOBODY)


@pytest.mark.parametrize("scope", ["global", "vonmail.com"])
@pytest.mark.parametrize("action", ["blacklist", "whitelist"])
def test_a_list_is_created_once_and_replaced_as_a_whole(stub: Client, scope: str, action: str) -> None:
    path, named = path_of(LISTS, scope), {} if scope == "global" else {"domain": scope}
    assert stub.call("PUT", path, json={"action": action, **BAD}).status == 404
    answer = stub.call("POST", path, json={"action": action, **BAD})
    assert (answer.status, answer.json()) == (200, {"action": action, **named, **BAD, "status": "applying"})
    assert stub.call("POST", path, json={"action": action, "sender_ips": []}).status == 409
    assert shown(stub, scope, action) == ("applied", BAD)
    # What is left out of the new list is not on it any more.
    replaced = {**NOBODY, "sender_ips": ["::1"]}
    answer = stub.call("PUT", path, json={"action": action, "sender_ips": ["::1"]})
    assert (answer.status, answer.json()) == (200, {"action": action, **named, **replaced, "status": "applying"})
    assert shown(stub, scope, action) == ("applied", replaced)
    assert shown(stub, scope, {"blacklist": "whitelist"}.get(action, "blacklist")) == ("applied", NOBODY)


def test_a_domains_list_is_cleared_in_time(slow_stub: Client) -> None:
    for action in ("blacklist", "whitelist"):
        slow_stub.call("POST", OUR_LISTS, json={"action": action, **BAD})
    assert shown(slow_stub, "vonmail.com", "whitelist") == ("applying", BAD)
    slow_stub.set_clock(advance_seconds=TRANSITION_SECONDS)
    assert shown(slow_stub, "vonmail.com", "whitelist") == ("applied", BAD)
    cleared = {"action": "whitelist", "domain": "vonmail.com", "status": "deleting"}
    assert slow_stub.call("DELETE", OUR_LISTS, json={"action": "whitelist"}).json() == cleared
    slow_stub.set_clock(advance_seconds=TRANSITION_SECONDS - 0.5)
    # A second call does not start it over.
    assert slow_stub.call("DELETE", OUR_LISTS, json={"action": "whitelist"}).json() == cleared
    assert shown(slow_stub, "vonmail.com", "whitelist") == ("deleting", BAD)
    assert slow_stub.call("PUT", OUR_LISTS, json={"action": "whitelist", **BAD}).status == 404
    slow_stub.set_clock(advance_seconds=0.5)
    assert shown(slow_stub, "vonmail.com", "whitelist") == ("applied", NOBODY)
    assert shown(slow_stub, "vonmail.com", "blacklist") == ("applied", BAD)


def test_what_is_being_cleared_can_be_created_anew(slow_stub: Client) -> None:
    slow_stub.call("POST", OUR_LISTS, json={"action": "whitelist", **BAD})
    slow_stub.call("DELETE", OUR_LISTS, json={"action": "whitelist"})
    renewed = {**NOBODY, "sender_ips": ["192.0.2.1"]}
    assert slow_stub.call("POST", OUR_LISTS, json={"action": "whitelist", **renewed}).status == 200
    slow_stub.set_clock(advance_seconds=2 * TRANSITION_SECONDS)
    assert shown(slow_stub, "vonmail.com", "whitelist") == ("applied", renewed)


@pytest.mark.parametrize("kind", KINDS)
def test_any_one_kind_of_senders_is_enough(stub: Client, kind: str) -> None:
    assert stub.call("POST", OUR_LISTS, json={"action": "blacklist", kind: BAD[kind]}).status == 200
    assert shown(stub, "vonmail.com", "blacklist") == ("applied", {**NOBODY, kind: BAD[kind]})


@pytest.mark.parametrize("path", [path_of(LISTS, "global"), OUR_LISTS])
def test_no_kind_of_senders_is_not_enough(stub: Client, path: str) -> None:
    assert stub.call("POST", path, json={"action": "blacklist"}).status == 422
    assert stub.call("POST", path, json=BAD).status == 422
    assert stub.call("POST", path, json={"action": "greylist", **BAD}).status == 422


ADDRESSES = [
    "172.16.11.255",
    "203.0.113.0/24",
    "127.20.30.40",
    "10.0.0.0/8",
    "10.20.30.40/8",
    "0.0.0.0/0",
    "192.0.2.1/32",
    "::",
    "::1",
    "2001:db8::25",
    "::ffff:192.0.2.1",
    "::/0",
    "2001:db8::/32",
    "2001:DB8:0:0:0:0:0:1/128",
    "fe80::1:2/64",
]
NO_ADDRESSES = [
    "",
    "256.1.1.1",
    "1.2.3",
    "1.2.3.4/33",
    "1.2.3.4/",
    "1.2.3.4/-1",
    "01.2.3.4/8",
    "1.2.3.4/08",
    " 1.2.3.4",
    "1.2.3.4/8\n",
    "2001:db8::/129",
    "2001:db8::1::/32",
    "1:2:3:4:5:6:7/64",
    "1:2:3:4:5:6:7:8:9/64",
    "1:2:3:4:5:6:7:8::/64",
    ":1/64",
    "12345::/16",
    "mail.example",
    "/8",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_and_networks_are_taken(stub: Client, address: str) -> None:
    assert stub.call("POST", OUR_LISTS, json={"action": "blacklist", "sender_ips": [address]}).status == 200
    assert shown(stub, "vonmail.com", "blacklist")[1]["sender_ips"] == [address]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_other_texts_are_no_addresses(stub: Client, address: str) -> None:
    answer = stub.call("POST", OUR_LISTS, json={"action": "blacklist", "sender_ips": ["192.0.2.1", address]})
    assert (answer.status, answer.pointers) == (422, ["/sender_ips/1"])


addresses = st.ip_addresses().map(str)
networks = st.tuples(addresses, st.integers(0, 140)).map(lambda pair: f"{pair[0]}/{pair[1]}")


@given(text=addresses | networks | st.from_regex(r"[0-9a-f:.]{2,12}/?[0-9]{0,3}", fullmatch=True))
def test_what_is_an_address_is_decided_as_python_decides_it(local_stub: Client, text: str) -> None:
    local_stub.control("POST", "/reset")
    answer = local_stub.call("POST", OUR_LISTS, json={"action": "blacklist", "sender_ips": [text]})
    assert (answer.status == 200) == is_address_or_network(text), text


def is_address_or_network(text: str) -> bool:
    """Tell it by another implementation.

    Left out on purpose: a mask or zeros in place of a length, a zone, and a network of IPv6 that ends like IPv4.
    """
    address, slash, length = text.partition("/")
    if "%" in text:
        return False
    if slash and not (length.isdecimal() and str(int(length)) == length and ("." not in address or ":" not in address)):
        return False
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


# ---- who, and which domain


CALLS: list[tuple[str, str, Any]] = [
    ("POST", THRESHOLDS, SCORES),
    ("PUT", THRESHOLDS, SCORES),
    ("DELETE", THRESHOLDS, None),
    ("GET", LISTS, None),
    ("POST", LISTS, {"action": "blacklist", **BAD}),
    ("PUT", LISTS, {"action": "blacklist", **BAD}),
    ("DELETE", LISTS, {"action": "blacklist"}),
]


def send(client: Client, method: str, path: str, sent: Any, user: Any = "admin") -> int:
    return client.call(method, path, user=user, **({} if sent is None else {"json": sent})).status


@pytest.mark.parametrize(("method", "collection", "sent"), CALLS)
def test_a_domain_that_the_server_does_not_have_is_not_found(
    stub: Client, method: str, collection: str, sent: Any
) -> None:
    assert send(stub, method, path_of(collection, "unknown.example"), sent) == 404
    assert send(stub, method, path_of(collection, "no-domain"), sent) == 422


def everything(client: Client) -> list[Any]:
    """Return what both domains have: their lists, and whether there are thresholds to be changed."""
    return [
        (client.call("GET", path_of(LISTS, scope)).json(), send(client, "PUT", path_of(THRESHOLDS, scope), SCORES))
        for scope in ("vonmail.com", "other.example")
    ]


@pytest.mark.parametrize(("method", "collection", "sent"), CALLS)
def test_an_administrator_of_domains_is_confined_to_its_own(
    stub: Client, method: str, collection: str, sent: Any
) -> None:
    if method in {"PUT", "DELETE"}:
        created = {"action": "blacklist", **BAD} if collection == LISTS else SCORES
        for scope in ("vonmail.com", "other.example"):
            assert send(stub, "POST", path_of(collection, scope), created) == 200
    before = everything(stub)
    for user, scope in (("domain", "other.example"), (OTHER_ADMIN, "vonmail.com"), ("mail", "vonmail.com")):
        assert send(stub, method, path_of(collection, scope), sent, user) == 403
    assert everything(stub) == before
    for user, scope in (("domain", "vonmail.com"), (OTHER_ADMIN, "other.example")):
        assert send(stub, method, path_of(collection, scope), sent, user) == 200


def test_a_domain_that_is_pending_has_rules_made_ready_for_it(slow_stub: Client) -> None:
    assert slow_stub.call("POST", "/api/v1/domains/", json={"domain": "new.example"}).status == 200
    assert send(slow_stub, "POST", path_of(THRESHOLDS, "new.example"), SCORES) == 200
    slow_stub.set_clock(advance_seconds=30 * 86_400)
    # It was never verified, and is none of this server's any more.
    assert send(slow_stub, "PUT", path_of(THRESHOLDS, "new.example"), SCORES) == 404


def test_the_state_shows_what_no_call_reads(slow_stub: Client) -> None:
    before = slow_stub.control("GET", "/state")["records"]
    slow_stub.call("POST", OURS, json=SCORES)
    slow_stub.call("POST", OUR_LISTS, json={"action": "whitelist", **BAD})
    records = slow_stub.control("GET", "/state")["records"]
    stamp = {"phase": "applying", "since": 1_000_000}
    assert records["thresholds"] == {"vonmail.com": {"scores": SCORES, **stamp}}
    assert records["wlbl"] == {"vonmail.com/whitelist": {**BAD, **stamp}}
    assert {name: held for name, held in records.items() if name not in {"thresholds", "wlbl"}} == before


def test_what_is_cleared_leaves_nothing_behind(stub: Client) -> None:
    before = stub.control("GET", "/state")["records"]
    stub.call("POST", OURS, json=SCORES)
    stub.call("POST", OUR_LISTS, json={"action": "whitelist", **BAD})
    stub.call("DELETE", OURS)
    stub.call("DELETE", OUR_LISTS, json={"action": "whitelist"})
    assert stub.control("GET", "/state")["records"] == before


def test_the_case_of_a_domain_does_not_matter(stub: Client) -> None:
    answer = stub.call("POST", path_of(THRESHOLDS, "VonMail.COM"), user="domain", json=SCORES)
    assert (answer.status, answer.json()["domain"]) == (200, "vonmail.com")
    assert stub.call("POST", OURS, json=SCORES).status == 409


@pytest.mark.parametrize("user", ["domain", "mail", None])
@pytest.mark.parametrize("collection", [THRESHOLDS, LISTS])
def test_what_is_global_is_the_business_of_a_master_admin(stub: Client, user: str | None, collection: str) -> None:
    path = path_of(collection, "global")
    status = 401 if user is None else 403
    assert stub.call("GET", path, user=user).status == status
    assert stub.call("PUT", path, user=user, json=SCORES).status == status


def test_seed_data_may_bring_thresholds_and_lists(make_stub: Callable[..., Client], tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(
        """
        accounts: [{username: admin, level: MasterAdmin, tokens: [{token: long-auth_token-here}]}]
        domains: [{domain: a.example}]
        thresholds:
          - {domain: global, scores: {reject: 20, add_header: 8, greylist: 6}}
          - {domain: a.example, scores: {reject: 9, add_header: 3, greylist: 2}}
        wlbl: [{domain: a.example, action: blacklist, sender_ips: [192.0.2.0/24]}]
        """,
        encoding="utf-8",
    )
    client = make_stub(seed_data=seed, transition_seconds=TRANSITION_SECONDS)
    told = client.call("GET", path_of(THRESHOLDS, "global")).json()
    assert told == {"scores": {"reject": 20, "add_header": 8, "greylist": 6}, "status": "applied"}
    assert send(client, "POST", path_of(THRESHOLDS, "a.example"), SCORES) == 409
    assert shown(client, "a.example", "blacklist") == ("applied", {**NOBODY, "sender_ips": ["192.0.2.0/24"]})


# ---- any sequence of calls


@dataclass
class Model:
    """What is there by the rules of docs/stub.md, kept another way than the stub does it: by when things end.

    `there` maps what something is of to its value, since when it holds, and since when it is being cleared.
    """

    now: float = 1_000_000.0
    there: dict[tuple[str, ...], tuple[Any, float, float | None]] = field(default_factory=dict)

    def lapse(self, seconds: float) -> None:
        self.now += seconds
        ended = [
            key
            for key, (_, _, cleared) in self.there.items()
            if cleared is not None and self.now - cleared >= TRANSITION_SECONDS
        ]
        for key in ended:
            del self.there[key]

    def stays(self, key: tuple[str, ...]) -> bool:
        return key in self.there and self.there[key][2] is None

    def write(self, method: str, key: tuple[str, ...], value: Any) -> int:
        if method == "POST" and self.stays(key):
            return 409
        if method == "PUT" and not self.stays(key) and key != ("thresholds", "global"):
            return 404
        self.there[key] = (value, self.now, None)
        return 200

    def clear(self, key: tuple[str, ...]) -> int:
        if self.stays(key):
            value, written, _ = self.there[key]
            self.there[key] = (value, written, self.now)
        return 200

    def read(self, key: tuple[str, ...], default: Any) -> tuple[str, Any]:
        value, written, cleared = self.there.get(key, (default, 0.0, None))
        if cleared is not None:
            return "deleting", value
        return "applied" if self.now - written >= TRANSITION_SECONDS else "applying", value


scopes = st.sampled_from(["global", "vonmail.com", "other.example"])
actions = st.sampled_from(["blacklist", "whitelist"])
scores = st.fixed_dictionaries({name: st.integers(0, 1000) for name in DEFAULTS})
senders = st.fixed_dictionaries(
    {},
    optional={
        "sender_domains": st.lists(st.sampled_from(["a.example", "B.example"]), max_size=3),
        "sender_emails": st.lists(st.sampled_from(["a@a.example", "A@a.example"]), max_size=3),
        "sender_ips": st.lists(st.sampled_from(["192.0.2.1", "::/0"]), max_size=3),
    },
).filter(bool)
steps = st.one_of(
    st.tuples(st.just("lapse"), st.sampled_from([0.5, TRANSITION_SECONDS - 0.5, TRANSITION_SECONDS])),
    st.tuples(st.just("thresholds"), st.sampled_from(["POST", "PUT"]), scopes, scores),
    st.tuples(st.just("thresholds"), st.just("DELETE"), scopes, st.none()),
    st.tuples(st.just("list"), st.sampled_from(["POST", "PUT"]), scopes, actions, senders),
    st.tuples(st.just("list"), st.just("DELETE"), scopes, actions, st.none()),
)


@settings(max_examples=100)
@given(plan=st.lists(steps, max_size=12))
def test_any_sequence_of_calls_leaves_what_it_should(slow_stub: Client, plan: list[Any]) -> None:
    client, model = slow_stub, Model()
    client.control("POST", "/reset")
    key: tuple[str, ...]
    for kind, *what in plan:
        if kind == "lapse":
            client.set_clock(advance_seconds=what[0])
            model.lapse(what[0])
        elif what[1] == "global" and (what[0] == "DELETE" or (kind, what[0]) == ("thresholds", "POST")):
            continue  # there is no such operation
        elif kind == "thresholds":
            method, scope, value = what
            key = ("thresholds", scope)
            expected = model.clear(key) if method == "DELETE" else model.write(method, key, value)
            assert send(client, method, path_of(THRESHOLDS, scope), value) == expected, what
        else:
            method, scope, action, value = what
            key = ("list", scope, action)
            full = NOBODY | (value or {})
            expected = model.clear(key) if method == "DELETE" else model.write(method, key, full)
            assert send(client, method, path_of(LISTS, scope), {"action": action, **(value or {})}) == expected, what
        compare(client, model)


def compare(client: Client, model: Model) -> None:
    told = client.call("GET", path_of(THRESHOLDS, "global")).json()
    assert (told["status"], told["scores"]) == model.read(("thresholds", "global"), DEFAULTS)
    for scope in ("global", "vonmail.com", "other.example"):
        for action in ("blacklist", "whitelist"):
            assert shown(client, scope, action) == model.read(("list", scope, action), NOBODY)
