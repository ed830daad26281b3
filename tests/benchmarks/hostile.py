"""The soak's requests: what clients send, what careless ones send, and what attackers send."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tests.benchmarks.requests import ADMIN, AUTH, PASSWORD, SETTINGS, WireRequest, as_json, basic

NAMES = ("system_mailer", "postfix_relayhost", "junk_trash_clearing_interval", "imap_master_password")
#: Some names only: each world keeps its own seed data and journal.
WORLDS = ("", "", "", "", "/__world__/blue", "/__world__/green", "/__world__/red")
_JSON = {"Content-Type": "application/json"}
_ADMIN = {"Authorization": basic()}
_TEXTS = (
    *(
        "mail3.mymailcheap.com",
        "josé@vonmail.com",
        "山田 太郎",
        "😀",
        "o'hara",
        " spaces ",
        "a\u0000b",
        "\u202egnp",
    ),
    *(
        "x" * 253,
        "x" * 5000,
        "",
        "<script>alert(1)</script>",
        "'; DROP TABLE settings; --",
        "%00",
        "\r\nSet-Cookie: a=b",
    ),
)
_NUMBERS = (587, 0, -1, 1, 65535, 65536, 2**31, 2**63, 2**64, 10**40, 0.5, 1e308, 587.0)
_ODD: tuple[object, ...] = (None, True, [], {}, [[]], "587", "null", *_NUMBERS, *_TEXTS)
_MALFORMED = (
    *(
        b"",
        b"{",
        b"}",
        b"nul",
        b"NaN",
        b"{'a': 1}",
        b'{"a":1,}',
        b'{"a" 1}',
        b"\xff\xfe",
        b"\x00",
        b"[" * 500,
    ),
    *(b"[" * 200_000, b'{"a":' * 200 + b"1" + b"}" * 200, b'"\\ud800"', b'"\xed\xa0\x80"', b'{"a":1}{"b":2}'),
    *(b"9" * 5000, b'{"server_port":' + b"9" * 900 + b"}", b'"' + b"x" * 100_000, b'{"server_port": 1e999}'),
)
_CREDENTIALS = (
    *(
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ==",
        "Bearer long-auth_token-here",
        "basic " + basic()[6:],
    ),
    *(
        basic(token="wrong"),
        basic("nobody"),
        basic("domainadmin@vonmail.com", "long-auth_token-of-domainadmin"),
    ),
    *(
        basic("u2@vonmail.com", "long-auth_token-of-mailuser"),
        basic(token=""),
        basic(""),
        basic("josé", "ключ"),
    ),
    *(basic() + "x", "Basic " + "A" * 6000, "Digest username=admin"),
)
_PATHS = (
    *("/", "/api", "/api/v1/settings", f"{SETTINGS}system_mailer", "/api/v1/auth", f"{SETTINGS}%2e%2e/auth/"),
    *(
        f"{SETTINGS}%F0%9F%98%80/",
        f"{SETTINGS}%ff/",
        f"{SETTINGS}__proto__/",
        f"{SETTINGS}{'x' * 3000}/",
        "//",
        "/%00",
    ),
    *(
        "/__world__/",
        "/__world__/%20/api/v1/auth/",
        "/__mock__/nothing",
        "/../../etc/passwd",
        f"{AUTH}?a=%ff&a=1",
    ),
)
_MEDIA_TYPES = (
    "text/plain",
    "application/xml",
    "",
    "application/json; charset=latin-1",
    "json",
    "a" * 3000,
    "*/*",
)
_METHODS = ("PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get", "FOO")
_CONTROL = (
    *("health", "state", "journal", "journal?limit=3", "journal?limit=x", "journal?status=401", "clock"),
    *("journal?operation=auth_post", "nothing", "state?world=nowhere"),
)

Recipe = Callable[[], WireRequest]
_T = TypeVar("_T")


class Mix:
    """An endless series of requests; it learns the tokens that are issued, to use and revoke some."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._tokens: deque[tuple[str, str]] = deque(maxlen=50)
        self._large = b'{"server_hostname": "' + b"x" * 1_200_000 + b'"}'
        recipes: Mapping[Recipe, int] = {
            self._write: 30,
            self._read: 15,
            self._reset: 5,
            self._write_with_an_odd_value: 10,
            self._write_malformed: 8,
            self._write_with_odd_credentials: 8,
            self._write_as_another_media_type: 4,
            self._ask_for_an_odd_path: 6,
            self._use_an_odd_method: 4,
            self._log_in: 3,
            self._log_in_wrongly: 3,
            self._use_a_token: 4,
            self._revoke: 2,
            self._ask_the_control_api: 2,
            self._write_too_much: 1,
        }
        self._recipes = [recipe for recipe, weight in recipes.items() for _ in range(weight * 10)]
        # Content beyond the limit costs more to send than all the rest together: one in a thousand.
        self._recipes = self._recipes[: 1 - 10]

    def next(self) -> WireRequest:
        """Return the next request."""
        return self._chance.choice(self._recipes)()

    def learn(self, request: WireRequest, status: int, content: bytes) -> None:
        """Keep the token of a login that was answered."""
        if status == 200 and request.method == "POST" and request.path.endswith(AUTH):
            world = request.path.removesuffix(AUTH)
            self._tokens.append((world, json.loads(content)["auth"]["auth_token"]))

    def _setting(self, name: str | None = None) -> str:
        return f"{self._pick(WORLDS)}{SETTINGS}{name or self._pick(NAMES)}/"

    def _valid(self, name: str) -> object:
        if name == "imap_master_password":
            return {"null": None}
        if name == "junk_trash_clearing_interval":
            return {"junk_days": self._chance.randint(0, 36500), "trash_days": self._chance.randint(0, 36500)}
        return {
            "server_hostname": f"mail{self._chance.randint(1, 99)}.example.com",
            "server_port": self._chance.randint(1, 65535),
            "username": self._pick([text for text in _TEXTS if 0 < len(text) <= 253]),
            "password": f"secret-{self._chance.getrandbits(64):x}",
        }

    def _write(self) -> WireRequest:
        name = self._pick(NAMES)
        return WireRequest("POST", self._setting(name), as_json(self._valid(name)), {**_ADMIN, **_JSON})

    def _read(self) -> WireRequest:
        return WireRequest("GET", self._setting(), None, _ADMIN)

    def _reset(self) -> WireRequest:
        return WireRequest("DELETE", self._setting(), None, _ADMIN)

    def _write_with_an_odd_value(self) -> WireRequest:
        name = self._pick(NAMES[:3])
        value = self._valid(name)
        assert isinstance(value, dict)
        member = self._pick([*value, "unknown", "__proto__", ""])
        if self._chance.random() < 0.3:
            value.pop(member, None)
        else:
            value[member] = self._pick(_ODD)
        content = json.dumps(self._pick([value, value, value, [value], self._pick(_ODD)])).encode()
        return WireRequest("POST", self._setting(name), content, {**_ADMIN, **_JSON})

    def _write_malformed(self) -> WireRequest:
        # Two hundred thousand brackets are worth a try, not every other time.
        content = self._pick([item for item in _MALFORMED if len(item) < 50_000 or self._chance.random() < 0.02])
        return WireRequest("POST", self._pick([self._setting(), AUTH]), content, {**_ADMIN, **_JSON})

    def _write_with_odd_credentials(self) -> WireRequest:
        request = self._pick([self._write, self._read, self._reset])()
        field = self._pick(_CREDENTIALS)
        fields = {name: value for name, value in request.fields.items() if name != "Authorization"}
        if field:
            fields["Authorization"] = field
        return WireRequest(request.method, request.path, request.content, fields)

    def _write_as_another_media_type(self) -> WireRequest:
        request = self._write()
        field = {"Content-Type": self._pick(_MEDIA_TYPES)}
        return WireRequest(
            "POST", request.path, request.content, {**_ADMIN, **(field if field["Content-Type"] else {})}
        )

    def _ask_for_an_odd_path(self) -> WireRequest:
        method = self._pick(["GET", "POST"])  # a DELETE at a path that turns out to be auth would lock us out
        content = b"{}" if method == "POST" else None
        return WireRequest(method, self._pick(_PATHS), content, {**_ADMIN, **_JSON})

    def _use_an_odd_method(self) -> WireRequest:
        return WireRequest(self._pick(_METHODS), self._pick([self._setting(), AUTH]), None, _ADMIN)

    def _log_in(self) -> WireRequest:
        login = {"username": ADMIN, "password": PASSWORD}
        return WireRequest("POST", f"{self._pick(WORLDS)}{AUTH}", as_json(login), _JSON)

    def _log_in_wrongly(self) -> WireRequest:
        login = {"username": self._pick(_TEXTS), "password": self._pick(_ODD), "otp": self._pick(_ODD)}
        return WireRequest("POST", AUTH, json.dumps(login).encode(), _JSON)

    def _use_a_token(self) -> WireRequest:
        world, token = self._pick(self._tokens) if self._tokens else ("", "none")
        return WireRequest("GET", f"{world}{AUTH}", None, {"Authorization": basic(token=token)})

    def _revoke(self) -> WireRequest:
        world, token = self._tokens.popleft() if self._tokens else ("", "none")
        return WireRequest("DELETE", f"{world}{AUTH}", None, {"Authorization": basic(token=token)})

    def _ask_the_control_api(self) -> WireRequest:
        if self._chance.random() < 0.1:
            content = self._pick([b"{", b"[]", b'{"now": "x"}', b'{"now": -1}', b'{"advance_seconds": 1e400}'])
            return WireRequest("PUT", "/__mock__/clock", content, _JSON)
        return WireRequest("GET", f"/__mock__/{self._pick(_CONTROL)}")

    def _write_too_much(self) -> WireRequest:
        return WireRequest("POST", self._setting(NAMES[0]), self._large, {**_ADMIN, **_JSON})

    def _pick(self, items: Sequence[_T]) -> _T:
        return self._chance.choice(items)
