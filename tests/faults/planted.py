"""Four servers with a fault, for tests of what becomes of a finding; that faults are found is proved by mutants."""

from __future__ import annotations

from tests.faults.catalogue import Catalogue, Stub
from tests.faults.messages import MAILER, READ, RELAY, WRITE, Call, Reply, crash

PLANTED = Catalogue()
_READ = "reads_show_the_last_write"


@PLANTED.plant("body_conforms_to_its_schema", _READ, at=[READ[RELAY]])
def port_as_text(call: Call, server: Stub) -> Reply:
    """A read gives the port as text, for it is kept in a table of texts."""
    reply = server.send(call)
    if call.label != READ[RELAY]:
        return reply
    return reply.with_value(lambda value: value | {"server_port": str(value["server_port"])})


@PLANTED.plant("writes_echo_the_request", at=[WRITE[MAILER], READ[MAILER]])
def lower_cased(call: Call, server: Stub) -> Reply:
    """User names are stored in lower case, though logins elsewhere heed it."""
    reply = server.send(call)
    if call.label not in {WRITE[MAILER], READ[MAILER]}:
        return reply
    return reply.with_value(lambda value: value | {"username": value["username"].lower()})


@PLANTED.plant(_READ, at=[READ[RELAY]])
def lost_write(call: Call, server: Stub) -> Reply:
    """A write of what is set already is answered, but not stored: an INSERT where an UPDATE was meant."""
    before = server.send(call.to(READ[RELAY])) if call.label == WRITE[RELAY] else None
    reply = server.send(call)
    if before and reply.ok and before.status == 200:
        server.send(call.to(WRITE[RELAY], before.json["settings"]["value"] | {"password": "kept-as-it-was"}))
    return reply


@PLANTED.plant("no_server_error", at=[WRITE[MAILER]])
def emoji_crashes(call: Call, server: Stub) -> Reply:
    """A character beyond 16 bits makes it fail: the database's utf8 has three bytes."""
    reply = server.send(call)
    username = str(call.json.get("username")) if isinstance(call.json, dict) else ""
    beyond = call.label == WRITE[MAILER] and any(char > "\uffff" for char in username)
    return crash() if beyond and reply.status not in {401, 403} else reply
