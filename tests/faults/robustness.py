"""Faults under requests that nobody thought of: crashes, silence, and holes in the validation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.faults.catalogue import Catalogue, Plant, Stub
from tests.faults.messages import (
    DAYS,
    DESCRIBE,
    IMAP,
    LOGIN,
    MAILER,
    READ,
    RELAY,
    SECURED,
    WRITE,
    Call,
    Reply,
    crash,
    refusal,
)

ROBUSTNESS = Catalogue("robustness")
_CRASH = "no_server_error"
#: The suite's own name, and schemathesis' for the same claim.
_REFUSED = ("bodies_that_break_the_schema_are_refused", "negative_data_rejection")
_SILENCE = "the_server_answers"
_HANG_SECONDS = 30.0
_SLOW_SECONDS = 1.0


def _crashing(label: str, on: Callable[[Call], bool]) -> Plant:
    """Return the plant that crashes on some calls of an operation whose credentials are right."""

    def plant(call: Call, server: Stub) -> Reply:
        reply = server.send(call)
        return crash() if call.label == label and reply.status not in {401, 403} and on(call) else reply

    return plant


@ROBUSTNESS.plant(_CRASH, at=[WRITE[MAILER]])
def null_crashes(call: Call, server: Stub) -> Reply:
    """The body `null` makes a server fail that asks a dictionary for its members."""
    return _crashing(WRITE[MAILER], lambda call: call.body.strip() == b"null")(call, server)


@ROBUSTNESS.plant(_CRASH, at=[WRITE[DAYS]])
def list_crashes(call: Call, server: Stub) -> Reply:
    """A list in place of an object makes it fail."""
    return _crashing(WRITE[DAYS], lambda call: isinstance(call.json, list))(call, server)


@ROBUSTNESS.plant(_CRASH, at=[WRITE[RELAY]])
def empty_body_crashes(call: Call, server: Stub) -> Reply:
    """A request without content makes it fail."""
    return _crashing(WRITE[RELAY], lambda call: not call.body)(call, server)


@ROBUSTNESS.plant(_CRASH, at=[LOGIN])
def missing_member_crashes(call: Call, server: Stub) -> Reply:
    """A login without a password makes it fail: a KeyError that nobody catches."""
    return _crashing(LOGIN, lambda call: isinstance(call.json, dict) and "password" not in call.json)(call, server)


@ROBUSTNESS.plant(_CRASH, at=[WRITE[RELAY]])
def wrong_type_crashes(call: Call, server: Stub) -> Reply:
    """A number where a text is expected makes it fail: it has no method `strip`."""
    return _crashing(
        WRITE[RELAY],
        lambda call: isinstance(call.json, dict) and isinstance(call.json.get("server_hostname"), int | float),
    )(call, server)


@ROBUSTNESS.plant(_CRASH, at=[WRITE[IMAP]])
def malformed_json_crashes(call: Call, server: Stub) -> Reply:
    """A body that is no JSON makes it fail: the parser's exception is not caught."""
    return _crashing(WRITE[IMAP], lambda call: bool(call.body) and not _is_json(call.body))(call, server)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


@ROBUSTNESS.plant(_CRASH, at=[WRITE[IMAP]])
def deep_json_crashes(call: Call, server: Stub) -> Reply:
    """Thousands of nested lists make it fail: its parser recurses."""
    return _crashing(WRITE[IMAP], lambda call: call.body.count(b"[") > 900)(call, server)


@ROBUSTNESS.plant(_CRASH, at=[WRITE[MAILER]])
def emoji_crashes(call: Call, server: Stub) -> Reply:
    """A character beyond 16 bits makes it fail: the database's utf8 has three bytes."""
    return _crashing(
        WRITE[MAILER],
        lambda call: isinstance(call.json, dict) and any(char > "\uffff" for char in str(call.json.get("username"))),
    )(call, server)


@ROBUSTNESS.plant(_CRASH, at=[WRITE[DAYS]])
def long_number_crashes(call: Call, server: Stub) -> Reply:
    """A number beyond 32 bits makes it fail: the column cannot hold it."""
    return _crashing(WRITE[DAYS], _has_long_number)(call, server)


def _has_long_number(call: Call) -> bool:
    members = call.json.values() if isinstance(call.json, dict) else ()
    return any(isinstance(member, int) and abs(member) >= 2**31 for member in members)


@ROBUSTNESS.plant(_CRASH, at=SECURED)
def malformed_credentials_crash(call: Call, server: Stub) -> Reply:
    """Credentials that are no base64, or have no colon, make it fail on every operation."""
    reply = server.send(call)
    scheme, _, rest = (call.authorization or "").partition(" ")
    unusable = scheme.lower() == "basic" and not all(call.credentials) and ":" not in rest
    return crash() if reply.status == 401 and unusable else reply


@ROBUSTNESS.plant(_CRASH, at=[READ[IMAP], WRITE[IMAP]])
def intermittent_crash(call: Call, server: Stub) -> Reply:
    """Each twentieth call of a setting fails, for one of the servers behind the balancer is ill."""
    memory = server.memory(call)
    memory["calls"] = memory.get("calls", 0) + (call.label in {READ[IMAP], WRITE[IMAP]})
    reply = server.send(call)
    return crash() if call.label in {READ[IMAP], WRITE[IMAP]} and memory["calls"] % 20 == 0 else reply


@ROBUSTNESS.plant(_SILENCE, at=[WRITE[RELAY]], needs_socket=True)
def dropped_connection(call: Call, server: Stub) -> Reply:
    """A worker dies while it writes: the connection is closed without an answer."""
    reply = server.send(call)
    if call.label == WRITE[RELAY] and reply.ok:
        raise ConnectionResetError("dropped on purpose")
    return reply


@ROBUSTNESS.plant(_SILENCE, at=[DESCRIBE], needs_socket=True)
def no_answer(call: Call, server: Stub) -> Reply:
    """A call hangs, for it waits for a lock that nobody gives back."""
    reply = server.send(call)
    if call.label == DESCRIBE and reply.ok:
        server.closing.wait(_HANG_SECONDS)
    return reply


@ROBUSTNESS.plant(*_REFUSED, at=[WRITE[MAILER]])
def success_with_an_error_in_it(call: Call, server: Stub) -> Reply:
    """What is wrong gets 200, with an error in the content: a client takes it for done."""
    reply = server.send(call)
    if call.label != WRITE[MAILER] or reply.status != 422:
        return reply
    fields = (("Content-Type", "application/json"),)
    return Reply(200, fields, b"").with_json({"error": reply.json["detail"]})


@ROBUSTNESS.plant("malformed_json_is_refused", "negative_data_rejection", at=[WRITE[DAYS]])
def lenient_parser(call: Call, server: Stub) -> Reply:
    """What comes behind the first JSON value is not looked at."""
    try:
        _, end = json.JSONDecoder().raw_decode(call.body.decode())
    except (ValueError, RecursionError):
        return server.send(call)
    return server.send(call._replace(body=call.body[:end].strip()) if call.label == WRITE[DAYS] else call)


@ROBUSTNESS.plant("undocumented_media_types_are_refused", at=[WRITE[RELAY]], level="drift")
def any_media_type(call: Call, server: Stub) -> Reply:
    """JSON is taken under any media type, so that a web page's form can send it from another site."""
    return server.send(call._replace(content_type="application/json") if call.label == WRITE[RELAY] else call)


_MAIL_SERVERS = [WRITE[MAILER], WRITE[RELAY]]


@ROBUSTNESS.edit(*_REFUSED, at=_MAIL_SERVERS, level="drift")
def port_zero(document: dict[str, Any]) -> None:
    """Port 0 is taken, which nobody can connect to; the documentation tells no limits."""
    del _schemas(document)["ServerPort"]["minimum"]


@ROBUSTNESS.edit(*_REFUSED, at=_MAIL_SERVERS, level="drift")
def port_70000(document: dict[str, Any]) -> None:
    """Port 70000 is taken, which does not exist; the documentation tells no limits."""
    del _schemas(document)["ServerPort"]["maximum"]


@ROBUSTNESS.edit(*_REFUSED, at=_MAIL_SERVERS)
def port_of_any_type(document: dict[str, Any]) -> None:
    """A port that is no number is taken, and stored as it came."""
    del _schemas(document)["ServerPort"]["type"]


@ROBUSTNESS.edit(*_REFUSED, at=_MAIL_SERVERS, level="drift")
def incomplete_value(document: dict[str, Any]) -> None:
    """A value that lacks members is taken; which ones are required is our guess."""
    _schemas(document)["MailServer"]["required"] = []


@ROBUSTNESS.edit(*_REFUSED, at=[WRITE[DAYS]], level="drift")
def any_member(document: dict[str, Any]) -> None:
    """Members that nobody knows are taken, and come back: a misspelt one is never noticed."""
    _schemas(document)["ClearingInterval"]["additionalProperties"] = True


def _schemas(document: dict[str, Any]) -> dict[str, Any]:
    schemas: dict[str, Any] = document["components"]["schemas"]
    return schemas


@ROBUSTNESS.plant(_CRASH, at=[WRITE[RELAY]])
def nul_crashes(call: Call, server: Stub) -> Reply:
    """A NUL in a text makes it fail: the database's texts cannot hold one."""
    return _crashing(WRITE[RELAY], lambda call: any("\0" in text for text in _texts(call)))(call, server)


@ROBUSTNESS.plant(_CRASH, at=[WRITE[MAILER]])
def lone_surrogate_crashes(call: Call, server: Stub) -> Reply:
    """Half of a character makes it fail: it cannot be encoded for the database."""
    halves = range(0xD800, 0xE000)
    return _crashing(WRITE[MAILER], lambda call: any(ord(char) in halves for text in _texts(call) for char in text))(
        call, server
    )


@ROBUSTNESS.plant(_CRASH, at=[WRITE[RELAY]])
def long_text_crashes(call: Call, server: Stub) -> Reply:
    """A text of more than 65,535 bytes makes it fail: the column cannot hold it."""
    return _crashing(WRITE[RELAY], lambda call: any(len(text) > 65_535 for text in _texts(call)))(call, server)


def _texts(call: Call) -> list[str]:
    members = call.json.values() if isinstance(call.json, dict) else ()
    return [member for member in members if isinstance(member, str)]


@ROBUSTNESS.plant(_CRASH, at=[WRITE[RELAY]])
def huge_number_crashes(call: Call, server: Stub) -> Reply:
    """A number beyond 64 bits makes it fail, or one that is infinite to a float."""
    return _crashing(WRITE[RELAY], _has_huge_number)(call, server)


def _has_huge_number(call: Call) -> bool:
    members = call.json.values() if isinstance(call.json, dict) else ()
    return any(isinstance(member, int | float) and abs(member) >= 2**63 for member in members)


@ROBUSTNESS.plant(_CRASH, at=[WRITE[DAYS]])
def fraction_crashes(call: Call, server: Stub) -> Reply:
    """A number with a fraction makes it fail, be it zero."""
    members = call.json.values() if isinstance(call.json, dict) else ()
    return _crashing(WRITE[DAYS], lambda _call: any(isinstance(member, float) for member in members))(call, server)


@ROBUSTNESS.plant(_CRASH, at=[WRITE[RELAY]])
def repeated_member_crashes(call: Call, server: Stub) -> Reply:
    """A member that comes twice makes it fail: its parser refuses what the language's own takes."""
    return _crashing(WRITE[RELAY], _has_repeated_member)(call, server)


def _has_repeated_member(call: Call) -> bool:
    names: list[str] = []
    try:
        json.loads(call.body, object_pairs_hook=lambda pairs: names.extend(name for name, _ in pairs))
    except (ValueError, RecursionError):
        return False
    return len(names) > len(set(names))


@ROBUSTNESS.plant(_CRASH, at=[WRITE[DAYS]])
def large_body_crashes(call: Call, server: Stub) -> Reply:
    """Content of megabytes makes it fail: it is kept in a buffer of a fixed size."""
    return _crashing(WRITE[DAYS], lambda call: len(call.body) > 1_000_000)(call, server)


@ROBUSTNESS.plant("chunked_bodies_are_understood", at=[WRITE[MAILER]], level="drift")
def chunks_unread(call: Call, server: Stub) -> Reply:
    """Content without a length is not read: what comes in chunks is taken for nothing."""
    return server.send(call._replace(body=b"") if call.label == WRITE[MAILER] and _in_chunks(call) else call)


@ROBUSTNESS.plant(_CRASH, at=[WRITE[DAYS]])
def chunks_crash(call: Call, server: Stub) -> Reply:
    """Content without a length makes it fail: a KeyError for Content-Length."""
    return _crashing(WRITE[DAYS], _in_chunks)(call, server)


def _in_chunks(call: Call) -> bool:
    return call.environ.get("HTTP_TRANSFER_ENCODING") == "chunked"


@ROBUSTNESS.plant("whole_floats_are_integers", "positive_data_acceptance", at=[WRITE[DAYS]], level="drift")
def fraction_refused(call: Call, server: Stub) -> Reply:
    """A number of days with a fraction of zero is refused, though JSON Schema takes it for an integer."""
    members = call.json.values() if isinstance(call.json, dict) else ()
    strict = call.label == WRITE[DAYS] and any(isinstance(member, float) for member in members)
    # Tried in another world, so that nothing is stored that is refused.
    if strict and server.send(call._replace(world=f"{call.world}-tried")).ok:
        return refusal(422, "Unprocessable Content")
    return server.send(call)


@ROBUSTNESS.plant("repeats_get_the_same_answer", at=[READ[DAYS]])
def sometimes_refused(call: Call, server: Stub) -> Reply:
    """Each twentieth read by who may read is refused: one of the servers behind the balancer has an old list."""
    memory, reply = server.memory(call), server.send(call)
    if call.label != READ[DAYS] or not reply.ok:
        return reply
    memory["reads"] = memory.get("reads", 0) + 1
    return refusal(403, "Forbidden") if memory["reads"] % 20 == 0 else reply


@ROBUSTNESS.plant("answers_are_not_slow", at=[DESCRIBE], level="drift")
def slow_operation(call: Call, server: Stub) -> Reply:
    """One call takes a second where all others take milliseconds: it counts all there is."""
    if call.label == DESCRIBE:
        server.pause(_SLOW_SECONDS)
    return server.send(call)


@ROBUSTNESS.plant("empty_bodies_are_refused", "negative_data_rejection", at=[WRITE[IMAP]], level="drift")
def nothing_accepted(call: Call, server: Stub) -> Reply:
    """No content at all is taken for an empty object; that there must be one is our guess."""
    return server.send(call._replace(body=b"{}") if call.label == WRITE[IMAP] and not call.body else call)
