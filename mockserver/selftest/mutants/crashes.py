"""Requests that nobody thought of make a server fail, hang or drop the connection."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mockserver.http.pointers import child
from mockserver.selftest.catalogue import Behind, Catalogue, Mutation
from mockserver.selftest.mutated_operation import Subject
from mockserver.selftest.plants import crashing, only_here, replying
from mockserver.selftest.traffic import Call, Reply, crash, problem

CRASHES = Catalogue("crashes")
#: Longer than the suite waits for such a mutant, and no longer than it takes to be sure.
HANG_SECONDS = 1.5
_FLAKY_EVERY = 20
_SLOW_SECONDS = 0.55


def _values(call: Call) -> list[Any]:
    """Return every member's value in a call's JSON object, none where it is none."""
    return list(call.json.values()) if isinstance(call.json, dict) else []


def _texts(call: Call) -> list[str]:
    return [value for value in _values(call) if isinstance(value, str)]


def _is_malformed(call: Call) -> bool:
    try:
        json.loads(call.body)
    except (ValueError, RecursionError):
        return bool(call.body)
    return False


def _lacks_a_member(subject: Subject, call: Call) -> bool:
    """Tell whether a member is left out that the example has."""
    if not isinstance(subject.sample, dict) or not isinstance(call.json, dict):
        return False
    return any(name not in call.json and not subject.takes(call.json) for name in subject.sample)


def _wrong_type(subject: Subject, call: Call) -> bool:
    """Tell whether a text of the example is a number in the call."""
    if not isinstance(subject.sample, dict) or not isinstance(call.json, dict):
        return False
    return any(
        isinstance(value, str) and isinstance(call.json.get(name), int | float)
        for name, value in subject.sample.items()
    )


def _fraction(_subject: Subject, call: Call) -> bool:
    return any(isinstance(value, float) for value in _values(call))


def _huge(call: Call) -> bool:
    return any(isinstance(value, int) and abs(value) >= 2**31 for value in _values(call))


def _is_json_type(call: Call) -> bool:
    return (call.content_type or "").partition(";")[0].strip().lower() == "application/json"


def _takes_text(subject: Subject) -> bool:
    """Tell whether the operation takes a text."""
    return isinstance(subject.sample, dict) and any(isinstance(value, str) for value in subject.sample.values())


def _takes_number(subject: Subject) -> bool:
    return isinstance(subject.sample, dict) and any(isinstance(value, int) for value in subject.sample.values())


def _takes_members(subject: Subject) -> bool:
    """Tell whether the operation needs members in what it takes."""
    return isinstance(subject.sample, dict) and not subject.takes({})


def _takes_content(subject: Subject) -> bool:
    return subject.body is not None


#: Name, claim, which operations it applies to, on which of their calls it fails.
_ON_CONTENT: tuple[tuple[str, str, Callable[[Subject], bool], Callable[[Subject, Call], bool]], ...] = (
    ("null_crashes", "The content `null` makes it fail: it asks a dictionary for its members.", _takes_content,
     lambda _subject, call: call.body.strip() == b"null"),
    ("list_crashes", "A list in place of an object makes it fail.", _takes_content,
     lambda _subject, call: isinstance(call.json, list) and len(call.body) < 1000),
    ("text_crashes", "A text in place of an object makes it fail.", _takes_content,
     lambda _subject, call: isinstance(call.json, str)),
    ("empty_object_crashes", "An object without members makes it fail.", _takes_members,
     lambda _subject, call: call.json == {}),
    ("missing_content_crashes", "A call without content makes it fail.", _takes_content,
     lambda _subject, call: not call.body),
    ("missing_member_crashes", "A member that is left out makes it fail: a KeyError that nobody catches.",
     _takes_members, _lacks_a_member),
    ("unknown_member_crashes", "A member that nobody knows makes it fail: it becomes a keyword argument.",
     _takes_members, lambda subject, call: isinstance(call.json, dict) and bool(call.json.keys() - subject.sample)),
    ("null_member_crashes", "A member that is null makes it fail.", _takes_members,
     lambda _subject, call: None in _values(call)),
    ("wrong_type_crashes", "A number where a text is expected makes it fail: it has no method `strip`.",
     _takes_text, _wrong_type),
    ("fraction_crashes", "A fraction where a whole number is expected makes it fail.", _takes_number, _fraction),
    ("object_member_crashes", "An object in place of a text or number makes it fail.", _takes_members,
     lambda _subject, call: any(isinstance(value, dict) for value in _values(call))),
    ("malformed_json_crashes", "Content that is no JSON makes it fail: the parser's exception is not caught.",
     _takes_content, lambda _subject, call: _is_malformed(call)),
    ("bytes_beyond_utf_8_crash", "Content that is not UTF-8 makes it fail.", _takes_content,
     lambda _subject, call: b"\xff" in call.body or b"\xfe" in call.body),
    ("deep_json_crashes", "Thousands of nested lists make it fail: its parser recurses.", _takes_content,
     lambda _subject, call: call.body.count(b"[") > 900),
    ("large_content_crashes", "Content of more than a megabyte makes it fail.", _takes_content,
     lambda _subject, call: len(call.body) > 2**20),
    ("lone_surrogate_crashes", "Half of a UTF-16 pair makes it fail: it cannot be encoded.", _takes_content,
     lambda _subject, call: b"\\ud8" in call.body.lower()),
    ("nul_crashes", "The character U+0000 makes it fail: the database is written in C.", _takes_content,
     lambda _subject, call: b"\\u0000" in call.body),
    ("long_digits_crash", "A number of hundreds of digits makes it fail.", _takes_content,
     lambda _subject, call: b"9" * 300 in call.body),
    ("huge_number_crashes", "A number beyond 32 bits makes it fail: the column cannot hold it.", _takes_number,
     lambda _subject, call: _huge(call)),
    ("negative_number_crashes", "A number below 0 makes it fail.", _takes_number,
     lambda _subject, call: any(isinstance(value, int) and value < 0 for value in _values(call))),
    ("emoji_crashes", "A character beyond 16 bits makes it fail: the database's utf8 has three bytes.", _takes_text,
     lambda _subject, call: any(char > "\uffff" for text in _texts(call) for char in text)),
    ("quote_crashes", "A quote in a text makes it fail: it is put into SQL as it came.", _takes_text,
     lambda _subject, call: any("'" in text for text in _texts(call))),
    ("long_text_crashes", "A text of more than 255 characters makes it fail.", _takes_text,
     lambda _subject, call: any(len(text) > 255 for text in _texts(call))),
    ("empty_text_crashes", "An empty text makes it fail: its first character is looked at.", _takes_text,
     lambda _subject, call: "" in _texts(call)),
    ("other_media_type_crashes", "Another Content-Type makes it fail.", _takes_content,
     lambda _subject, call: bool(call.body) and bool(call.content_type) and not _is_json_type(call)),
    ("no_media_type_crashes", "Content without Content-Type makes it fail.", _takes_content,
     lambda _subject, call: bool(call.body) and not call.content_type),
    ("chunks_crash", "Content without a length makes it fail: a KeyError for Content-Length.", _takes_content,
     lambda _subject, call: bool(call.body) and not call.environ.get("CONTENT_LENGTH")),
    ("duplicate_members_crash", "An object with a name twice makes it fail.", _takes_content,
     lambda _subject, call: _has_duplicates(call.body)),
)  # fmt: skip


def _has_duplicates(body: bytes) -> bool:
    seen: list[bool] = []

    def pairs(items: list[tuple[str, Any]]) -> None:
        seen.append(len({name for name, _ in items}) < len(items))

    try:
        json.loads(body, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return False
    return any(seen)


def _on_content(
    name: str, claim: str, applies: Callable[[Subject], bool], when: Callable[[Subject, Call], bool]
) -> None:
    def make(subject: Subject) -> Mutation | None:
        if subject.body is None or not applies(subject):
            return None
        return crashing(subject, subject.universal("no_server_error"), lambda call: when(subject, call))

    CRASHES.add(name, claim, make)


for _row in _ON_CONTENT:
    _on_content(*_row)


@CRASHES.mutant
def malformed_credentials_crash(subject: Subject) -> Mutation | None:
    """Credentials that cannot be decoded make it fail: the decoder's exception is not caught."""
    if not subject.is_guarded:
        return None

    def change(call: Call, reply: Reply) -> Reply:
        scheme, _, rest = (call.authorization or "").partition(" ")
        broken = scheme.lower() == "basic" and bool(rest) and call.credentials == ("", "")
        return crash() if reply.status == 401 and broken else reply

    return replying(subject, subject.universal("no_server_error"), change)


@CRASHES.mutant
def no_colon_in_credentials_crashes(subject: Subject) -> Mutation | None:
    """Credentials without a colon make it fail: two values are unpacked from one."""
    if not subject.is_guarded:
        return None

    def change(call: Call, reply: Reply) -> Reply:
        username, secret = call.credentials
        return crash() if reply.status == 401 and username and not secret else reply

    return replying(subject, subject.universal("no_server_error"), change)


@CRASHES.mutant
def strangers_crash(subject: Subject) -> Mutation | None:
    """A call without credentials makes it fail: nobody is logged in, and somebody is asked for."""
    if not subject.is_guarded:
        return None
    signs = subject.universal("no_server_error")
    return replying(
        subject, signs, lambda call, reply: crash() if reply.status == 401 and call.authorization is None else reply
    )


@CRASHES.mutant
def one_call_in_twenty_fails(subject: Subject) -> Mutation | None:
    """Each twentieth call fails: one of twenty workers has lost its connection to the database."""

    def act(call: Call, server: Behind) -> Reply:
        reply, count = server.send(call), server.everywhere()
        count["calls"] = count.get("calls", 0) + 1
        return crash() if count["calls"] % _FLAKY_EVERY == 0 else reply

    return Mutation(only_here(subject, act), subject.universal("no_server_error"))


@CRASHES.mutant
def one_call_in_twenty_refused(subject: Subject) -> Mutation | None:
    """Each twentieth call by who may call is refused: one of the servers behind the balancer has an old list."""
    if not subject.operation.safe or not subject.is_guarded or subject.main is None or subject.main.status >= 300:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply, count = server.send(call), server.everywhere()
        if not reply.ok:
            return reply
        count["calls"] = count.get("calls", 0) + 1
        return problem(403, "Forbidden") if count["calls"] % _FLAKY_EVERY == 0 else reply

    signs = subject.stated(subject.operation.pointer, "repeats_get_the_same_answer")
    signs |= subject.stated(child(subject.operation.pointer, "x-mockserver-levels"), "allowed_levels_are_admitted")
    return Mutation(only_here(subject, act), signs)


@CRASHES.mutant
def first_call_fails(subject: Subject) -> Mutation | None:
    """The first call after a start fails: a connection is opened too late."""

    def act(call: Call, server: Behind) -> Reply:
        reply, seen = server.send(call), server.memory(call)
        if reply.status in {401, 403}:
            return reply
        first, seen["called"] = "called" not in seen, True
        return crash() if first else reply

    return Mutation(only_here(subject, act), subject.universal("no_server_error"))


@CRASHES.mutant
def no_answer(subject: Subject) -> Mutation | None:
    """There is no answer: the handler waits for a lock that nobody gives back."""

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        server.wait(HANG_SECONDS)
        return reply

    return Mutation(only_here(subject, act), subject.universal("the_server_answers"), slow=True)


@CRASHES.mutant
def answers_slow(subject: Subject) -> Mutation | None:
    """Answers take more than half a second, where those of other operations take none: an index is missing."""
    if all(item.path == subject.operation.path for item in subject.contract.operations):
        return None  # there is nothing to compare with

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        server.wait(_SLOW_SECONDS)
        return reply

    return Mutation(only_here(subject, act), subject.silent("answers_are_not_slow"))


@CRASHES.mutant
def answer_breaks_off(subject: Subject) -> Mutation | None:
    """More content is announced than comes: the process dies while it writes."""

    def change(_call: Call, reply: Reply) -> Reply:
        return reply.with_field("Content-Length", str(len(reply.body) + 100))

    plant = replying(subject, subject.universal("the_server_answers"), change).plant
    return Mutation(plant, subject.universal("the_server_answers"), slow=True)
