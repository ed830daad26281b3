"""Two-factor authentication: enrolment, logging in with one-time passwords, device passwords, and who may end it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Answer, Client

AUTH = "/api/v1/auth/"
VERIFY = "/api/v1/2fa/verify/"
DEVICES = "/api/v1/2fa/device_password/"
U2 = "u2@vonmail.com"
PASSWORDS = {"admin": "2xtoC5UGjMNieTBpGsAO", U2: "mailuser-sample-password"}
NAMES = {"admin": "admin", "domain": "domainadmin@vonmail.com", "mail": U2}
KEY = "Z6MZHESSZK4TOBVASQJKEFHCXS3TMBWA"
#: The start of a half minute, so that a test knows how far the next one is.
START = 1_600_000_020


def _path(username: str) -> str:
    return f"/api/v1/2fa/{username}/"


def _code(key: str, at: int) -> str:
    return pyotp.TOTP(key.replace("-", "")).at(at)


def _start(client: Client, user: str = "mail") -> str:
    """Ask for a key at START and return it."""
    client.set_clock(now=START)
    answer = client.call("POST", _path(NAMES[user]), user=user)
    assert answer.status == 200, answer
    key: str = answer.json()["2fa"]["key"]
    return key


def _enable(client: Client, user: str = "mail") -> str:
    """Enable it at START, and leave the clock where the code of verification is over."""
    key = _start(client, user)
    answer = client.call("POST", VERIFY, user=user, json={"username": NAMES[user], "otp": _code(key, START)})
    assert answer.status == 200, answer
    client.set_clock(now=START + 300)
    return key


def _status(client: Client, user: str = "mail") -> str:
    answer = client.call("GET", _path(NAMES[user]), user=user)
    assert answer.json()["2fa"]["username"] == NAMES[user]
    status: str = answer.json()["2fa"]["status"]
    return status


def _log_in(client: Client, username: str = U2, **more: str) -> Answer:
    login = {"username": username, "password": PASSWORDS[username], **more}
    return client.call("POST", AUTH, user=None, json=login)


# ---- enrolment


def test_an_account_starts_without(stub: Client) -> None:
    assert _status(stub) == "disabled"


def test_the_documented_enrolment(stub: Client) -> None:
    assert stub.call("POST", _path(U2), user="mail").json() == {
        "2fa": {
            "key": "Z6MZ-HESS-ZK4T-OBVA-SQJK-EFHC-XS3T-MBWA",
            "status": "pending_verification",
            "type": "TOTP",
            "uri": f"otpauth://totp/example.domain.tld:{U2}?secret={KEY}&issuer=example.domain.tld",
            "username": U2,
        }
    }
    assert _status(stub) == "pending_verification"
    stub.set_clock(now=1583222670)
    answer = stub.call("POST", VERIFY, user="mail", json={"username": U2, "otp": "749463"})
    assert (answer.status, answer.json()) == (200, {"2fa": {"status": "enabled", "username": U2}})
    assert _status(stub) == "enabled"
    assert stub.call("DELETE", _path(U2), user="mail").status == 204
    assert _status(stub) == "disabled"


@pytest.mark.parametrize("user", NAMES)
def test_every_level_can_enable_it_for_itself(stub: Client, user: str) -> None:
    _enable(stub, user)
    assert _status(stub, user) == "enabled"


def test_made_up_keys_are_of_the_documented_form_and_all_different(local_stub: Client) -> None:
    keys = [_start(local_stub) for _ in range(4)]
    assert keys[0].replace("-", "") == KEY
    assert len(set(keys)) == 4
    for key in keys:
        assert [len(group) for group in key.split("-")] == [4] * 8
        assert len(pyotp.TOTP(key.replace("-", "")).byte_secret()) == 20


def test_the_uri_is_what_programs_read(local_stub: Client) -> None:
    local_stub.call("POST", _path(U2), user="mail")  # the documented key is the first
    told = local_stub.call("POST", _path(U2), user="mail").json()["2fa"]
    read = pyotp.parse_uri(told["uri"])
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.name, read.issuer, read.interval, read.digits) == (
        told["key"].replace("-", ""),
        U2,
        "example.domain.tld",
        30,
        6,
    )


def test_a_new_key_replaces_one_that_waits_for_verification(stub: Client) -> None:
    first = _start(stub)
    second = _start(stub)
    verify = {"username": U2, "otp": _code(first, START)}
    assert stub.call("POST", VERIFY, user="mail", json=verify).status == 409
    verify["otp"] = _code(second, START)
    assert stub.call("POST", VERIFY, user="mail", json=verify).status == 200


def test_an_enabled_key_is_not_replaced(stub: Client) -> None:
    key = _enable(stub)
    assert stub.call("POST", _path(U2), user="mail").status == 409
    assert _log_in(stub, otp=_code(key, START + 300)).status == 200


@pytest.mark.parametrize("enrolled", [False, True])
def test_verification_needs_a_key_that_waits_for_it(stub: Client, *, enrolled: bool) -> None:
    key = _enable(stub) if enrolled else KEY
    answer = stub.call("POST", VERIFY, user="mail", json={"username": U2, "otp": _code(key, START + 300)})
    assert answer.status == 409
    assert _status(stub) == ("enabled" if enrolled else "disabled")


@pytest.mark.parametrize("otp", ["000000", " ", "12345", "1234567", "nonsense", "0" * 64])
def test_a_wrong_code_enables_nothing_and_can_be_corrected(stub: Client, otp: str) -> None:
    key = _start(stub)
    assert _code(key, START) != otp
    answer = stub.call("POST", VERIFY, user="mail", json={"username": U2, "otp": otp})
    assert answer.status == 409
    assert _code(key, START) not in answer.content.decode()
    assert _status(stub) == "pending_verification"
    verify = {"username": U2, "otp": _code(key, START)}
    assert stub.call("POST", VERIFY, user="mail", json=verify).status == 200


@pytest.mark.parametrize("otp", ["", 123456, None, "0" * 65])
def test_what_cannot_be_a_code_is_told_with_its_place(stub: Client, otp: Any) -> None:
    answer = stub.call("POST", VERIFY, user="mail", json={"username": U2, "otp": otp})
    assert (answer.status, answer.pointers) == (422, ["/otp"])


def test_digits_of_other_scripts_are_no_digits(stub: Client) -> None:
    wide = "".join(chr(ord("\N{FULLWIDTH DIGIT ZERO}") + int(digit)) for digit in _code(_start(stub), START))
    assert stub.call("POST", VERIFY, user="mail", json={"username": U2, "otp": wide}).status == 409


@given(seconds=st.integers(-120, 120))
def test_codes_of_half_a_minute_around_now_are_accepted_and_no_others(local_stub: Client, seconds: int) -> None:
    client = local_stub.in_new_world()
    key = _start(client)
    code = _code(key, START + seconds)
    near = {_code(key, START + around) for around in (-30, 0, 30)}
    answer = client.call("POST", VERIFY, user="mail", json={"username": U2, "otp": code})
    assert answer.status == (200 if code in near else 409)
    assert (code in near) == (-30 <= seconds < 60)


# ---- logging in


def test_a_key_that_is_not_verified_asks_for_nothing(stub: Client) -> None:
    _start(stub)
    assert _log_in(stub).status == 200
    assert _log_in(stub, otp="123456").status == 200


def test_an_enabled_account_needs_a_code(stub: Client) -> None:
    key = _enable(stub)
    for otp in ({}, {"otp": "000000"}, {"otp": _code(key, START + 400)}, {"otp": _code(key, START)}):
        answer = _log_in(stub, **otp)
        assert answer.status == 401, otp
        assert answer.fields["www-authenticate"].startswith("Basic ")
        assert "otp" in answer.json()["detail"]
    answer = _log_in(stub, otp=_code(key, START + 300))
    assert answer.status == 200
    token = answer.json()["auth"]["auth_token"]
    assert stub.call("GET", AUTH, user=(U2, token)).status == 200


def test_a_wrong_password_tells_nothing_of_a_second_factor(stub: Client) -> None:
    key = _enable(stub)
    login = {"username": U2, "password": "wrong", "otp": _code(key, START + 300)}
    with_factor = stub.call("POST", AUTH, user=None, json=login)
    without = stub.call("POST", AUTH, user=None, json={**login, "username": "nobody"})
    assert (with_factor.status, with_factor.content) == (401, without.content)
    assert _log_in(stub, otp=login["otp"]).status == 200, "the code must not be used up by that"


def test_a_code_logs_in_once(stub: Client) -> None:
    key = _enable(stub)
    code = _code(key, START + 300)
    assert _log_in(stub, otp=code).status == 200
    assert _log_in(stub, otp=code).status == 401
    stub.set_clock(advance_seconds=30)
    assert _log_in(stub, otp=code).status == 401, "still within the window"
    assert _log_in(stub, otp=_code(key, START + 330)).status == 200


def test_the_code_of_verification_is_used_up(stub: Client) -> None:
    key = _enable(stub)
    stub.set_clock(now=START)
    assert _log_in(stub, otp=_code(key, START)).status == 401
    assert _log_in(stub, otp=_code(key, START + 30)).status == 200


@given(moves=st.lists(st.integers(-5, 5), min_size=1, max_size=12))
def test_each_code_logs_in_at_most_once_whatever_the_clock_does(local_stub: Client, moves: list[int]) -> None:
    """A clock that is set back must neither lock anybody out nor let a code in twice while it is in the window."""
    client = local_stub.in_new_world()
    key = _enable(client)
    at, used = START + 300, set[str]()
    for move in moves:
        at += 30 * move
        client.set_clock(now=at)
        code = _code(key, at)
        used = {known for known in used if known in {_code(key, at + around) for around in (-30, 0, 30)}}
        assert _log_in(client, otp=code).status == (401 if code in used else 200)
        used.add(code)


def test_other_accounts_log_in_as_before(stub: Client) -> None:
    _enable(stub)
    assert _log_in(stub, "admin").status == 200
    assert _log_in(stub, "admin", otp="378851").status == 200


def test_tokens_go_on_when_it_is_enabled(stub: Client) -> None:
    _enable(stub)
    assert stub.call("GET", AUTH, user="mail").status == 200


def test_it_outlives_the_process(make_stub: Callable[..., Client], tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path / 'state.db'}"
    key = _enable(make_stub(state=state, clock=START))
    again = make_stub(state=state)
    assert _log_in(again).status == 401
    assert _log_in(again, otp=_code(key, START + 300)).status == 200


# ---- disabling it, and whose


def test_disabling_it_lets_the_password_alone_log_in(stub: Client) -> None:
    _enable(stub)
    answer = stub.call("DELETE", _path(U2), user="mail")
    assert (answer.status, answer.content, answer.fields["content-type"]) == (204, b"", "text/html")
    assert _log_in(stub).status == 200
    assert stub.call("DELETE", _path(U2), user="mail").status == 204


def test_the_key_is_forgotten(stub: Client) -> None:
    first = _enable(stub)
    stub.call("DELETE", _path(U2), user="mail")
    assert _enable(stub) != first


#: Caller, and the accounts whose 2FA it may not disable, by status.
OTHERS = [
    ("admin", U2, 204),
    ("admin", "domainadmin@vonmail.com", 204),
    ("admin", "masteradmin2", 204),
    ("admin", "u9@other.example", 204),
    ("admin", "nobody@vonmail.com", 404),
    ("domain", U2, 204),
    ("domain", "domainadmin@vonmail.com", 204),
    ("domain", "admin", 403),
    ("domain", "u9@other.example", 403),
    ("domain", "domainadmin@other.example", 403),
    ("domain", "nobody@vonmail.com", 404),
    ("mail", "u1@vonmail.com", 403),
    ("mail", "domainadmin@vonmail.com", 403),
    ("mail", "admin", 403),
]


@pytest.mark.parametrize(("user", "username", "status"), OTHERS)
def test_who_may_disable_whose(stub: Client, user: str, username: str, status: int) -> None:
    assert stub.call("DELETE", _path(username), user=user).status == status


def test_an_admin_disables_it_for_who_lost_the_telephone(stub: Client) -> None:
    _enable(stub)
    assert stub.call("DELETE", _path(U2), user="domain").status == 204
    assert _status(stub) == "disabled"
    assert _log_in(stub).status == 200


@pytest.mark.parametrize(("user", "username"), [("admin", U2), ("domain", U2), ("mail", "u1@vonmail.com")])
def test_nobody_reads_or_enables_it_for_another(stub: Client, user: str, username: str) -> None:
    assert stub.call("GET", _path(username), user=user).status == 403
    assert stub.call("POST", _path(username), user=user).status == 403
    verify = {"username": username, "otp": "123456"}
    assert stub.call("POST", VERIFY, user=user, json=verify).status == 403


# ---- device passwords


def _make(client: Client, name: str, user: str = "mail") -> Answer:
    return client.call("POST", DEVICES, user=user, json={"friendly_name": name})


def _names(client: Client) -> list[str]:
    answer = client.call("GET", DEVICES, user="mail")
    assert answer.status == 200
    names: list[str] = answer.json()["2fa"]["device_password"]
    return names


def test_the_documented_device_password(stub: Client) -> None:
    _enable(stub)
    assert _names(stub) == []
    assert _make(stub, "Workstation").json() == {
        "device_password": "xjrBKNe1A7VCO4KYxVfg",
        "friendly_name": "Workstation",
        "username": U2,
    }
    assert _names(stub) == ["Workstation"]


def test_made_up_device_passwords_are_of_the_documented_form_and_all_different(local_stub: Client) -> None:
    _enable(local_stub)
    made = [_make(local_stub, f"device {number}").json()["device_password"] for number in range(5)]
    assert len(set(made)) == 5
    assert all(len(password) == 20 and password.isalnum() for password in made)


def test_names_are_listed_in_the_order_of_making_in_every_store(
    make_stub: Callable[..., Client], tmp_path: Path
) -> None:
    names = ["b", "a", "C", "Z/z", "aa"]
    for state in ("memory", f"sqlite:///{tmp_path / 'state.db'}"):
        client = make_stub(state=state, clock=START)
        _enable(client)
        for name in names:
            assert _make(client, name).status == 200
        assert _names(client) == names


def test_a_name_is_taken_once(stub: Client) -> None:
    _enable(stub)
    assert _make(stub, "Workstation").status == 200
    assert _make(stub, "Workstation").status == 409
    assert _make(stub, "workstation").status == 200


def test_each_account_has_device_passwords_of_its_own(stub: Client) -> None:
    _enable(stub)
    assert _make(stub, "Workstation").status == 200
    u1 = ("u1@vonmail.com", "long-auth_token-here")
    assert stub.call("GET", DEVICES, user=u1).json() == {"2fa": {"device_password": []}}
    key = stub.call("POST", _path(u1[0]), user=u1).json()["2fa"]["key"]
    verify = {"username": u1[0], "otp": _code(key, START + 300)}
    assert stub.call("POST", VERIFY, user=u1, json=verify).status == 200
    assert stub.call("POST", DEVICES, user=u1, json={"friendly_name": "Workstation"}).status == 200
    assert stub.call("POST", DEVICES, user=u1, json={"friendly_name": "Laptop"}).status == 200
    assert _names(stub) == ["Workstation"]


@pytest.mark.parametrize("verified", [False, True])
def test_device_passwords_are_for_accounts_with_a_second_factor(stub: Client, *, verified: bool) -> None:
    assert _make(stub, "Workstation").status == 409
    if verified:
        _enable(stub)
    else:
        _start(stub)
    assert _make(stub, "Workstation").status == (200 if verified else 409)


def test_device_passwords_outlive_the_second_factor(stub: Client) -> None:
    _enable(stub)
    _make(stub, "Workstation")
    stub.call("DELETE", _path(U2), user="mail")
    assert _names(stub) == ["Workstation"]
    assert _make(stub, "Laptop").status == 409


@pytest.mark.parametrize("user", ["admin", "domain"])
def test_device_passwords_are_for_mail_users(stub: Client, user: str) -> None:
    _enable(stub, user)
    assert _make(stub, "Workstation", user).status == 403
    assert stub.call("GET", DEVICES, user=user).status == 403


def test_a_device_password_does_not_log_in(stub: Client) -> None:
    _enable(stub)
    password = _make(stub, "Workstation").json()["device_password"]
    stub.call("DELETE", _path(U2), user="mail")
    assert stub.call("POST", AUTH, user=None, json={"username": U2, "password": password}).status == 401


# ---- paths, and what must not be told


@pytest.mark.parametrize("path", [VERIFY, DEVICES])
def test_the_paths_beside_are_no_user_names(stub: Client, path: str) -> None:
    assert stub.call("DELETE", path, user="mail").status == 405


def test_secrets_stand_in_no_dump_and_no_journal(stub: Client) -> None:
    key = _enable(stub)
    told = [key, key.replace("-", "")]
    told.append(_make(stub, "Workstation").json()["device_password"])
    code = _code(key, START + 300)
    assert _log_in(stub, otp=code).status == 200
    assert _log_in(stub, otp=code).status == 401
    seen: list[Any] = [stub.control("GET", "/state"), stub.journal()]
    shown = json.dumps(seen)
    assert [secret for secret in (*told, code) if secret in shown] == []
