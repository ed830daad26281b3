"""Requests for the direct tests of faults: one line each, and the tour that goes past everything."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.faults.messages import (
    ACCOUNTS,
    ADMIN,
    AUTH,
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
    NAMES,
    PASSWORDS,
    READ,
    RELAY,
    RESET,
    REVOKE,
    SENDERS,
    SETTINGS,
    TOKENS,
    UNBLOCK,
    UNKNOWN,
    WRITE,
    Reply,
    basic,
)
from tests.faults.server import FaultyServer

#: Two valid values of each setting.
VALUES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    MAILER: (
        {
            "server_hostname": "mail.example",
            "server_port": 587,
            "username": "Zoë",
            "password": "secret-of-one",
        },
        {
            "server_hostname": "b.example",
            "server_port": 25,
            "username": " o'hara 😀 ",
            "password": "secret-of-two",
        },
    ),
    RELAY: (
        {
            "server_hostname": "bücher.example",
            "server_port": 465,
            "username": "me",
            "password": "secret-three",
        },
        {
            "server_hostname": f"{'x' * 60}.example",
            "server_port": 1,
            "username": "me",
            "password": "secret-four",
        },
    ),
    DAYS: ({"junk_days": 7, "trash_days": 14}, {"junk_days": 1, "trash_days": 2}),
    IMAP: ({"null": None}, {}),
}
FIRST, SECOND = ({name: pair[number] for name, pair in VALUES.items()} for number in (0, 1))
#: What a login gives out first (fixtures/seed.yaml).
FIRST_ISSUED = "Woy1D6tHXVc1heFmzDnSZ5svoR81IbW5fxbA2lZq"
CLOCK = 1_582_536_600


class Step(NamedTuple):
    """A request; the label of its operation begins with the method."""

    label: str
    body: bytes = b""
    authorization: str | None = basic(ADMIN, TOKENS[ADMIN])
    content_type: str | None = "application/json"
    chunked: bool = False

    @property
    def operation(self) -> str:
        """Label of the operation that it is for, or of the nearest where the path is none of the contract's."""
        method, _, path = re.sub("/domain/[^/]+/", "/domain/{domain}/", self.label).partition(" ")
        if path.startswith(SENDERS):
            return f"{method} {path}"
        if not path.startswith(SETTINGS):
            return self.label
        name = path.removeprefix(SETTINGS).partition("/")[0]
        return f"{method} {SETTINGS}{name if name in NAMES else MAILER}/"


def send(label: str, value: Any = None, *, by: str | None = ADMIN, token: str | None = None) -> Step:
    """Return a request with JSON, by an account (None: by nobody) with its own or another token."""
    body = b"" if value is None else json.dumps(value).encode()
    return Step(label, body, None if by is None else basic(by, TOKENS[by] if token is None else token))


def login(username: str = ADMIN, password: str = PASSWORDS[ADMIN]) -> Step:
    """Return a login."""
    return send(LOGIN, {"username": username, "password": password}, by=None)


def walk(server: FaultyServer, steps: Iterable[Step]) -> list[Reply]:
    """Return what a server replies to each request in turn."""
    return [_ask(server, step) for step in steps]


def _ask(server: FaultyServer, step: Step) -> Reply:
    method, _, path = step.label.partition(" ")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(step.body),
        "CONTENT_LENGTH": str(len(step.body)),
    }
    if step.authorization is not None:
        environ["HTTP_AUTHORIZATION"] = step.authorization
    if step.content_type is not None:
        environ["CONTENT_TYPE"] = step.content_type
    if step.chunked:
        del environ["CONTENT_LENGTH"]
        environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(server(environ, lambda line, fields: started.append((line, fields))))
    line, fields = started[-1]
    return Reply(int(line.split()[0]), tuple(fields), body)


def _around(name: str) -> list[Step]:
    """Return the life of a setting, and what is refused on the way."""
    read, write, reset = send(READ[name]), WRITE[name], send(RESET[name])
    first, second = send(write, FIRST[name]), send(write, SECOND[name])
    refused = [
        *(step for label in (READ[name], write, RESET[name]) for step in _strangers(label, FIRST[name])),
        *(Step(write, body) for body in (b"null", b"[]", b"", b"{", b'{"a": 1} {}', b"[" * 1000)),
        send(write, FIRST[name] | {"server_port": 0, "junk_days": 2**40}),
        send(write, FIRST[name] | {"server_port": 70000, "server_hostname": 5}),
        send(write, FIRST[name] | {"server_port": 70000}),
        send(write, {"server_port": "587", "trash_days": "1"}),
        send(write, FIRST[name])._replace(content_type="text/plain"),
        send(f"PUT {SETTINGS}{name}/", FIRST[name]),
        send(f"PATCH {SETTINGS}{name}/", FIRST[name]),
        send(f"PUT {SETTINGS}{name}/", FIRST[name], by=None),
        send(f"HEAD {SETTINGS}{name}/", by=None),
    ]
    again = [send(write, FIRST[name], by=ADMIN)._replace(chunked=True), first, first]
    return [
        read,
        first,
        read,
        second,
        read,
        read,
        *refused,
        read,
        *_traps(name),
        reset,
        read,
        reset,
        first,
        read,
        *again,
        read,
    ]


def _traps(name: str) -> list[Step]:
    write, valid = WRITE[name], FIRST[name]
    texts = ("a\0b", "\ud800", "x" * 70_000, "x" * 300)
    return [
        *(send(write, valid | {"username": text}) for text in texts),
        send(write, {member: float(held) if isinstance(held, int) else held for member, held in valid.items()}),
        send(write, valid | {"server_port": 2**64}),
        send(write, valid | {"server_port": 65535}),
        Step(write, json.dumps(valid)[:-1].encode() + b', "server_port": 1, "server_port": 2}'),
        Step(write, b" " * 1_100_000 + json.dumps(valid).encode()),
    ]


def _strangers(label: str, value: dict[str, Any]) -> list[Step]:
    return [
        send(label, value, by=None),
        send(label, value, by=DOMAIN_ADMIN),
        send(label, value, by=MAIL_USER),
        send(label, value, token="nobody-was-given-this-token"),
        send(label, value, token=TOKENS[ADMIN].upper()),
        send(label, value, token=TOKENS[ADMIN] + "x"),
        send(label, value, token=TOKENS[ADMIN][:-1]),
        send(label, value, token=TOKENS[ADMIN][1:]),
        send(label, value, token=f" {TOKENS[ADMIN]} "),
        send(label, value, token=PASSWORDS[ADMIN]),
        send(label, value, token=TOKENS[MAIL_USER]),
        send(label, value, token=""),
        send(label, value)._replace(authorization="Basic !!!"),
        send(label, value)._replace(authorization="Bearer long-auth_token-here"),
    ]


#: After it every token that was issued is over.
EXPIRED = send("PUT /__mock__/clock", {"now": CLOCK + 10**8})
#: Past every operation, with everything that a fault could mind.
TOUR: tuple[Step, ...] = (
    *(step for name in NAMES for step in _around(name)),
    *(send(label) for label in UNKNOWN),
    *_strangers(DESCRIBE, {}),
    send(DESCRIBE),
    send(DESCRIBE, by=MAIL_USER),
    login(),
    login(password="wrong"),
    login(password=PASSWORDS[ADMIN].upper()),
    login(MAIL_USER, PASSWORDS[MAIL_USER]),
    send(LOGIN, {"username": ADMIN}),
    EXPIRED,
    send(DESCRIBE, token=FIRST_ISSUED),
    send(READ[DAYS], token=FIRST_ISSUED),
    send("PUT /__mock__/clock", {"now": CLOCK}),
    send(DESCRIBE, token=FIRST_ISSUED),
    send(REVOKE, token=FIRST_ISSUED),
    send(DESCRIBE, token=FIRST_ISSUED),
    send(f"PUT {AUTH}", {}),
    send(f"GET {SETTINGS}{RELAY}/below/"),
    send(f"GET {SETTINGS}{RELAY}"),
    send(WRITE[MAILER], FIRST[MAILER]),
    send(RESET[RELAY]),
    send(READ[MAILER]),
    *(send(label, {"action": "blacklist", "sender_ips": ["192.0.2.0/24"]}) for label in (LISTING, BLOCK)),
    send(LISTED),
    send(f"GET {SENDERS}other.example/", by=DOMAIN_ADMIN),
    send(ACCOUNTS, by=DOMAIN_ADMIN),
    send(UNBLOCK, {"action": "blacklist"}),
    send(LISTED),
    *([send(READ[DAYS])] * 20),
)
