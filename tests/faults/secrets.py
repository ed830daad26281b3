"""Faults that give secrets away."""

from __future__ import annotations

import base64
from urllib.parse import quote

from tests.faults.catalogue import Catalogue, Stub
from tests.faults.messages import (
    DESCRIBE,
    IMAP,
    LOGIN,
    MAILER,
    READ,
    RELAY,
    RESET,
    REVOKE,
    SECURED,
    WRITE,
    Call,
    Reply,
)

SECRETS = Catalogue("secrets")
_LEAK = "no_secret_comes_back"


@SECRETS.plant(_LEAK, at=[WRITE[MAILER]])
def password_in_the_answer(call: Call, server: Stub) -> Reply:
    """A write is answered with all that was sent, password included."""
    reply = server.send(call)
    return reply.with_value(lambda _value: call.json) if call.label == WRITE[MAILER] else reply


@SECRETS.plant(_LEAK, at=[READ[RELAY]])
def password_read_back(call: Call, server: Stub) -> Reply:
    """A read shows the stored password, to whoever may read."""
    reply, memory = server.send(call), server.memory(call)
    if call.label == WRITE[RELAY] and reply.ok:
        memory["password"] = call.json["password"]
    if call.label != READ[RELAY]:
        return reply
    return reply.with_value(lambda value: value | {"password": memory["password"]})


@SECRETS.plant(_LEAK, at=[READ[MAILER]])
def older_password_read_back(call: Call, server: Stub) -> Reply:
    """A read shows a password that was set long ago, by somebody else."""
    reply = server.send(call)
    return reply.with_value(lambda value: value | {"password": "s3same!"}) if call.label == READ[MAILER] else reply


@SECRETS.plant(_LEAK, at=[WRITE[MAILER]])
def password_in_an_error(call: Call, server: Stub) -> Reply:
    """A rejection repeats the whole body that it rejects, so that the password is in every client's log."""
    reply = server.send(call)
    if call.label != WRITE[MAILER] or reply.status != 422:
        return reply
    return reply.with_json(reply.json | {"detail": f"cannot use {call.body.decode()}"})


@SECRETS.plant(_LEAK, at=[WRITE[RELAY]])
def password_in_a_header(call: Call, server: Stub) -> Reply:
    """A debugging field that somebody forgot carries the body, in base64."""
    reply = server.send(call)
    return reply.with_field("X-Debug", base64.b64encode(call.body).decode()) if call.label == WRITE[RELAY] else reply


@SECRETS.plant(_LEAK, at=[DESCRIBE])
def token_in_its_description(call: Call, server: Stub) -> Reply:
    """Reading about the token gives the token itself."""
    reply = server.send(call)
    return reply.changed(lambda auth: auth | {"auth_token": call.credentials[1]}) if call.label == DESCRIBE else reply


@SECRETS.plant(_LEAK, at=[LOGIN])
def password_in_the_login_answer(call: Call, server: Stub) -> Reply:
    """A login answers with the account as it is in the database, password included."""
    reply = server.send(call)
    return reply.changed(lambda auth: auth | {"password": call.json["password"]}) if call.label == LOGIN else reply


@SECRETS.plant(_LEAK, at=SECURED)
def credentials_in_a_refusal(call: Call, server: Stub) -> Reply:
    """Whoever has the wrong level is told which credentials came, word for word."""
    reply = server.send(call)
    if reply.status != 403:
        return reply
    return reply.with_json(reply.json | {"detail": f"refused: Authorization: {call.authorization}"})


@SECRETS.plant(_LEAK, at=[WRITE[MAILER]])
def password_in_a_link(call: Call, server: Stub) -> Reply:
    """A write is answered with a link to its log entry that holds the body, percent-encoded."""
    reply = server.send(call)
    if call.label != WRITE[MAILER] or not reply.ok:
        return reply
    return reply.with_field("Link", f"</log?entry={quote(call.body.decode('utf-8', 'replace'))}>; rel=log")


@SECRETS.plant(_LEAK, at=[WRITE[RELAY]])
def password_in_a_trace(call: Call, server: Stub) -> Reply:
    """A trace of an error, in base64, holds the body somewhere in its middle."""
    reply = server.send(call)
    if call.label != WRITE[RELAY] or reply.status != 422:
        return reply
    trace = base64.b64encode(b"Traceback: " + call.body).decode()
    return reply.with_json(reply.json | {"detail": trace})


@SECRETS.plant(_LEAK, at=[WRITE[MAILER]])
def password_in_hexadecimal(call: Call, server: Stub) -> Reply:
    """A write's entity tag is the body, in hexadecimal."""
    reply = server.send(call)
    return reply.with_field("ETag", f'"{call.body.hex()}"') if call.label == WRITE[MAILER] and reply.ok else reply


@SECRETS.plant(_LEAK, at=[WRITE[RELAY]])
def password_in_escapes(call: Call, server: Stub) -> Reply:
    """A rejection quotes the body as a text in which each character is an escape."""
    reply = server.send(call)
    if call.label != WRITE[RELAY] or reply.status != 422:
        return reply
    escaped = "".join(f"\\u{ord(char):04x}" for char in call.body.decode("utf-8", "replace"))
    return reply.with_json(reply.json | {"detail": escaped})


@SECRETS.plant(_LEAK, at=[RESET[IMAP]])
def master_password_in_the_reset(call: Call, server: Stub) -> Reply:
    """A reset says which password it has just cleared."""
    reply, memory = server.send(call), server.memory(call)
    if call.label == WRITE[IMAP] and reply.ok:
        memory["password"] = reply.json["settings"]["value"]
    if call.label != RESET[IMAP] or "password" not in memory:
        return reply
    return reply.with_field("X-Cleared", memory["password"])


@SECRETS.plant(_LEAK, at=SECURED)
def revoked_token_in_a_refusal(call: Call, server: Stub) -> Reply:
    """Whoever comes with a token that was revoked is told which one it was."""
    reply, revoked = server.send(call), server.memory(call)
    if call.label == REVOKE and reply.ok:
        revoked[call.authorization] = call.credentials[1]
    if reply.status != 401 or call.authorization not in revoked:
        return reply
    return reply.with_json(reply.json | {"detail": f"{revoked[call.authorization]} was revoked"})
