"""Faults of memory: what was written is not what is read."""

from __future__ import annotations

from tests.faults.catalogue import Catalogue, Stub
from tests.faults.messages import (
    ADMIN,
    BLOCK,
    DAYS,
    LISTED,
    LISTING,
    MAILER,
    READ,
    RELAY,
    RESET,
    SENDERS,
    UNBLOCK,
    WRITE,
    Call,
    Reply,
    refusal,
)

STATE = Catalogue("state")
_READ = "reads_show_the_last_write"
_LINKED, _LISTS = "links_show_what_they_say", f"{SENDERS}{{domain}}/"


@STATE.plant(_READ, at=[READ[DAYS]])
def stale_read(call: Call, server: Stub) -> Reply:
    """Reads come from a replica that is one write behind."""
    memory = server.memory(call)
    if call.label == WRITE[DAYS]:
        memory["behind"] = server.send(call.to(READ[DAYS]))
    reply = server.send(call)
    behind = memory.get("behind")
    return behind if call.label == READ[DAYS] and reply.status == 200 and behind and behind.status == 200 else reply


@STATE.plant(_READ, at=[READ[RELAY]])
def lost_write(call: Call, server: Stub) -> Reply:
    """A write of what is set already is answered, but not stored: an INSERT where an UPDATE was meant."""
    before = server.send(call.to(READ[RELAY])) if call.label == WRITE[RELAY] else None
    reply = server.send(call)
    if before and reply.ok and before.status == 200:
        server.send(call.to(WRITE[RELAY], before.json["settings"]["value"] | {"password": "kept-as-it-was"}))
    return reply


@STATE.plant("writes_leave_others_alone", at=[WRITE[MAILER], READ[RELAY]])
def cross_talk(call: Call, server: Stub) -> Reply:
    """A write of one setting also sets its neighbour, for both are rows of one table and the key is wrong."""
    reply = server.send(call)
    if call.label == WRITE[MAILER] and reply.ok:
        server.send(call._replace(path=call.path.replace(MAILER, RELAY)))
    return reply


@STATE.plant("writes_leave_others_alone", at=[WRITE[RELAY], RESET[RELAY], READ[MAILER]])
def reset_of_all(call: Call, server: Stub) -> Reply:
    """A reset of one setting resets another one, too: its DELETE lacks a condition."""
    reply = server.send(call)
    if call.label == RESET[RELAY] and reply.ok:
        server.send(call.to(RESET[MAILER]))
    return reply


@STATE.plant("resets_end_the_value", "never_set_reads_as_documented", at=[READ[DAYS], RESET[DAYS]])
def reset_forgotten(call: Call, server: Stub) -> Reply:
    """A reset is answered with `deleting`, and nothing is deleted."""
    if call.label != RESET[DAYS]:
        return server.send(call)
    before = server.send(call.to(READ[DAYS]))
    reply = server.send(call)
    if reply.ok and before.status == 200:
        server.send(call.to(WRITE[DAYS], before.json["settings"]["value"]))
    return reply


@STATE.plant("resets_can_be_repeated", "status_is_documented", at=[RESET[RELAY]], level="drift")
def reset_of_nothing_is_404(call: Call, server: Stub) -> Reply:
    """A reset of what was never set is not found, so that a reset cannot be repeated."""
    if call.label == RESET[RELAY] and server.send(call.to(READ[RELAY])).status == 204:
        return refusal(404, "Not Found")
    return server.send(call)


@STATE.plant("reads_change_nothing", _READ, at=[READ[MAILER]])
def read_consumes(call: Call, server: Stub) -> Reply:
    """A read takes the value away, as if from a queue: the next one finds nothing."""
    reply = server.send(call)
    if call.label == READ[MAILER] and reply.status == 200:
        server.send(call.to(RESET[MAILER]))
    return reply


@STATE.plant("valid_writes_are_accepted", "status_is_documented", at=[WRITE[DAYS]], level="drift")
def second_write_refused(call: Call, server: Stub) -> Reply:
    """What is set cannot be set again before it is reset: 409."""
    if call.label == WRITE[DAYS] and server.send(call.to(READ[DAYS])).status == 200:
        return refusal(409, "Conflict")
    return server.send(call)


@STATE.plant("rejected_writes_change_nothing", at=[WRITE[DAYS], READ[DAYS]])
def rejected_but_stored(call: Call, server: Stub) -> Reply:
    """A write is rejected after its valid members are stored: validation and storage go member by member."""
    reply = server.send(call)
    if call.label == WRITE[DAYS] and reply.status == 422 and isinstance(call.json, dict):
        for name, member in call.json.items():
            shown = server.send(call.to(READ[DAYS])).json
            if shown:
                server.send(call.to(WRITE[DAYS], shown["settings"]["value"] | {name: member}))
    return reply


@STATE.plant("refused_calls_change_nothing", at=[RESET[MAILER], READ[MAILER]])
def acts_before_it_asks(call: Call, server: Stub) -> Reply:
    """A reset without credentials gets its 401, but after the deed: the guard wraps the answer alone."""
    reply = server.send(call)
    if call.label == RESET[MAILER] and reply.status == 401:
        server.send(call.by(ADMIN))
    return reply


@STATE.plant("writes_can_be_repeated", "valid_writes_are_accepted", at=[WRITE[RELAY]], level="drift")
def same_write_refused(call: Call, server: Stub) -> Reply:
    """What is written already cannot be written again: 409, so that a client cannot try again after a silence."""
    memory = server.memory(call)
    if call.label == WRITE[RELAY] and memory.get("last") == call.body:
        return refusal(409, "Conflict")
    reply = server.send(call)
    if call.setting == RELAY and call.method != "GET" and reply.ok:
        memory["last"] = call.body
    return reply


@STATE.plant("writes_can_be_repeated", at=[WRITE[DAYS]])
def same_write_answered_with_nothing(call: Call, server: Stub) -> Reply:
    """A write that changes nothing is answered with empty values: the statement says that no row was changed."""
    memory, reply = server.memory(call), server.send(call)
    if call.setting != DAYS or call.method == "GET" or not reply.ok:
        return reply
    same, memory["last"] = memory.get("last") == call.json, call.json
    return reply.with_value(lambda value: dict.fromkeys(value, 0)) if same and call.method == "POST" else reply


@STATE.plant("writes_can_be_repeated", _READ, at=[WRITE[MAILER], READ[MAILER]])
def same_write_toggles(call: Call, server: Stub) -> Reply:
    """The same write again takes the value away, as a switch does."""
    memory, reply = server.memory(call), server.send(call)
    if call.setting == MAILER and call.method != "GET" and reply.ok:
        same, memory["last"] = memory.get("last") == call.body, call.body
        if same and call.method == "POST":
            server.send(call.to(RESET[MAILER]))
            memory["last"] = None
    return reply


@STATE.plant(_LINKED, at=[f"PUT {_LISTS}", f"POST {_LISTS}", f"GET {_LISTS}"], level="drift")
def networks_lost(call: Call, server: Stub) -> Reply:
    """A list of senders is replaced without its networks, which the column cannot hold; the answer shows them."""
    if call.label != BLOCK or not isinstance(call.json, dict) or not isinstance(call.json.get("sender_ips"), list):
        return server.send(call)
    addresses = [address for address in call.json["sender_ips"] if "/" not in str(address)]
    reply = server.send(call.with_json(call.json | {"sender_ips": addresses}))
    return reply.with_json(reply.json | {"sender_ips": call.json["sender_ips"]}) if reply.ok else reply


@STATE.plant(_LINKED, at=[f"DELETE {_LISTS}", f"POST {_LISTS}", f"GET {_LISTS}"], level="drift")
def list_not_cleared(call: Call, server: Stub) -> Reply:
    """That a list is cleared is answered, and nothing is: the job for it is never made."""
    if call.label != UNBLOCK or not isinstance(call.json, dict):
        return server.send(call)
    before = server.send(call.to(LISTED)).json
    reply = server.send(call)
    if reply.ok and before:
        action = call.json["action"]
        kinds = ("sender_domains", "sender_emails", "sender_ips")
        server.send(
            call.to(
                LISTING,
                {"action": action, **{kind: before[f"{action}ed_{kind}"] for kind in kinds}},
            )
        )
    return reply
