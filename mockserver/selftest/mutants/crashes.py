"""Mutants that fail with 500, hang or break off the response on unexpected requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.interceptors import failing_when, only_here, with_response
from mockserver.selftest.mutated_operation import MutatedOperation
from mockserver.selftest.traffic import MutantRequest, MutantResponse, crash, problem

CRASHES = Catalogue("crashes")
#: Tells whether a class applies to an operation.
_Applies = Callable[[MutatedOperation], bool]
#: Tells whether the server fails on a request for the operation.
_When = Callable[[MutatedOperation, MutantRequest], bool]
#: Longer than the suite waits for such a mutant, and no longer than it takes to be sure.
HANG_SECONDS = 1.5
_FLAKY_EVERY = 20
_SLOW_SECONDS = 0.55


def _values(request: MutantRequest) -> list[Any]:
    """Return the values of all members of a request's JSON object, empty if the content is no object."""
    return list(request.json.values()) if isinstance(request.json, dict) else []


def _texts(request: MutantRequest) -> list[str]:
    return [value for value in _values(request) if isinstance(value, str)]


def _is_malformed(request: MutantRequest) -> bool:
    try:
        json.loads(request.body)
    except (ValueError, RecursionError):
        return bool(request.body)
    return False


def _lacks_a_member(subject: MutatedOperation, request: MutantRequest) -> bool:
    """Tell whether a request is invalid and leaves out a member that the documented example has."""
    if not isinstance(subject.sample, dict) or not isinstance(request.json, dict):
        return False
    return any(name not in request.json and not subject.accepts(request.json) for name in subject.sample)


def _wrong_type(subject: MutatedOperation, request: MutantRequest) -> bool:
    """Tell whether a request has a number where the documented example has a string."""
    if not isinstance(subject.sample, dict) or not isinstance(request.json, dict):
        return False
    return any(
        isinstance(value, str) and isinstance(request.json.get(name), int | float)
        for name, value in subject.sample.items()
    )


def _fraction(_subject: MutatedOperation, request: MutantRequest) -> bool:
    return any(isinstance(value, float) for value in _values(request))


def _huge(request: MutantRequest) -> bool:
    return any(isinstance(value, int) and abs(value) >= 2**31 for value in _values(request))


def _is_json_type(request: MutantRequest) -> bool:
    return (request.content_type or "").partition(";")[0].strip().lower() == "application/json"


def _takes_text(subject: MutatedOperation) -> bool:
    """Tell whether the operation's request example has a member that is a string."""
    return isinstance(subject.sample, dict) and any(isinstance(value, str) for value in subject.sample.values())


def _takes_number(subject: MutatedOperation) -> bool:
    return isinstance(subject.sample, dict) and any(isinstance(value, int) for value in subject.sample.values())


def _takes_members(subject: MutatedOperation) -> bool:
    """Tell whether the operation's request content is an object with required members."""
    return isinstance(subject.sample, dict) and not subject.accepts({})


def _takes_content(subject: MutatedOperation) -> bool:
    return subject.body is not None


#: Name, fault, which operations it applies to, on which of their requests it fails.
_ON_CONTENT: tuple[tuple[str, str, _Applies, _When], ...] = (
    ("null_crashes", "Server that fails with 500 on the content `null`.", _takes_content,
     lambda _subject, request: request.body.strip() == b"null"),
    ("list_crashes", "Server that fails with 500 on an array in place of an object.", _takes_content,
     lambda _subject, request: isinstance(request.json, list) and len(request.body) < 1000),
    ("text_crashes", "Server that fails with 500 on a string in place of an object.", _takes_content,
     lambda _subject, request: isinstance(request.json, str)),
    ("empty_object_crashes", "Server that fails with 500 on an object without members.", _takes_members,
     lambda _subject, request: request.json == {}),
    ("missing_content_crashes", "Server that fails with 500 on a request without content.", _takes_content,
     lambda _subject, request: not request.body),
    ("missing_member_crashes", "Server that fails with 500 when a required member is missing: an uncaught KeyError.",
     _takes_members, _lacks_a_member),
    ("unknown_member_crashes", "Server that fails with 500 on an undefined member: it becomes a keyword argument.",
     _takes_members,
     lambda subject, request: isinstance(request.json, dict) and bool(request.json.keys() - subject.sample)),
    ("null_member_crashes", "Server that fails with 500 on a member that is null.", _takes_members,
     lambda _subject, request: None in _values(request)),
    ("wrong_type_crashes", "Server that fails with 500 on a number in place of a string.",
     _takes_text, _wrong_type),
    ("fraction_crashes", "Server that fails with 500 on a fraction in place of an integer.", _takes_number, _fraction),
    ("object_member_crashes", "Server that fails with 500 on an object in place of a string or number.", _takes_members,
     lambda _subject, request: any(isinstance(value, dict) for value in _values(request))),
    ("malformed_json_crashes", "Server that fails with 500 on malformed JSON: the parser's exception is not caught.",
     _takes_content, lambda _subject, request: _is_malformed(request)),
    ("bytes_beyond_utf_8_crash", "Server that fails with 500 on content that is not UTF-8.", _takes_content,
     lambda _subject, request: b"\xff" in request.body or b"\xfe" in request.body),
    ("deep_json_crashes", "Server that fails with 500 on thousands of nested arrays: its parser is recursive.",
     _takes_content,
     lambda _subject, request: request.body.count(b"[") > 900),
    ("large_content_crashes", "Server that fails with 500 on content of more than a megabyte.", _takes_content,
     lambda _subject, request: len(request.body) > 2**20),
    ("lone_surrogate_crashes", "Server that fails with 500 on a lone UTF-16 surrogate.", _takes_content,
     lambda _subject, request: b"\\ud8" in request.body.lower()),
    ("nul_crashes", "Server that fails with 500 on the character U+0000.", _takes_content,
     lambda _subject, request: b"\\u0000" in request.body),
    ("long_digits_crash", "Server that fails with 500 on a number of hundreds of digits.", _takes_content,
     lambda _subject, request: b"9" * 300 in request.body),
    ("huge_number_crashes", "Server that fails with 500 on a number beyond 32 bits: the column cannot hold it.",
     _takes_number,
     lambda _subject, request: _huge(request)),
    ("negative_number_crashes", "Server that fails with 500 on a negative number.", _takes_number,
     lambda _subject, request: any(isinstance(value, int) and value < 0 for value in _values(request))),
    ("emoji_crashes", "Server that fails with 500 on a character above U+FFFF.", _takes_text,
     lambda _subject, request: any(char > "\uffff" for text in _texts(request) for char in text)),
    ("quote_crashes", "Server that fails with 500 on a single quote in a string: it is pasted into SQL.", _takes_text,
     lambda _subject, request: any("'" in text for text in _texts(request))),
    ("long_text_crashes", "Server that fails with 500 on a string of more than 255 characters.", _takes_text,
     lambda _subject, request: any(len(text) > 255 for text in _texts(request))),
    ("empty_text_crashes", "Server that fails with 500 on an empty string.", _takes_text,
     lambda _subject, request: "" in _texts(request)),
    ("other_media_type_crashes", "Server that fails with 500 on another Content-Type than JSON.", _takes_content,
     lambda _subject, request: bool(request.body) and bool(request.content_type) and not _is_json_type(request)),
    ("no_media_type_crashes", "Server that fails with 500 on content without a Content-Type.", _takes_content,
     lambda _subject, request: bool(request.body) and not request.content_type),
    ("chunks_crash", "Server that fails with 500 on content without Content-Length.", _takes_content,
     lambda _subject, request: bool(request.body) and not request.environ.get("CONTENT_LENGTH")),
    ("duplicate_members_crash", "Server that fails with 500 on an object with the same member name twice.",
     _takes_content,
     lambda _subject, request: _has_duplicates(request.body)),
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
    name: str,
    fault: str,
    applies: _Applies,
    when: _When,
) -> None:
    def make(subject: MutatedOperation) -> Mutation | None:
        if subject.body is None or not applies(subject):
            return None
        return failing_when(subject, subject.universal("no_server_error"), lambda request: when(subject, request))

    CRASHES.add(name, fault, make)


for _row in _ON_CONTENT:
    _on_content(*_row)


@CRASHES.mutant
def malformed_credentials_crash(subject: MutatedOperation) -> Mutation | None:
    """Server that fails with 500 on credentials that cannot be decoded: the exception is not caught."""
    if not subject.names_users:
        return None

    def change(request: MutantRequest, response: MutantResponse) -> MutantResponse:
        scheme, _, rest = (request.authorization or "").partition(" ")
        broken = scheme.lower() == "basic" and bool(rest) and subject.shown(request) == ("", "")
        return crash() if response.status == 401 and broken else response

    return with_response(subject, subject.universal("no_server_error"), change)


@CRASHES.mutant
def no_colon_in_credentials_crashes(subject: MutatedOperation) -> Mutation | None:
    """Server that fails with 500 on Basic credentials without a colon."""
    if not subject.names_users:
        return None

    def change(request: MutantRequest, response: MutantResponse) -> MutantResponse:
        username, secret = subject.shown(request)
        return crash() if response.status == 401 and username and not secret else response

    return with_response(subject, subject.universal("no_server_error"), change)


@CRASHES.mutant
def strangers_crash(subject: MutatedOperation) -> Mutation | None:
    """Server that fails with 500 on requests without credentials."""
    entrance = subject.entrance
    if entrance is None:
        return None

    def change(request: MutantRequest, response: MutantResponse) -> MutantResponse:
        return crash() if response.status == 401 and entrance.text(request) is None else response

    return with_response(subject, subject.universal("no_server_error"), change)


@CRASHES.mutant
def one_call_in_twenty_fails(subject: MutatedOperation) -> Mutation | None:
    """Server that fails with 500 on each twentieth request: one of twenty workers is broken."""

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, count = server.send(request), server.shared_memory()
        count["requests"] = count.get("requests", 0) + 1
        return crash() if count["requests"] % _FLAKY_EVERY == 0 else response

    return Mutation(only_here(subject, act), subject.universal("no_server_error"))


@CRASHES.mutant
def one_call_in_twenty_refused(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses every twentieth request of an allowed account: one of several is misconfigured."""
    if not subject.operation.safe or not subject.is_guarded or subject.main is None or subject.main.status >= 300:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, count = server.send(request), server.memory(request)
        if not response.ok:
            return response
        count["calls"] = count.get("calls", 0) + 1
        return problem(403, "Forbidden") if count["calls"] % _FLAKY_EVERY == 0 else response

    return Mutation(only_here(subject, act), subject.stated(subject.operation.pointer, "repeats_get_the_same_answer"))


@CRASHES.mutant
def first_call_fails(subject: MutatedOperation) -> Mutation | None:
    """Server that fails with 500 on the first request after its start."""

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, seen = server.send(request), server.memory(request)
        if response.status in {401, 403}:
            return response
        first, seen["called"] = "called" not in seen, True
        return crash() if first else response

    return Mutation(only_here(subject, act), subject.universal("no_server_error"))


@CRASHES.mutant
def no_response(subject: MutatedOperation) -> Mutation | None:
    """Server that sends no response: the handler waits for a lock that is never released."""

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        server.wait(HANG_SECONDS)
        return response

    return Mutation(only_here(subject, act), subject.universal("the_server_answers"), slow=True)


@CRASHES.mutant
def slow_responses(subject: MutatedOperation) -> Mutation | None:
    """Server that takes more than half a second for an operation, unlike for others: an index is missing."""
    if all(item.path == subject.operation.path for item in subject.contract.operations):
        return None  # there is nothing to compare with

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        server.wait(_SLOW_SECONDS)
        return response

    return Mutation(only_here(subject, act), subject.silent("answers_are_not_slow"))


@CRASHES.mutant
def response_breaks_off(subject: MutatedOperation) -> Mutation | None:
    """Server that sends less content than Content-Length says: the process dies while it writes."""

    def change(_request: MutantRequest, response: MutantResponse) -> MutantResponse:
        return response.with_field("Content-Length", str(len(response.body) + 100))

    intercept = with_response(subject, subject.universal("the_server_answers"), change).intercept
    return Mutation(intercept, subject.universal("the_server_answers"), slow=True)
