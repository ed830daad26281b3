"""What a fault sees: calls on their way to the stub, replies on their way back, and the contract's labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockserver.plugins import DEFAULT, find
from mockserver.stub.store.seed import Account, load_seed
from tests import defaults

SETTINGS = "/api/v1/settings/"
MAILER, RELAY, DAYS, IMAP = NAMES = (
    "system_mailer",
    "postfix_relayhost",
    "junk_trash_clearing_interval",
    "imap_master_password",
)
#: Labels of the operations, as the suite's reports have them.
READ, WRITE, RESET = ({name: f"{method} {SETTINGS}{name}/" for name in NAMES} for method in ("GET", "POST", "DELETE"))
LOGIN, DESCRIBE, REVOKE = (f"{method} /api/v1/auth/" for method in ("POST", "GET", "DELETE"))
#: Operations that ask for credentials, among those that runs are limited to.
SECURED = (*READ.values(), *WRITE.values(), *RESET.values(), DESCRIBE, REVOKE)

ADMIN, DOMAIN_ADMIN, MAIL_USER = "admin", "domainadmin@vonmail.com", "u2@vonmail.com"
#: What runs are limited to; mutants are made of all (mockserver/selftest).
OPERATIONS = ("setting_*", "auth_*")
#: Token, password and level of each seeded account that has a token; looked up at their use, as the API's files are.
TOKENS: Mapping[str, str]
PASSWORDS: Mapping[str, str]
LEVELS: Mapping[str, str]


def __getattr__(name: str) -> Mapping[str, str]:
    """Return what the seeded accounts have of a kind, by username."""
    if name not in {"TOKENS", "PASSWORDS", "LEVELS"}:
        raise AttributeError(name)
    accounts = load_seed(defaults.SEED_DATA, find(DEFAULT)).accounts
    of: Mapping[str, Callable[[Account], str]] = {
        "TOKENS": lambda account: account.tokens[0].token,
        "PASSWORDS": lambda account: account.password or "",
        "LEVELS": lambda account: account.level,
    }
    return {username: of[name](account) for username, account in accounts.items() if account.tokens}


def decode(content: bytes) -> Any:
    """Return the value of JSON text, or None where it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


class Call(NamedTuple):
    """A request; `path` is without world prefix, `environ` all that the WSGI server tells."""

    method: str
    path: str
    authorization: str | None
    content_type: str | None
    body: bytes
    world: str
    environ: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Method and path: the operation's label where the path has no parameter."""
        return f"{self.method} {self.path}"

    @property
    def json(self) -> Any:
        """The decoded body, or None where it is no JSON."""
        return decode(self.body)

    @property
    def setting(self) -> str:
        """Name of the setting that it is about, or ""."""
        name = self.path.removeprefix(SETTINGS).removesuffix("/")
        return name if name in NAMES else ""

    def with_json(self, value: Any) -> Call:
        """Return the same call with another body."""
        return self._replace(body=json.dumps(value).encode())

    def to(self, label: str, value: Any = None) -> Call:
        """Return another call by the same caller in the same world."""
        method, _, path = label.partition(" ")
        body = b"" if value is None else json.dumps(value).encode()
        return self._replace(method=method, path=path, body=body, content_type="application/json")


class Reply(NamedTuple):
    """A response."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it tells success."""
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The decoded body, or None where it is no JSON."""
        return decode(self.body)

    def field(self, name: str) -> str | None:
        """Return the value of a header field, or None."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    def with_json(self, value: Any) -> Reply:
        """Return the same response with another body."""
        return self.with_body(json.dumps(value).encode())

    def with_body(self, body: bytes) -> Reply:
        """Return the same response with another body, of which it tells the right length."""
        return self._replace(body=body).with_field("Content-Length", str(len(body)))

    def with_field(self, name: str, value: str | None) -> Reply:
        """Return the same response with a header field set, or left out where the value is None."""
        others = tuple(pair for pair in self.fields if pair[0].lower() != name.lower())
        return self._replace(fields=others if value is None else (*others, (name, value)))

    def changed(self, change: Callable[[Any], Any]) -> Reply:
        """Return a success with the content of its `settings` or `auth` changed; anything else as it is."""
        content = self.json
        if not self.ok or not isinstance(content, dict):
            return self
        return self.with_json(
            {name: change(member) if isinstance(member, dict) else member for name, member in content.items()}
        )

    def with_value(self, change: Callable[[Any], Any]) -> Reply:
        """Return a success with the setting's value changed; anything else as it is."""
        return self.changed(
            lambda setting: setting | {"value": change(setting["value"])} if "value" in setting else setting
        )


def refusal(status: int, title: str, **members: Any) -> Reply:
    """Return problem details (RFC 9457), as the stub's own look."""
    told = {"pointer": "", "expected": "another request", "message": title}
    content = {"type": "about:blank", "title": title, "status": status, "detail": title, "violations": [told]}
    fields = (("Content-Type", "application/problem+json"),)
    return Reply(status, fields, b"").with_json({**content, **members})


def crash() -> Reply:
    """Return what a framework answers when the code below it raises."""
    body = b"<!doctype html><title>500 Internal Server Error</title><h1>Internal Server Error</h1>"
    return Reply(500, (("Content-Type", "text/html; charset=utf-8"),), b"").with_body(body)
