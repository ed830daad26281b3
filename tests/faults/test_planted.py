"""Each fault is really there: the faulty server differs from the clean one as claimed, and nowhere else.

Nothing of the suite is used, so that a fault that the suite finds is known to be one.
"""

from __future__ import annotations

import base64
import http.client
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.faults.catalogue import Fault
from tests.faults.messages import (
    ACCOUNTS,
    ADMIN,
    BLOCK,
    DAYS,
    DESCRIBE,
    DOMAIN_ADMIN,
    IMAP,
    LISTED,
    LISTING,
    LOGIN,
    MAIL_USER,
    MAILER,
    PASSWORDS,
    READ,
    RELAY,
    RESET,
    REVOKE,
    SENDERS,
    SETTINGS,
    TOKENS,
    UNBLOCK,
    WRITE,
    Reply,
    basic,
)
from tests.faults.registry import CLEAN_VARIANTS, FAULTS
from tests.faults.server import FaultyServer, serving
from tests.faults.steps import CLOCK, EXPIRED, FIRST, FIRST_ISSUED, SECOND, TOUR, Step, login, send, walk

LIST = {"action": "blacklist", "sender_ips": ["192.0.2.1", "198.51.100.0/24"]}


class Sight(NamedTuple):
    """Where a fault shows: what is looked at in the last reply, of a clean server and of the faulty one."""

    steps: Iterable[Step]
    look: Callable[[Reply], Any]
    clean: Any
    faulty: Any


def status(reply: Reply) -> int:
    return reply.status


def member(*names: str) -> Callable[[Reply], Any]:
    def look(reply: Reply) -> Any:
        value = reply.json
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return look


def value(*names: str) -> Callable[[Reply], Any]:
    return member("settings", "value", *names)


def field(name: str) -> Callable[[Reply], Any]:
    return lambda reply: reply.field(name)


def holds(text: str) -> Callable[[Reply], bool]:
    return lambda reply: text in reply.body.decode() + str(reply.fields)


def members(reply: Reply) -> list[str]:
    return sorted(reply.json)


def set_first(name: str) -> Step:
    return send(WRITE[name], FIRST[name])


def set_second(name: str) -> Step:
    return send(WRITE[name], SECOND[name])


def user(text: str) -> list[Step]:
    return [send(WRITE[MAILER], FIRST[MAILER] | {"username": text}), send(READ[MAILER])]


def host(text: str) -> list[Step]:
    return [send(WRITE[RELAY], FIRST[RELAY] | {"server_hostname": text}), send(READ[RELAY])]


def by_other(label: str, **other: Any) -> list[Step]:
    return [send(label, **other)]


_DAYS = FIRST[DAYS]
_RELAY_SHOWN = {name: item for name, item in FIRST[RELAY].items() if name != "password"}
_HANDED_OUT = "kJ3dQ0xW7fLm2RtYb8Zc5NvG1sHp"

SIGHTS: dict[str, Sight] = {
    # shape
    "wrong_name": Sight([set_first(RELAY), send(READ[RELAY])], member("settings", "name"), RELAY, MAILER),
    "written_reads_applied": Sight([set_first(MAILER)], member("settings", "status"), "applying", "applied"),
    "never_settles": Sight([set_first(DAYS), send(READ[DAYS])], member("settings", "status"), "applied", "applying"),
    "missing_member": Sight([set_first(MAILER), send(READ[MAILER])], value("username"), "Zoë", None),
    "port_as_text": Sight([set_first(RELAY), send(READ[RELAY])], value("server_port"), 465, "465"),
    "time_as_text": Sight([send(DESCRIBE)], member("auth", "valid_from"), 1582536536, "2020-02-24T09:28:56Z"),
    "level_renamed": Sight([login()], member("auth", "perm_level"), "MasterAdmin", "master-admin"),
    "no_envelope": Sight([set_first(DAYS), send(READ[DAYS])], members, ["settings"], ["junk_days", "trash_days"]),
    "list_of_one": Sight([set_first(RELAY), send(READ[RELAY])], lambda reply: type(reply.json["settings"]), dict, list),
    "json_as_html": Sight(
        [set_first(MAILER), send(READ[MAILER])],
        field("Content-Type"),
        "application/json",
        "text/html; charset=utf-8",
    ),
    "broken_json": Sight([set_first(DAYS)], lambda reply: reply.json is not None, True, False),
    "empty_answer": Sight([send(RESET[MAILER])], lambda reply: reply.body == b"", False, True),
    "created_instead_of_ok": Sight([set_first(RELAY)], status, 200, 201),
    "never_set_is_404": Sight([send(READ[RELAY])], status, 204, 404),
    "never_set_is_null": Sight([send(READ[MAILER])], status, 204, 200),
    "problem_of_another_status": Sight([send(WRITE[DAYS], {})], member("status"), 422, 400),
    # secrets
    "password_in_the_answer": Sight([set_first(MAILER)], holds("secret-of-one"), False, True),
    "password_read_back": Sight([set_first(RELAY), send(READ[RELAY])], value("password"), None, "secret-three"),
    "older_password_read_back": Sight([set_first(MAILER), send(READ[MAILER])], value("password"), None, "s3same!"),
    "password_in_an_error": Sight(
        [send(WRITE[MAILER], FIRST[MAILER] | {"server_port": 0})], holds("secret-of-one"), False, True
    ),
    "password_in_a_header": Sight([set_first(RELAY)], lambda reply: reply.field("X-Debug") is None, True, False),
    "token_in_its_description": Sight([send(DESCRIBE)], member("auth", "auth_token"), None, TOKENS[ADMIN]),
    "password_in_the_login_answer": Sight([login()], member("auth", "password"), None, PASSWORDS[ADMIN]),
    "password_in_a_link": Sight([set_first(MAILER)], holds("secret-of-one"), False, True),
    "password_in_hexadecimal": Sight(
        [set_first(MAILER)], lambda reply: b"secret-of-one".hex() in str(reply.field("ETag")), False, True
    ),
    "password_in_escapes": Sight(
        [send(WRITE[RELAY], FIRST[RELAY] | {"server_port": 0})],
        lambda reply: "secret-three" in reply.json["detail"].encode().decode("unicode_escape"),
        False,
        True,
    ),
    "password_in_a_trace": Sight(
        [send(WRITE[RELAY], FIRST[RELAY] | {"server_port": 0})],
        lambda reply: b"secret-three" in base64.b64decode(reply.json["detail"] + "==="),
        False,
        True,
    ),
    "master_password_in_the_reset": Sight(
        [set_first(IMAP), send(RESET[IMAP])], field("X-Cleared"), None, "long-imap-master-password-here"
    ),
    "revoked_token_in_a_refusal": Sight(
        [login(), send(REVOKE, token=FIRST_ISSUED), send(READ[DAYS], token=FIRST_ISSUED)],
        holds(FIRST_ISSUED),
        False,
        True,
    ),
    "credentials_in_a_refusal": Sight(
        by_other(READ[DAYS], by=MAIL_USER), holds(basic(MAIL_USER, TOKENS[MAIL_USER])), False, True
    ),
    # echo
    "lower_cased": Sight(user("Zoë"), value("username"), "Zoë", "zoë"),
    "trimmed": Sight(user(" me "), value("username"), " me ", "me"),
    "mojibake": Sight(user("Zoë"), value("username"), "Zoë", "ZoÃ«"),
    "ascii_only": Sight(user("Zoë"), value("username"), "Zoë", "Zo?"),
    "no_astral_characters": Sight(user("a😀b"), value("username"), "a😀b", "ab"),
    "html_escaped": Sight(user("o'hara"), value("username"), "o'hara", "o&#x27;hara"),
    "cut_short": Sight(host("x" * 70), value("server_hostname"), "x" * 70, "x" * 64),
    "punycode": Sight(host("bücher.example"), value("server_hostname"), "bücher.example", "xn--bcher-kva.example"),
    "swapped": Sight([set_first(DAYS)], value(), _DAYS, {"junk_days": 14, "trash_days": 7}),
    "port_ignored": Sight([set_first(RELAY)], value("server_port"), 465, 587),
    "port_with_a_sign": Sight(
        [send(WRITE[RELAY], FIRST[RELAY] | {"server_port": 65535})], value("server_port"), 65535, -1
    ),
    "long_name_cut": Sight(user("x" * 320), value("username"), "x" * 320, "x" * 255),
    "constant_password": Sight(
        [set_first(IMAP), set_first(IMAP)], lambda reply: value()(reply) == _HANDED_OUT, False, True
    ),
    # state
    "stale_read": Sight([set_first(DAYS), set_second(DAYS), send(READ[DAYS])], value(), SECOND[DAYS], _DAYS),
    "lost_write": Sight([set_first(RELAY), set_second(RELAY), send(READ[RELAY])], value("server_port"), 1, 465),
    "cross_talk": Sight([set_first(MAILER), send(READ[RELAY])], status, 204, 200),
    "reset_of_all": Sight([set_first(MAILER), send(RESET[RELAY]), send(READ[MAILER])], status, 200, 204),
    "reset_forgotten": Sight([set_first(DAYS), send(RESET[DAYS]), send(READ[DAYS])], status, 204, 200),
    "reset_of_nothing_is_404": Sight([send(RESET[RELAY])], status, 200, 404),
    "read_consumes": Sight([set_first(MAILER), send(READ[MAILER]), send(READ[MAILER])], status, 200, 204),
    "second_write_refused": Sight([set_first(DAYS), set_second(DAYS)], status, 200, 409),
    "rejected_but_stored": Sight(
        [set_first(DAYS), send(WRITE[DAYS], {"junk_days": 3, "trash_days": "x"}), send(READ[DAYS])],
        value("junk_days"),
        7,
        3,
    ),
    "same_write_refused": Sight([set_first(RELAY), set_first(RELAY)], status, 200, 409),
    "same_write_answered_with_nothing": Sight([set_first(DAYS), set_first(DAYS)], value("junk_days"), 7, 0),
    "same_write_toggles": Sight([set_first(MAILER), set_first(MAILER), send(READ[MAILER])], status, 200, 204),
    "networks_lost": Sight(
        [send(LISTING, LIST), send(BLOCK, LIST), send(LISTED)],
        member("blacklisted_sender_ips"),
        ["192.0.2.1", "198.51.100.0/24"],
        ["192.0.2.1"],
    ),
    "list_not_cleared": Sight(
        [send(LISTING, LIST), send(UNBLOCK, {"action": "blacklist"}), send(LISTED)],
        member("blacklisted_sender_ips"),
        [],
        ["192.0.2.1", "198.51.100.0/24"],
    ),
    "acts_before_it_asks": Sight(
        [set_first(MAILER), send(RESET[MAILER], by=None), send(READ[MAILER])], status, 200, 204
    ),
    # objects
    "any_domain": Sight([send(f"GET {SENDERS}other.example/", by=DOMAIN_ADMIN)], status, 403, 200),
    "master_confined": Sight([send(LISTED)], status, 200, 403),
    "accounts_of_all": Sight([send(ACCOUNTS, by=DOMAIN_ADMIN)], holds("u9@other.example"), False, True),
    "accounts_left_out": Sight([send(ACCOUNTS, by=DOMAIN_ADMIN)], holds("u2@vonmail.com"), True, False),
    # credentials
    "any_token": Sight(by_other(READ[DAYS], token="anything"), status, 401, 204),
    "any_user": Sight(by_other(READ[DAYS], by=DOMAIN_ADMIN, token=TOKENS[ADMIN]), status, 401, 204),
    "name_decides": Sight(by_other(READ[DAYS], token=TOKENS[MAIL_USER]), status, 401, 204),
    "token_case_ignored": Sight(by_other(READ[DAYS], token=TOKENS[ADMIN].upper()), status, 401, 204),
    "token_prefix": Sight(by_other(READ[DAYS], token=TOKENS[ADMIN][:4]), status, 401, 204),
    "token_cut": Sight(by_other(READ[DAYS], token=TOKENS[ADMIN] + "more"), status, 401, 204),
    "empty_token": Sight(by_other(READ[DAYS], token=""), status, 401, 204),
    "password_as_token": Sight(by_other(READ[DAYS], token=PASSWORDS[ADMIN]), status, 401, 204),
    "revoked_token": Sight(
        [login(), send(REVOKE, token=FIRST_ISSUED), send(READ[DAYS], token=FIRST_ISSUED)], status, 401, 204
    ),
    "expired_token": Sight([login(), send(READ[DAYS], token=FIRST_ISSUED)], status, 204, 401),
    "any_password": Sight([login(password="wrong")], status, 401, 200),
    "password_case_ignored": Sight([login(password=PASSWORDS[ADMIN].upper())], status, 401, 200),
    "everybody_is_master": Sight(
        [login(MAIL_USER, PASSWORDS[MAIL_USER])], member("auth", "perm_level"), "MailUser", "MasterAdmin"
    ),
    "mail_user_admitted": Sight(by_other(READ[DAYS], by=MAIL_USER), status, 403, 204),
    "domain_admin_admitted": Sight([send(WRITE[RELAY], FIRST[RELAY], by=DOMAIN_ADMIN)], status, 403, 200),
    "no_credentials_needed": Sight(by_other(READ[DAYS], by=None), status, 401, 204),
    "master_admin_refused": Sight([send(RESET[IMAP])], status, 200, 403),
    "wrong_level_is_401": Sight(by_other(READ[DAYS], by=MAIL_USER), status, 403, 401),
    "no_challenge": Sight(
        by_other(READ[DAYS], by=None), lambda reply: reply.field("WWW-Authenticate") is None, False, True
    ),
    "any_scheme": Sight([send(RESET[MAILER])._replace(authorization="Bearer of news")], status, 401, 200),
    "token_end": Sight(by_other(READ[DAYS], token=TOKENS[ADMIN][4:]), status, 401, 204),
    "token_with_blanks": Sight(by_other(READ[DAYS], token=f" {TOKENS[ADMIN]} "), status, 401, 204),
    "token_for_ever": Sight([login(), EXPIRED, send(READ[DAYS], token=FIRST_ISSUED)], status, 401, 204),
    "everybody_is_admin": Sight([send(DESCRIBE, by=MAIL_USER)], member("auth", "username"), MAIL_USER, ADMIN),
    "token_of_a_master": Sight([send(DESCRIBE, by=MAIL_USER)], member("auth", "perm_level"), "MailUser", "MasterAdmin"),
    "put_unguarded": Sight([send(f"PUT {SETTINGS}{MAILER}/", FIRST[MAILER], by=None)], status, 405, 200),
    "head_unguarded": Sight([send(f"HEAD {SETTINGS}{RELAY}/", by=None)], status, 401, 204),
    # robustness
    "nul_crashes": Sight([send(WRITE[RELAY], FIRST[RELAY] | {"username": "a\0b"})], status, 200, 500),
    "lone_surrogate_crashes": Sight([send(WRITE[MAILER], FIRST[MAILER] | {"username": "\ud800"})], status, 400, 500),
    "long_text_crashes": Sight([send(WRITE[RELAY], FIRST[RELAY] | {"username": "x" * 70_000})], status, 422, 500),
    "huge_number_crashes": Sight([send(WRITE[RELAY], FIRST[RELAY] | {"server_port": 2**64})], status, 422, 500),
    "fraction_crashes": Sight([send(WRITE[DAYS], {"junk_days": 7.0, "trash_days": 1})], status, 200, 500),
    "repeated_member_crashes": Sight([Step(WRITE[RELAY], b'{"server_port": 1, "server_port": 2}')], status, 422, 500),
    "large_body_crashes": Sight([Step(WRITE[DAYS], b" " * 1_100_000 + b"{}")], status, 413, 500),
    "nothing_accepted": Sight([Step(WRITE[IMAP])], status, 400, 200),
    "chunks_unread": Sight([set_first(MAILER)._replace(chunked=True)], status, 200, 400),
    "chunks_crash": Sight([set_first(DAYS)._replace(chunked=True)], status, 200, 500),
    "fraction_refused": Sight([send(WRITE[DAYS], {"junk_days": 7.0, "trash_days": 1})], status, 200, 422),
    "sometimes_refused": Sight([send(READ[DAYS])] * 20, status, 204, 403),
    "null_crashes": Sight([Step(WRITE[MAILER], b"null")], status, 422, 500),
    "list_crashes": Sight([Step(WRITE[DAYS], b"[]")], status, 422, 500),
    "empty_body_crashes": Sight([Step(WRITE[RELAY])], status, 400, 500),
    "missing_member_crashes": Sight([send(LOGIN, {"username": ADMIN}, by=None)], status, 422, 500),
    "wrong_type_crashes": Sight([send(WRITE[RELAY], FIRST[RELAY] | {"server_hostname": 5})], status, 422, 500),
    "malformed_json_crashes": Sight([Step(WRITE[IMAP], b"{")], status, 400, 500),
    "deep_json_crashes": Sight([Step(WRITE[IMAP], b"[" * 1000 + b"]" * 1000)], status, 400, 500),
    "emoji_crashes": Sight(user("😀")[:1], status, 200, 500),
    "long_number_crashes": Sight([send(WRITE[DAYS], {"junk_days": 2**31, "trash_days": 0})], status, 422, 500),
    "malformed_credentials_crash": Sight([Step(READ[DAYS], authorization="Basic !")], status, 401, 500),
    "intermittent_crash": Sight([send(READ[IMAP])] * 20, status, 204, 500),
    "success_with_an_error_in_it": Sight([send(WRITE[MAILER], {})], status, 422, 200),
    "lenient_parser": Sight([Step(WRITE[DAYS], b'{"junk_days": 1, "trash_days": 2} {')], status, 400, 200),
    "any_media_type": Sight([set_first(RELAY)._replace(content_type="text/plain")], status, 415, 200),
    "port_zero": Sight([send(WRITE[RELAY], FIRST[RELAY] | {"server_port": 0})], status, 422, 200),
    "port_70000": Sight([send(WRITE[RELAY], FIRST[RELAY] | {"server_port": 70000})], status, 422, 200),
    "port_of_any_type": Sight([send(WRITE[RELAY], FIRST[RELAY] | {"server_port": "587"})], status, 422, 200),
    "incomplete_value": Sight([send(WRITE[MAILER], {"username": "me"})], status, 422, 200),
    "any_member": Sight([send(WRITE[DAYS], _DAYS | {"spam_days": 1})], status, 422, 200),
    # routing
    "no_allow": Sight([send(f"PUT {SETTINGS}{DAYS}/", {})], lambda reply: reply.field("Allow") is None, False, True),
    "put_as_post": Sight([send(f"PUT {SETTINGS}{MAILER}/", FIRST[MAILER])], status, 405, 200),
    "patch_is_404": Sight([send(f"PATCH {SETTINGS}{DAYS}/", {})], status, 405, 404),
    "reset_not_deployed": Sight([send(RESET[DAYS])], status, 200, 405),
    "unknown_setting": Sight([send(f"POST {SETTINGS}system_mailers/", {})], status, 404, 200),
    "prefix_route": Sight([send(f"GET {SETTINGS}{RELAY}/below/")], status, 404, 204),
    "other_method_crashes": Sight([send(f"PUT {SETTINGS}{MAILER}/", {})], status, 405, 500),
}

#: It changes no answer, only when it comes.
_SLOW = "slow_operation"
IN_PROCESS = [fault for fault in FAULTS.values() if not fault.needs_socket and fault.name != _SLOW]


def _named(fault: Fault) -> str:
    return fault.name


@pytest.fixture(scope="module")
def clean_tour() -> list[Reply]:
    return walk(FaultyServer(clock=CLOCK), TOUR)


@pytest.mark.parametrize("fault", IN_PROCESS, ids=_named)
def test_the_fault_shows(fault: Fault) -> None:
    sight = SIGHTS[fault.name]
    steps = list(sight.steps)
    clean, faulty = FaultyServer(clock=CLOCK), FaultyServer(fault, clock=CLOCK)
    seen = (sight.look(walk(clean, steps)[-1]), sight.look(walk(faulty, steps)[-1]))
    assert seen == (sight.clean, sight.faulty)


@pytest.mark.parametrize("fault", IN_PROCESS, ids=_named)
def test_the_fault_changes_no_other_operation(fault: Fault, clean_tour: list[Reply]) -> None:
    faulty_tour = walk(FaultyServer(fault, clock=CLOCK), TOUR)
    touched = {
        step.operation
        for step, clean, faulty in zip(TOUR, clean_tour, faulty_tour, strict=True)
        if _normal(clean) != _normal(faulty)
    }
    assert touched, "the tour does not meet the fault"
    assert touched <= _reach(fault)


def _reach(fault: Fault) -> set[str]:
    """Return the operations of a fault, and the reads that show what these wrongly wrote; HEAD is one of them."""
    paths = {label.partition(" ")[2] for label in fault.at}
    return {*fault.at, *(f"{method} {path}" for method in ("GET", "HEAD") for path in paths)}


def _normal(reply: Reply) -> tuple[int, dict[str, str], Any]:
    return reply.status, {name: item for name, item in reply.fields if name != "Content-Length"}, reply.json


def test_the_tour_meets_nothing_in_a_clean_server(clean_tour: list[Reply]) -> None:
    assert walk(FaultyServer(clock=CLOCK), TOUR) == clean_tour
    assert all(reply.status < 500 for reply in clean_tour)


def test_a_connection_is_dropped_without_an_answer() -> None:
    with serving(FaultyServer(FAULTS["dropped_connection"])) as url:
        assert _ask(url, send(READ[RELAY])) == 204
        with pytest.raises(http.client.RemoteDisconnected):
            _ask(url, set_first(RELAY))


def test_an_answer_does_not_come() -> None:
    with serving(FaultyServer(FAULTS["no_answer"])) as url:
        assert _ask(url, send(READ[RELAY])) == 204
        with pytest.raises(TimeoutError):
            _ask(url, send(DESCRIBE), timeout=0.3)


def test_an_answer_takes_a_second() -> None:
    server = FaultyServer(FAULTS[_SLOW], clock=CLOCK, played=True)
    walk(server, [send(READ[RELAY])])
    assert server.now() == 0.0
    walk(server, [send(DESCRIBE)])
    assert server.now() == 1.0


def _ask(url: str, step: Step, timeout: float = 10.0) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    method, _, path = step.label.partition(" ")
    try:
        connection.request(method, path, step.body, dict(_fields(step)))
        return connection.getresponse().status
    finally:
        connection.close()


def _fields(step: Step) -> Iterable[tuple[str, str]]:
    if step.authorization is not None:
        yield "Authorization", step.authorization
    if step.content_type is not None:
        yield "Content-Type", step.content_type


def test_there_are_faults_of_every_theme() -> None:
    themes = [fault.theme for fault in FAULTS.values()]
    for theme in ("shape", "secrets", "echo", "state", "credentials", "robustness", "routing"):
        assert themes.count(theme) >= 3
    assert not FAULTS.keys() & CLEAN_VARIANTS.keys()
    assert SIGHTS.keys() == {fault.name for fault in IN_PROCESS}
