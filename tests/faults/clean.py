"""Servers that are other than the stub, and right: the suite must find no violation."""

from __future__ import annotations

from tests.faults.catalogue import Catalogue, Stub
from tests.faults.messages import LOGIN, MAILER, READ, SECURED, Call, Reply

#: `checks` are those that may speak, and only of drift.
CLEAN = Catalogue("shape")
_DELAY_SECONDS = 0.15
_SLOW_EVERY = 40


@CLEAN.plant(at=[])
def unchanged(call: Call, server: Stub) -> Reply:
    """The stub behind another HTTP server."""
    return server.send(call)


@CLEAN.plant(at=[], needs_socket=True)
def slow(call: Call, server: Stub) -> Reply:
    """Now and then an answer takes 150 ms, as one does while the server collects its garbage."""
    memory = server.memory(call)
    memory["calls"] = memory.get("calls", 0) + 1
    if memory["calls"] % _SLOW_EVERY == 0:
        server.closing.wait(_DELAY_SECONDS)
    return server.send(call)


@CLEAN.plant("media_type_is_documented", at=[*SECURED, LOGIN], level="drift")
def html_refusals(call: Call, server: Stub) -> Reply:
    """A 401 is a page for people, as web servers in front send it."""
    reply = server.send(call)
    if reply.status != 401:
        return reply
    return reply.with_field("Content-Type", "text/html").with_body(b"<h1>401 Unauthorized</h1>")


@CLEAN.plant("body_conforms_to_its_schema", at=[READ[MAILER]], level="drift")
def another_member(call: Call, server: Stub) -> Reply:
    """An answer has one member more than is documented; old clients do not mind."""
    reply = server.send(call)
    return reply.changed(lambda setting: setting | {"changed_by": "admin"}) if call.label == READ[MAILER] else reply


@CLEAN.plant(at=[])
def other_fields(call: Call, server: Stub) -> Reply:
    """Each answer has header fields that servers add: Date, Server, caching, HSTS."""
    reply = server.send(call)
    for name, value in (
        ("Server", "nginx"),
        ("Cache-Control", "no-store"),
        ("Strict-Transport-Security", "max-age=1"),
    ):
        reply = reply.with_field(name, value)
    return reply
