"""Servers that are other than the stub, and right: the suite must find no violation."""

from __future__ import annotations

import secrets
from typing import Any

from tests.faults.catalogue import ANYWHERE, Catalogue, Stub
from tests.faults.messages import (
    IMAP,
    LOGIN,
    MAILER,
    READ,
    RESET,
    SECURED,
    WRITE,
    Call,
    Reply,
    refusal,
)

#: `checks` are those that may speak, and only of drift; one of them must, where there are any.
CLEAN = Catalogue()
_DELAY_SECONDS = 0.15
_SLOW_EVERY = 40
#: So long reads show what was before a change.
_LAG_SECONDS = 2.0
_CHANGES = frozenset({*WRITE.values(), *RESET.values()})
_READS = frozenset(READ.values())


@CLEAN.plant(at=[])
def unchanged(call: Call, server: Stub) -> Reply:
    """The stub behind another HTTP server."""
    return server.send(call)


@CLEAN.plant(at=[])
def slow(call: Call, server: Stub) -> Reply:
    """Now and then an answer takes 150 ms, as one does while the server collects its garbage."""
    memory = server.memory(call)
    memory["calls"] = memory.get("calls", 0) + 1
    if memory["calls"] % _SLOW_EVERY == 0:
        server.pause(_DELAY_SECONDS)
    return server.send(call)


@CLEAN.plant(at=[])
def far_away(call: Call, server: Stub) -> Reply:
    """Each answer takes 150 ms, for it comes from another continent."""
    server.pause(_DELAY_SECONDS)
    return server.send(call)


@CLEAN.plant("status_is_documented", at=[*_CHANGES], level="drift")
def accepted(call: Call, server: Stub) -> Reply:
    """A change is answered with 202: it is accepted, and applied later."""
    reply = server.send(call)
    return reply._replace(status=202) if call.label in _CHANGES and reply.ok else reply


@CLEAN.plant("status_is_documented", at=[LOGIN, *WRITE.values()], level="drift")
def created(call: Call, server: Stub) -> Reply:
    """What makes something, a login included, is answered with 201."""
    reply = server.send(call)
    return reply._replace(status=201) if call.method == "POST" and reply.status == 200 else reply


@CLEAN.plant("media_type_is_documented", "headers_conform", at=[*SECURED, LOGIN], level="drift")
def html_refusals(call: Call, server: Stub) -> Reply:
    """A 401 is a page for people, without a challenge, as web servers in front send it."""
    reply = server.send(call)
    if reply.status != 401:
        return reply
    page = reply.with_field("Content-Type", "text/html").with_field("WWW-Authenticate", None)
    return page.with_body(b"<h1>401 Unauthorized</h1>")


@CLEAN.plant("body_conforms_to_its_schema", at=[READ[MAILER]], level="drift")
def another_member(call: Call, server: Stub) -> Reply:
    """An answer has one member more than is documented; old clients do not mind."""
    reply = server.send(call)
    return reply.changed(lambda setting: setting | {"changed_by": "admin"}) if call.label == READ[MAILER] else reply


@CLEAN.plant("body_conforms_to_its_schema", at=ANYWHERE, level="drift")
def extra_fields(call: Call, server: Stub) -> Reply:
    """Each success has members more than are documented, at the top and below."""
    reply = server.send(call)
    if not reply.ok or not isinstance(reply.json, dict):
        return reply
    server.memory(call)["revision"] = revision = server.memory(call).get("revision", 0) + 1
    reply = reply.changed(lambda content: content | {"changed_by": "admin", "revision": revision})
    if isinstance(reply.json.get("settings", {}).get("value"), dict):
        reply = reply.with_value(lambda value: value | {"read_at": revision, "default": False})
    return reply.with_json(reply.json | {"took": 0.003, "_links": {"self": {"href": call.path}}})


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


def _refused_with(status: int, *, instead_of: frozenset[int], reply: Reply) -> Reply:
    """Return a rejection of the content with another status, in its status line and its content."""
    if reply.status not in instead_of:
        return reply
    return refusal(status, "Rejected")


@CLEAN.plant(at=[])
def unprocessable(call: Call, server: Stub) -> Reply:
    """What is wrong with a body gets 422, be it no JSON at all."""
    return _refused_with(422, instead_of=frozenset({400}), reply=server.send(call))


@CLEAN.plant("status_is_documented", at=[LOGIN, *WRITE.values()], level="drift")
def bad_bodies_not_found(call: Call, server: Stub) -> Reply:
    """What is wrong with a body gets 404, as a framework answers whose routes match by content, too."""
    return _refused_with(404, instead_of=frozenset({400, 413, 415, 422}), reply=server.send(call))


@CLEAN.plant(at=[])
def charset(call: Call, server: Stub) -> Reply:
    """JSON is sent with a charset, which it does not have (RFC 8259, section 11), and which does no harm."""
    return _with_charset(server.send(call), "; charset=utf-8")


@CLEAN.plant(at=[])
def charset_in_capitals(call: Call, server: Stub) -> Reply:
    """JSON is sent with a charset in capitals, without a space, and with the media type in capitals."""
    return _with_charset(server.send(call), ";charset=UTF-8", str.title)


def _with_charset(reply: Reply, parameter: str, spelt: Any = str) -> Reply:
    media_type = reply.field("Content-Type") or ""
    return reply.with_field("Content-Type", spelt(media_type) + parameter) if "json" in media_type else reply


@CLEAN.plant(at=[])
def random_password(call: Call, server: Stub) -> Reply:
    """The generated password is another one each time, with letters that JSON escapes."""
    reply, memory = server.send(call), server.memory(call)
    if call.label == WRITE[IMAP] and reply.ok:
        memory["password"] = f'{secrets.token_urlsafe(18)}"\\/ü'
    if call.setting != IMAP or call.method == "DELETE":
        return reply
    return reply.with_value(lambda value: memory.get("password", value))


@CLEAN.plant("body_conforms_to_its_schema", at=[READ[MAILER], WRITE[MAILER]], level="drift")
def masked_password(call: Call, server: Stub) -> Reply:
    """A setting is shown with asterisks in place of its password."""
    reply = server.send(call)
    shown = call.label in {READ[MAILER], WRITE[MAILER]}
    return reply.with_value(lambda value: value | {"password": "********"}) if shown else reply


@CLEAN.plant(at=[])
def redirected_to_the_slash(call: Call, server: Stub) -> Reply:
    """A path without its last slash is redirected with 308 (RFC 9110, section 15.4.9) to the one with it."""
    if call.path.startswith("/api/") and not call.path.endswith("/"):
        return Reply(308, (("Location", f"{call.path}/"), ("Content-Length", "0")), b"")
    return server.send(call)


@CLEAN.plant("body_conforms_to_its_schema", at=[*_CHANGES], level="drift")
def applied_at_once(call: Call, server: Stub) -> Reply:
    """A change is answered with `applied`: it takes effect at once."""
    reply = server.send(call)
    return reply.changed(lambda setting: setting | {"status": "applied"}) if call.label in _CHANGES else reply


@CLEAN.plant("undefined_methods_are_refused", "unsupported_method", at=ANYWHERE, level="drift")
def no_allow_anywhere(call: Call, server: Stub) -> Reply:
    """A 405 does not say which methods there are."""
    reply = server.send(call)
    return reply.with_field("Allow", None) if reply.status == 405 else reply


@CLEAN.plant("whole_floats_are_integers", "positive_data_acceptance", at=[*WRITE.values()], level="drift")
def strict_integers(call: Call, server: Stub) -> Reply:
    """An integer that is written as 280.0 is refused, though JSON Schema takes it for one."""
    members = call.json.values() if isinstance(call.json, dict) else ()
    strict = call.label in WRITE.values() and any(isinstance(member, float) for member in members)
    # Tried in another world, so that nothing is stored that is refused.
    if strict and server.send(call._replace(world=f"{call.world}-tried")).ok:
        return refusal(422, "Unprocessable Content")
    return server.send(call)


@CLEAN.plant(at=[])
def closes_each_connection(call: Call, server: Stub) -> Reply:
    """Each connection is closed after its answer."""
    return server.send(call).with_field("Connection", "close")


@CLEAN.plant(at=[], settle_seconds=5.0)
def lagging_reads(call: Call, server: Stub) -> Reply:
    """For two seconds after a change reads show what was before it: they come from a replica."""
    memory = server.memory(call)
    behind: dict[str, tuple[float, Reply]] = memory.setdefault("behind", {})
    name, now = call.setting, server.now()
    since, before = behind.get(name, (float("-inf"), None))
    if call.label in _CHANGES:
        shown = before if before and now - since < _LAG_SECONDS else server.send(call.to(READ[name]))
        reply = server.send(call)
        if reply.ok and shown.ok:
            behind[name] = (now, shown)
        return reply
    reply = server.send(call)
    late = call.label in _READS and before is not None and now - since < _LAG_SECONDS
    return before if late and before and reply.ok else reply
