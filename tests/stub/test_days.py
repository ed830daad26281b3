"""A day of an administrator and a day of a MailUser, by `requests` against a stub that a command started.

Nothing here knows of the stub but its control API, which stands for what happens outside of HTTP: time, a DNS record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
import requests

from tests.conftest import Serve

START = 1_600_000_000
ADMIN_PASSWORD = "2xtoC5UGjMNieTBpGsAO"


class Server:
    """A mail server and what stands around it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.now = START

    def pass_time(self, seconds: int) -> None:
        """Let the world's clock go on."""
        self.now += seconds
        done = requests.put(f"{self.url}/__mock__/clock", json={"advance_seconds": seconds}, timeout=120)
        assert done.status_code == 200, done.text

    def publish(self, domain: str) -> None:
        """Let the DNS record be found that a pending name waits for."""
        done = requests.post(f"{self.url}/__mock__/mailcheap/domains/verify", json={"domain": domain}, timeout=120)
        assert done.status_code == 200, done.text


class Client:
    """Somebody who calls the API."""

    def __init__(self, server: Server, username: str, password: str) -> None:
        self.server, self.username, self.password = server, username, password
        self.secret: str | None = None
        self.session = requests.Session()

    def call(self, method: str, path: str, content: Any = None, *, status: int = 200, **query: Any) -> Any:
        """Return what a call is answered, which must have a status."""
        url = f"{self.server.url}/api/v1/{path}"
        answer = self.session.request(method, url, json=content, params=query, timeout=120)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        if status == 204:
            assert answer.content == b""
            assert answer.headers["Content-Type"].startswith("text/html")
            return None
        return answer.json()

    @property
    def otp(self) -> str:
        """What the account's authenticator shows now."""
        assert self.secret is not None
        return pyotp.TOTP(self.secret).at(self.server.now)

    def log_in(self) -> Any:
        """Get a token, and go on with it."""
        self.session.auth = None
        code = {} if self.secret is None else {"otp": self.otp}
        told = self.call("POST", "auth/", {"username": self.username, "password": self.password, **code})["auth"]
        assert told["status"] == "success"
        assert told["username"] == self.username
        assert told["valid_from"] == self.server.now
        assert told["valid_to"] - told["valid_from"] == 86_400
        self.session.auth = (self.username, told["auth_token"])
        return told

    def log_out(self) -> None:
        """Give the token back; it is worth nothing from then on."""
        told = self.call("DELETE", "auth/")
        assert told == {"auth": {"message": "Authorization revoked", "status": "revoked", "username": self.username}}
        self.call("GET", "auth/", status=401)

    def enable_2fa(self) -> None:
        """Give the account a second factor, as an authenticator app does."""
        offered = self.call("POST", f"2fa/{self.username}/")["2fa"]
        assert (offered["status"], offered["type"]) == ("pending_verification", "TOTP")
        self.secret = offered["key"].replace("-", "")
        assert pyotp.parse_uri(offered["uri"]).secret == self.secret
        wrong = f"{(int(self.otp) + 1) % 1_000_000:06}"
        refused = self.session.post(
            f"{self.server.url}/api/v1/2fa/verify/", json={"username": self.username, "otp": wrong}, timeout=10
        )
        assert 400 <= refused.status_code < 500
        enabled = self.call("POST", "2fa/verify/", {"username": self.username, "otp": self.otp})
        assert enabled == {"2fa": {"status": "enabled", "username": self.username}}
        assert self.call("GET", f"2fa/{self.username}/") == enabled


@pytest.fixture
def server(serve: Serve) -> Server:
    return Server(serve("--clock", str(START)).url)


def account(username: str, level: str, **members: Any) -> dict[str, Any]:
    return {
        "username": username,
        "password": "Str0ng-Password-Of-The-Day",
        "perm_level": level,
        "api_access": 1,
        "enabled": 1,
        "recovery_email": "recovery@domain.tld",
        "language": "en",
        **members,
    }


def test_a_day_of_an_administrator(server: Server) -> None:
    admin = Client(server, "admin", ADMIN_PASSWORD)
    assert admin.log_in()["perm_level"] == "MasterAdmin"

    # Two factors from now on: without the second one the door stays shut.
    admin.enable_2fa()
    admin.log_out()
    admin.session.auth = None
    admin.call("POST", "auth/", {"username": "admin", "password": ADMIN_PASSWORD}, status=401)
    server.pass_time(60)
    admin.log_in()
    before = admin.call("GET", "stats/mail/")

    # A domain: pending until its record is found.
    pending = admin.call("POST", "domains/", {"domain": "day.example"})
    assert (pending["status"], pending["verification_type"]) == ("pending_verification", "DNS TXT")
    waiting = admin.call("GET", "domains/")
    assert "day.example" not in waiting["domains"]
    assert {
        "domain": "day.example",
        "expire_time": pending["expire_time"],
        "verification_code": pending["verification_code"],
    } in waiting["domains_pending_verification"]
    server.publish("day.example")
    verified = admin.call("GET", "domains/")
    assert "day.example" in verified["domains"]
    assert not [one for one in verified["domains_pending_verification"] if one["domain"] == "day.example"]

    # A DomainAdmin for it, who creates its MailUsers and nothing else.
    quotas = {"quota_domains": 2, "quota_mailboxes": 3, "quota_aliases": 5, "quota_domainaliases": 2}
    created = admin.call(
        "POST",
        "accounts/",
        account("boss@day.example", "DomainAdmin", domains="day.example", storagequota_total=1000, **quotas),
    )
    assert "password" not in created
    boss = Client(server, "boss@day.example", "Str0ng-Password-Of-The-Day")
    assert boss.log_in()["perm_level"] == "DomainAdmin"
    for name in ("ann", "ben"):
        boss.call("POST", "accounts/", account(f"{name}@day.example", "MailUser", storagequota_total=100))
    weak = account("cy@day.example", "MailUser", storagequota_total=100) | {"password": "weak"}
    boss.call("POST", "accounts/", weak, status=422)
    boss.call("POST", "accounts/", account("cy@vonmail.com", "MailUser", storagequota_total=100), status=403)
    boss.call("POST", "accounts/", account("cy@day.example", "MasterAdmin"), status=403)
    seen = {one["username"] for one in boss.call("GET", "accounts/")["accounts"]}
    assert seen == {"boss@day.example", "ann@day.example", "ben@day.example"}

    # Thresholds and rules of the domain: applying, then applied.
    scores = {"reject": 12, "add_header": 5, "greylist": 4}
    told = boss.call("POST", "antispam/thresholds/domain/day.example/", scores)
    assert told == {"domain": "day.example", "scores": scores, "status": "applying"}
    boss.call("POST", "antispam/thresholds/domain/vonmail.com/", scores, status=403)
    boss.call("GET", "antispam/thresholds/global/", status=403)
    rules = {"action": "blacklist", "sender_domains": ["bad.example"], "sender_ips": ["203.0.113.0/24"]}
    assert boss.call("POST", "antispam/wlbl/domain/day.example/", rules)["status"] == "applying"
    server.pass_time(60)
    lists = boss.call("GET", "antispam/wlbl/domain/day.example/")
    assert lists["blacklist_status"] == "applied"
    assert lists["blacklisted_sender_domains"] == ["bad.example"]
    assert lists["blacklisted_sender_ips"] == ["203.0.113.0/24"]
    assert admin.call("PUT", "antispam/thresholds/global/", scores)["status"] == "applying"
    server.pass_time(60)
    assert admin.call("GET", "antispam/thresholds/global/") == {"scores": scores, "status": "applied"}

    # A MailUser of the new domain: shares, a filter, an autoreply.
    ann = Client(server, "ann@day.example", "Str0ng-Password-Of-The-Day")
    ann.log_in()
    shared = ann.call("PUT", "contacts/share/", {"friendly_name": "default", "recipients": ["ben@day.example"]})
    assert shared["status"] == "applying"
    server.pass_time(60)
    ben = Client(server, "ben@day.example", "Str0ng-Password-Of-The-Day")
    ben.log_in()
    (received,) = ben.call("GET", "contacts/share/")["shared_with_me"]
    assert (received["from"], received["friendly_name"], received["status"]) == (
        "ann@day.example",
        "default",
        "applied",
    )
    ann.call("POST", "sieve_filters/", sieve_filter(1))
    assert [one["filter_position"] for one in ann.call("GET", "sieve_filters/")["sieve_filters"]] == [1]
    assert ann.call("POST", "vacation_autoreply/", {"subject": "Away", "body": "Until the 15th."})["status"] == (
        "generating"
    )

    # All of it is counted, and by whom it was added.
    after = admin.call("GET", "stats/mail/")
    assert after["domains"] == before["domains"] + 1
    assert after["mailboxes"] == before["mailboxes"] + 2
    assert after["sieve_filters"] == before["sieve_filters"] + 1
    usage = {name: count for one in after["domainadmin_usage"] for name, count in one.items()}
    assert usage["boss@day.example"] == 2
    quota = admin.call("GET", "stats/quota/", search="@day.example", perm_level="MailUser")
    assert sorted(one["username"] for one in quota) == ["ann@day.example", "ben@day.example"]
    assert [one["use_percent"] for one in quota] == sorted((one["use_percent"] for one in quota), reverse=True)

    # Reset of what was set, and out.
    assert boss.call("DELETE", "antispam/thresholds/domain/day.example/")["status"] == "deleting"
    assert boss.call("DELETE", "antispam/wlbl/domain/day.example/", {"action": "blacklist"})["status"] == "deleting"
    server.pass_time(60)
    assert boss.call("GET", "antispam/wlbl/domain/day.example/")["blacklisted_sender_domains"] == []
    admin.call("PATCH", "accounts/ben@day.example/", {"enabled": 0})
    ben.call("GET", "contacts/share/", status=401)
    for client in (ann, boss, admin):
        client.log_out()


def sieve_filter(position: int) -> dict[str, Any]:
    return {
        "filter_position": position,
        "filter_name": "Jackpots",
        "match_type": "any_rule",
        "rules": [{"search_property": "Subject", "search_type": "contains", "search_term": "jackpot"}],
        "actions": [{"perform_action": "move", "action_arg": "Junk"}],
    }


def test_a_day_of_a_mail_user(server: Server) -> None:
    user = Client(server, "u1@vonmail.com", "Mailuser-Sample-u1")
    assert user.log_in()["perm_level"] == "MailUser"
    described = user.call("GET", "auth/")["auth"]
    assert (described["status"], described["message"]) == ("valid", "Authorization valid")

    # Itself is all that it sees, and may change of itself what everybody may.
    assert [one["username"] for one in user.call("GET", "accounts/")["accounts"]] == ["u1@vonmail.com"]
    own = "accounts/u1@vonmail.com/"
    assert user.call("PATCH", own, {"language": "de", "recovery_email": "u1@home.example"}) == {
        "language": "de",
        "recovery_email": "u1@home.example",
    }
    user.call("PATCH", own, {"password": "A-New-Passw0rd-Of-Mine"})
    user.call("PATCH", own, {"api_access": 0}, status=403)
    user.call("PATCH", "accounts/u2@vonmail.com/", {"language": "de"}, status=403)
    user.call("POST", "auth/", {"username": user.username, "password": user.password}, status=401)
    user.password = "A-New-Passw0rd-Of-Mine"
    user.log_in()

    # A second factor, and passwords for programs that know none.
    user.enable_2fa()
    made = user.call("POST", "2fa/device_password/", {"friendly_name": "Phone"})
    assert (made["friendly_name"], made["username"]) == ("Phone", "u1@vonmail.com")
    assert user.call("GET", "2fa/device_password/") == {"2fa": {"device_password": ["Phone"]}}
    first, second = (user.call("POST", f"webmail/password/{number}/")["webmail_password"] for number in (1, 2))
    assert first != second

    # Shares both ways, filters in their order, an autoreply.
    shared = user.call("PUT", "contacts/share/", {"friendly_name": "default", "recipients": ["u2@vonmail.com"]})
    assert shared["recipients"] == ["u2@vonmail.com"]
    server.pass_time(60)
    mine = {one["friendly_name"]: one for one in user.call("GET", "contacts/share/")["shared_by_me"]}
    assert mine["default"] == shared | {"status": "applied"}
    assert user.call("GET", "calendars/share/")["shared_by_me"]
    for position in (7, 3):
        user.call("POST", "sieve_filters/", sieve_filter(position))
    changed = sieve_filter(7) | {"match_type": "all_messages", "filter_name": "Everything"}
    del changed["rules"]
    user.call("PUT", "sieve_filters/", changed)
    filters = user.call("GET", "sieve_filters/")["sieve_filters"]
    named = {one["filter_position"]: one["filter_name"] for one in filters}
    assert list(named) == [1, 3, 7]
    assert (named[3], named[7]) == ("Jackpots", "Everything")
    away = {"subject": "Away", "body": "Until the 15th.", "start_time": START, "end_time": START + 86_400}
    assert user.call("POST", "vacation_autoreply/", away) == away | {"status": "generating"}
    longer = away | {"end_time": START + 172_800}
    assert user.call("PUT", "vacation_autoreply/", longer) == longer | {"status": "re-generating"}

    # What is not a MailUser's is not open to it.
    refused: list[Callable[[], Any]] = [
        lambda: user.call("GET", "settings/system_mailer/", status=403),
        lambda: user.call("GET", "domains/", status=403),
        lambda: user.call("POST", "accounts/", account("x@vonmail.com", "MailUser"), status=403),
        lambda: user.call("GET", "stats/mail/", status=403),
        lambda: user.call("GET", "stats/quota/", status=403),
        lambda: user.call("GET", "2fa/u2@vonmail.com/", status=403),
    ]
    for attempt in refused:
        attempt()

    # One factor again, and the token ends by itself after a day.
    user.call("DELETE", "2fa/u1@vonmail.com/", status=204)
    user.secret = None
    user.log_in()
    server.pass_time(86_400)
    user.call("GET", "auth/", status=401)
