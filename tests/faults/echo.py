"""Faults that change values on their way in or out."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from tests.faults.catalogue import Catalogue, Plant, Stub
from tests.faults.messages import DAYS, IMAP, MAILER, READ, RELAY, WRITE, Call, Reply

ECHO = Catalogue("echo")
_ECHO = "writes_echo_the_request"


def _with_text(reply: Reply, member: str, change: Callable[[str], str]) -> Reply:
    """Return a reply with one text of the setting's value changed."""
    return reply.with_value(lambda value: value | {member: change(value[member])})


def _shown_otherwise(name: str, member: str, change: Callable[[str], str]) -> Plant:
    """Return the plant that changes one text of a setting wherever it is shown, as if it were stored so."""

    def plant(call: Call, server: Stub) -> Reply:
        reply = server.send(call)
        return _with_text(reply, member, change) if call.label in {WRITE[name], READ[name]} else reply

    return plant


_USERNAME = [WRITE[MAILER], READ[MAILER]]
_HOSTNAME = [WRITE[RELAY], READ[RELAY]]


@ECHO.plant(_ECHO, at=_USERNAME)
def lower_cased(call: Call, server: Stub) -> Reply:
    """User names are stored in lower case, though logins elsewhere heed it."""
    return _shown_otherwise(MAILER, "username", str.lower)(call, server)


@ECHO.plant(_ECHO, at=_USERNAME)
def trimmed(call: Call, server: Stub) -> Reply:
    """Spaces around a user name are dropped without a word."""
    return _shown_otherwise(MAILER, "username", str.strip)(call, server)


@ECHO.plant(_ECHO, at=_USERNAME)
def mojibake(call: Call, server: Stub) -> Reply:
    """The database connection takes UTF-8 for Latin-1: an accented name comes back as two letters."""
    return _shown_otherwise(MAILER, "username", lambda text: text.encode().decode("latin-1"))(call, server)


@ECHO.plant(_ECHO, at=_USERNAME)
def ascii_only(call: Call, server: Stub) -> Reply:
    """Letters that ASCII does not have become question marks."""
    return _shown_otherwise(MAILER, "username", lambda text: text.encode("ascii", "replace").decode())(call, server)


@ECHO.plant(_ECHO, at=_USERNAME)
def no_astral_characters(call: Call, server: Stub) -> Reply:
    """Characters beyond 16 bits, such as emoji, are cut: the column is MySQL's three-byte utf8."""
    return _shown_otherwise(MAILER, "username", lambda text: "".join(char for char in text if char <= "\uffff"))(
        call, server
    )


@ECHO.plant(_ECHO, at=_USERNAME)
def html_escaped(call: Call, server: Stub) -> Reply:
    """Values are escaped for HTML before they are stored: o'hara is called o&#x27;hara from then on."""
    return _shown_otherwise(MAILER, "username", html.escape)(call, server)


@ECHO.plant(_ECHO, at=_HOSTNAME)
def cut_short(call: Call, server: Stub) -> Reply:
    """A column of 64 characters cuts longer host names."""
    return _shown_otherwise(RELAY, "server_hostname", lambda text: text[:64])(call, server)


@ECHO.plant(_ECHO, at=_HOSTNAME)
def punycode(call: Call, server: Stub) -> Reply:
    """International host names come back in their ASCII form (RFC 3492)."""
    return _shown_otherwise(RELAY, "server_hostname", _to_ascii)(call, server)


def _to_ascii(hostname: str) -> str:
    try:
        return hostname.encode("idna").decode()
    except UnicodeError:
        return hostname


@ECHO.plant(_ECHO, at=[WRITE[DAYS], READ[DAYS]])
def swapped(call: Call, server: Stub) -> Reply:
    """Two numbers are swapped: the parameters of an INSERT stand in the wrong order."""

    def swap(value: dict[str, Any]) -> dict[str, Any]:
        return {"junk_days": value["trash_days"], "trash_days": value["junk_days"]}

    reply = server.send(call)
    return reply.with_value(swap) if call.label in {WRITE[DAYS], READ[DAYS]} else reply


@ECHO.plant(_ECHO, at=[WRITE[RELAY], READ[RELAY]])
def port_ignored(call: Call, server: Stub) -> Reply:
    """The port is always 587, whatever was sent."""
    reply = server.send(call)
    if call.setting != RELAY or call.method == "DELETE":
        return reply
    return reply.with_value(lambda value: value | {"server_port": 587})


@ECHO.plant("generated_values_are_new", at=[WRITE[IMAP], READ[IMAP]], level="drift")
def constant_password(call: Call, server: Stub) -> Reply:
    """The "generated" password is the same every time: the generator is seeded anew for each request."""
    reply = server.send(call)
    if call.setting != IMAP or call.method == "DELETE":
        return reply
    return reply.with_value(lambda _value: "kJ3dQ0xW7fLm2RtYb8Zc5NvG1sHp")


@ECHO.plant(_ECHO, at=[WRITE[RELAY], READ[RELAY]])
def port_with_a_sign(call: Call, server: Stub) -> Reply:
    """Ports are kept in 16 bits with a sign: the upper half comes back negative."""
    reply = server.send(call)
    if call.setting != RELAY or call.method == "DELETE":
        return reply
    return reply.with_value(lambda value: value | {"server_port": (value["server_port"] + 2**15) % 2**16 - 2**15})


@ECHO.plant(_ECHO, at=_USERNAME)
def long_name_cut(call: Call, server: Stub) -> Reply:
    """A column of 255 characters cuts longer user names."""
    return _shown_otherwise(MAILER, "username", lambda text: text[:255])(call, server)
