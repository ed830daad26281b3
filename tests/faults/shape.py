"""Faults in the form of answers: names, types, media types, statuses."""

from __future__ import annotations

import time
from typing import Any

from tests.faults.catalogue import Catalogue, Stub
from tests.faults.messages import (
    DAYS,
    DESCRIBE,
    LOGIN,
    MAILER,
    READ,
    RELAY,
    RESET,
    WRITE,
    Call,
    Reply,
    refusal,
)

SHAPE = Catalogue("shape")
_SCHEMA = "body_conforms_to_its_schema"
_EXAMPLES = "documented_examples_come_out"


@SHAPE.plant("answers_name_the_resource", _SCHEMA, at=[READ[RELAY]])
def wrong_name(call: Call, server: Stub) -> Reply:
    """Two settings share a view, and its answer always bears the name of the first."""
    reply = server.send(call)
    return reply.changed(lambda setting: setting | {"name": MAILER}) if call.label == READ[RELAY] else reply


@SHAPE.plant(_SCHEMA, _EXAMPLES, at=[WRITE[MAILER]], level="drift")
def written_reads_applied(call: Call, server: Stub) -> Reply:
    """A write is answered with the status `applied`, where `applying` is shown."""
    reply = server.send(call)
    return reply.changed(lambda setting: setting | {"status": "applied"}) if call.label == WRITE[MAILER] else reply


@SHAPE.plant("reads_show_the_last_write", _EXAMPLES, at=[READ[DAYS]], level="drift")
def never_settles(call: Call, server: Stub) -> Reply:
    """A read tells `applying` for ever: the job that applies a change has died."""
    reply = server.send(call)
    return reply.changed(lambda setting: setting | {"status": "applying"}) if call.label == READ[DAYS] else reply


@SHAPE.plant("reads_show_the_last_write", _SCHEMA, at=[READ[MAILER]])
def missing_member(call: Call, server: Stub) -> Reply:
    """A read leaves the user name out, since the list of public members was forgotten to be extended."""
    reply = server.send(call)
    return reply.with_value(_without_username) if call.label == READ[MAILER] else reply


def _without_username(value: dict[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in value.items() if name != "username"}


@SHAPE.plant(_SCHEMA, "reads_show_the_last_write", at=[READ[RELAY]])
def port_as_text(call: Call, server: Stub) -> Reply:
    """A read gives the port as text, for it is kept in a table of texts."""
    reply = server.send(call)
    if call.label != READ[RELAY]:
        return reply
    return reply.with_value(lambda value: value | {"server_port": str(value["server_port"])})


@SHAPE.plant(_SCHEMA, at=[DESCRIBE])
def time_as_text(call: Call, server: Stub) -> Reply:
    """Times of a token are date-times, as the framework writes them, and not UNIX seconds."""
    reply = server.send(call)
    return reply.changed(_with_date_times) if call.label == DESCRIBE else reply


def _with_date_times(auth: dict[str, Any]) -> dict[str, Any]:
    return {
        name: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(member)) if name.startswith("valid_") else member
        for name, member in auth.items()
    }


@SHAPE.plant(_SCHEMA, at=[LOGIN])
def level_renamed(call: Call, server: Stub) -> Reply:
    """A login tells the permission level in words of its own."""
    reply = server.send(call)
    return reply.changed(lambda auth: auth | {"perm_level": "master-admin"}) if call.label == LOGIN else reply


@SHAPE.plant(_SCHEMA, "reads_show_the_last_write", at=[READ[DAYS]])
def no_envelope(call: Call, server: Stub) -> Reply:
    """A read gives the bare value, without the `settings` around it."""
    reply = server.send(call)
    if call.label != READ[DAYS] or reply.status != 200:
        return reply
    return reply.with_json(reply.json["settings"]["value"])


@SHAPE.plant(_SCHEMA, "reads_show_the_last_write", at=[READ[RELAY]])
def list_of_one(call: Call, server: Stub) -> Reply:
    """A read gives a list with one setting, as the database returned it."""
    reply = server.send(call)
    return reply.changed(lambda setting: [setting]) if call.label == READ[RELAY] else reply


@SHAPE.plant("media_type_is_documented", at=[READ[MAILER]])
def json_as_html(call: Call, server: Stub) -> Reply:
    """A read sends its JSON as text/html, the default of many frameworks for a text."""
    reply = server.send(call)
    if call.label != READ[MAILER] or reply.status != 200:
        return reply
    return reply.with_field("Content-Type", "text/html; charset=utf-8")


@SHAPE.plant("body_is_what_its_content_type_says", at=[WRITE[DAYS]])
def broken_json(call: Call, server: Stub) -> Reply:
    """A write's answer is printed by a template that leaves a comma behind the last member."""
    reply = server.send(call)
    if call.label != WRITE[DAYS] or not reply.ok:
        return reply
    return reply.with_body(reply.body.rstrip(b"}") + b",}}}")


@SHAPE.plant("body_is_what_its_content_type_says", at=[RESET[MAILER]])
def empty_answer(call: Call, server: Stub) -> Reply:
    """A reset answers 200 with nothing, and calls it JSON."""
    reply = server.send(call)
    return reply.with_body(b"") if call.label == RESET[MAILER] and reply.ok else reply


@SHAPE.plant("status_is_documented", _EXAMPLES, at=[WRITE[RELAY]], level="drift")
def created_instead_of_ok(call: Call, server: Stub) -> Reply:
    """A write answers 201; the documentation names no status, so that is another guess than ours."""
    reply = server.send(call)
    return reply._replace(status=201) if call.label == WRITE[RELAY] and reply.ok else reply


@SHAPE.plant("problem_details_are_well_formed", at=[WRITE[DAYS]], level="drift")
def problem_of_another_status(call: Call, server: Stub) -> Reply:
    """The problem details of a rejection tell the status 400, their answer 422: a proxy changed one of the two."""
    reply = server.send(call)
    if call.label != WRITE[DAYS] or reply.status != 422:
        return reply
    return reply.with_json(reply.json | {"status": 400})


@SHAPE.plant("never_set_reads_as_documented", "resets_end_the_value", _EXAMPLES, at=[READ[RELAY], RESET[RELAY]])
def never_set_is_404(call: Call, server: Stub) -> Reply:
    """What was never set is not found, where 204 is documented."""
    reply = server.send(call)
    return refusal(404, "Not Found") if call.label == READ[RELAY] and reply.status == 204 else reply


@SHAPE.plant("never_set_reads_as_documented", _SCHEMA, _EXAMPLES, at=[READ[MAILER], RESET[MAILER]])
def never_set_is_null(call: Call, server: Stub) -> Reply:
    """What was never set reads as a setting with the value null, where 204 is documented."""
    reply = server.send(call)
    if call.label != READ[MAILER] or reply.status != 204:
        return reply
    content = {"settings": {"name": MAILER, "status": "applied", "value": None}}
    return Reply(200, (("Content-Type", "application/json"),), b"").with_json(content)
