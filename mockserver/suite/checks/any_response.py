"""Checks that every response of a run goes through, whatever the request was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from mockserver.contract.model import DocumentedResponse
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.http.json import clip
from mockserver.http.pointers import child
from mockserver.suite.cases.expectations import expectation, shortcoming
from mockserver.suite.cases.observed_response import (
    UNREADABLE,
    ObservedResponse,
    content_value,
    field_readings,
    json_violations,
    violations,
)
from mockserver.suite.cases.request_kinds import kind_of_request
from mockserver.suite.cases.stream_items import (
    broken_keywords,
    describe_kind,
    framing_flaw,
    is_stream,
    is_valid_as_a_whole,
    item_schema,
    sequence_of,
)
from mockserver.suite.checks.protocol.entity_tags import entity_tags_follow_the_content
from mockserver.suite.checks.protocol.message_fields import fields_keep_to_their_form
from mockserver.suite.checks.secret_leaks import no_secret_comes_back, shown_write_only
from mockserver.suite.target.exchange import Exchange, NotJSON, TooLarge, WireResponse, is_json, parse_json
from mockserver.suite.target.framing import LEFT
from mockserver.suite.target.paths import read_off
from mockserver.suite.verdicts.causes import NOT_THERE, class_of, missing_field
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, describe, raise_failures

#: What follows in the description of a flaw is the value that was seen.
_FLAW = re.compile(r"[:,;(]")
#: Types of the members that RFC 9457, section 3.1, defines.
_PROBLEM_MEMBERS: dict[str, type | tuple[type, ...]] = {
    "type": str,
    "title": str,
    "status": int,
    "detail": str,
    "instance": str,
}
#: Returns whether there was anything to judge; raises CheckFailure, or a group of them, or NotRun.
ResponseCheck = Callable[[ObservedResponse], bool]


def no_server_error(observed: ObservedResponse) -> bool:
    """Check that a response is no server error (5xx), unless the contract documents that status."""
    status = observed.response.status
    if status == HTTPStatus.NOT_IMPLEMENTED and observed.operation is None:
        return True  # for a method that the contract does not define, either (RFC 9110, section 15.6.2)
    if status >= 500 and not _names_status(_documented(observed), status):
        raise observed.failure(
            "no_server_error",
            f"the server failed with {status}",
            expected="a success, or a 4xx that says what is wrong with the request",
            got=f"{status} {clip(observed.response.body.decode('utf-8', 'replace'))}",
            pointer=child(observed.place, "responses") if observed.operation else "",
            rule="universal",
            cause=_crash(observed),
        )
    return True


def status_is_documented(observed: ObservedResponse) -> bool:
    """Check that the contract documents the status code of a response for its operation."""
    status = observed.response.status
    if observed.operation is None or status >= 500:
        return False  # the latter is judged by no_server_error
    if observed.documented is not None:
        return True
    success = observed.operation.success()
    pointer = child(observed.operation.pointer, "responses")
    # An unlisted rejection or redirect does not contradict the documentation; another success does.
    against = observed.response.successful and success is not None
    raise observed.failure(
        "status_is_documented",
        f"the status {status} is not documented",
        expected="one of " + ", ".join(observed.operation.responses),
        got=str(status),
        pointer=success.pointer if against and success else pointer,
        rule="environment" if status == 429 else "contract" if against else "silent",
    )


def media_type_is_documented(observed: ObservedResponse) -> bool:
    """Check that the contract documents the media type of a response for its status code."""
    documented, response = observed.promised, observed.response
    if documented is None or observed.media_type is not None:
        return documented is not None
    shown = response.media_type or "none"
    if documented.content:
        content = next(iter(documented.content.values()))
        raise observed.failure(
            "media_type_is_documented",
            f"the content of a {response.status} is sent as {shown}",
            expected=" or ".join(documented.content),
            got=f"Content-Type: {shown}",
            pointer=content.pointer,
            rule="contract",
            cause=f"{class_of(response)} are sent as {shown}, not as {' or '.join(documented.content)}",
        )
    if response.body:
        raise observed.failure(
            "media_type_is_documented",
            f"a {response.status} has content, and none is documented",
            expected="no content",
            got=f"{len(response.body)} bytes of {shown}",
            pointer=documented.pointer,
            rule="silent",
            cause=f"{class_of(response)} have content where none is documented",
        )
    return True


def body_is_what_its_content_type_says(observed: ObservedResponse) -> bool:
    """Check that the content of a response can be read as the media type in its `Content-Type` field."""
    response = observed.response
    if observed.exchange.request.method == "HEAD":
        return False  # its fields describe content that it does not have (RFC 9110, section 9.3.2)
    problem = _not_as_called(response)
    if problem:
        raise observed.failure(
            "body_is_what_its_content_type_says",
            f"the content is not {response.media_type}, as its Content-Type says",
            expected=f"content of the media type {response.field('content-type')}",
            got=f"{problem}: {clip(response.body.decode('utf-8', 'replace'))}",
            pointer=observed.documented.pointer if observed.documented else observed.place,
            rule="universal",
        )
    return bool(response.media_type)


def answers_keep_to_http(observed: ObservedResponse) -> bool:
    """Check that the header fields of a response are valid, and its content is complete and encoded as they say."""
    response = observed.response
    if response.flaw:
        raise observed.failure(
            "answers_keep_to_http",
            "the response is not valid HTTP",
            expected="complete content, encoded as its fields say (RFC 9110, section 8.4; RFC 9112, section 6)",
            got=clip(response.flaw),
            pointer=observed.documented.pointer if observed.documented else observed.place,
            rule="universal",
            cause=f"the response is not valid HTTP: {_FLAW.split(response.flaw, maxsplit=1)[0]}",
        )
    return True


def headers_conform(observed: ObservedResponse) -> bool:
    """Check that a response has each required header field, with a value that is valid by its schema."""
    documented = observed.promised
    if documented is None or not documented.headers:
        return False
    failures = []
    for name, header in documented.headers.items():
        value = observed.response.field(name)
        if value is None and header.required:
            failures.append(
                observed.failure(
                    "headers_conform",
                    f"the field {name} is missing in a {observed.response.status}",
                    expected=f"the field {name}",
                    got="a response without it",
                    pointer=child(header.pointer, "required"),
                    rule="contract",
                    cause=missing_field(name),
                )
            )
        elif value is not None and header.schema is not None:
            failures += _header_violations(observed, name, value, header.schema)
    raise_failures(failures)
    return True


def body_conforms_to_its_schema(observed: ObservedResponse) -> bool:
    """Check that the content of a response is valid by the schema for its status code and media type."""
    schema = observed.media_type.schema if observed.media_type else None
    if schema is None or is_stream(observed.response.media_type):
        return False  # the latter is judged item by item
    response, validator = observed.response, observed.contract.validator(schema, "response")
    if is_json(response.media_type):
        if response.unread:
            raise NotRun(response.unread)
        if not _is_json(response):
            return False  # judged by body_is_what_its_content_type_says
        found = json_violations(validator, response)
    elif (value := content_value(response)) is UNREADABLE or validator.is_valid(_as_json(value)):
        return value is not UNREADABLE  # how an object is written in a text is not defined; JSON is one way
    else:
        found = violations(validator, value)
    failures: dict[str, CheckFailure] = {}
    for violation in found:
        if violation.keyword_pointer in failures:
            continue
        if violation.unknown and {name for name, _ in shown_write_only(observed)}.issuperset(violation.unknown):
            continue  # judged by no_secret_comes_back
        failures[violation.keyword_pointer] = _schema_failure(observed, violation, schema)
    raise_failures(failures.values())
    return True


def stream_items_conform_to_their_schema(observed: ObservedResponse) -> bool:
    """Check that each event, line or part of a stream is valid by `itemSchema`, or by the schema of its content.

    `itemSchema` is of OpenAPI 3.2; older contracts describe the data of one event or line, or a list of them.
    """
    response = observed.response
    found = sequence_of(response) if observed.media_type is not None else None
    documented = item_schema(observed.contract, observed.media_type) if found and observed.media_type else None
    if found is None or documented is None or not found.items:
        return False
    broken = broken_keywords(documented, found)
    if not broken or is_valid_as_a_whole(documented, response):
        return True
    raise_failures(
        observed.failure(
            "stream_items_conform_to_their_schema",
            f"{describe_kind(found.kind)} of a stream breaks {violation.keyword}",
            expected=expectation(violation, _limit(observed, violation)),
            got=f"item {number}: {shortcoming(violation)}",
            pointer=violation.keyword_pointer or documented.pointer,
            rule="contract",
        )
        for number, violation in broken.values()
    )
    return True


def _is_json(response: WireResponse) -> bool:
    try:
        response.json()
    except TooLarge:
        return True
    except NotJSON:
        return False
    return True


def _as_json(text: str) -> Any:
    """Return the JSON value that a text can be parsed to, or the text itself if it is not JSON."""
    try:
        return parse_json(text.encode())
    except NotJSON:
        return text


def problem_details_are_well_formed(observed: ObservedResponse) -> bool:
    """Check that the members of problem details have the types of RFC 9457, and `status` is the real status code."""
    response = observed.response
    if response.media_type != "application/problem+json":
        return False
    value = content_value(response)
    if not isinstance(value, dict):
        return False  # judged by body_is_what_its_content_type_says
    wrong = [
        name
        for name, kind in _PROBLEM_MEMBERS.items()
        if name in value and (not isinstance(value[name], kind) or isinstance(value[name], bool))
    ]
    if "status" in value and value["status"] != response.status:
        wrong.append("status")
    if wrong:
        raise observed.failure(
            "problem_details_are_well_formed",
            f"the problem details have a wrong {wrong[0]}",
            expected="members as in RFC 9457, section 3.1, and the response's own status code",
            got=f"{wrong[0]}: {describe(value[wrong[0]])} in a {response.status}",
            pointer=observed.documented.pointer if observed.documented else observed.place,
            rule="silent",
        )
    return True


#: Made on every response, in this order.
RESPONSE_CHECKS: tuple[ResponseCheck, ...] = (
    no_server_error,
    status_is_documented,
    media_type_is_documented,
    answers_keep_to_http,
    body_is_what_its_content_type_says,
    headers_conform,
    fields_keep_to_their_form,
    entity_tags_follow_the_content,
    body_conforms_to_its_schema,
    stream_items_conform_to_their_schema,
    no_secret_comes_back,
    problem_details_are_well_formed,
)


def _crash(observed: ObservedResponse) -> str:
    """Return the status code of a crash, and at what kind of request it came."""
    status = observed.response.status
    if status == HTTPStatus.NOT_IMPLEMENTED:
        return NOT_THERE
    kind = kind_of_request(observed.contract, observed.operation, observed.exchange.request)
    return f"the server fails with {status} for {kind}"


def no_response(operation: str, exchange: Exchange, pointer: str) -> CheckFailure:
    """Return the failure of the check that the server responds, for an exchange without a response."""
    return CheckFailure(
        "the_server_answers",
        operation,
        "the server sent no response",
        expected="an answer",
        got=exchange.problem,
        pointer=pointer,
        rule="universal",
        exchange=exchange,
    )


def _documented(observed: ObservedResponse) -> DocumentedResponse | None:
    """Return the documented response for a status code, even if a path parameter's value breaks its schema."""
    operation = observed.operation or observed.contract.by_label.get(observed.label)
    if operation is None or (
        observed.operation is None and not read_off(operation.path, observed.exchange.request.path)
    ):
        return None
    return operation.response_for(observed.response.status)


def _names_status(documented: DocumentedResponse | None, status: int) -> bool:
    """Tell whether the contract documents a 5xx status by its number or as 5XX; `default` does not count."""
    return documented is not None and documented.status in {str(status), f"{status // 100}XX"}


def _require_whole(response: WireResponse) -> None:
    """Raise NotRun if JSON content of a response was not read to its end.

    Raises:
        NotRun: it was not.
    """
    if response.unread and response.unread != LEFT:  # of a stream it is known that it is not one JSON text
        raise NotRun(response.unread)
    try:
        response.json()
    except TooLarge as reason:
        raise NotRun(str(reason)) from None
    except NotJSON:
        pass  # judged by another check


def _not_as_called(response: WireResponse) -> str:
    """Return why the content of a response is not of the media type that it is sent as, "" if it is."""
    if is_stream(response.media_type):
        return framing_flaw(response) if response.body else ""
    if is_json(response.media_type):
        # No content at all is right where the status says so (RFC 9110, sections 15.3.5 and 15.4.5).
        if not response.body and response.status in {204, 304}:
            return ""
        _require_whole(response)
        try:
            value = response.json()
        except NotJSON as error:
            return str(error)
        if response.media_type == "application/problem+json" and not isinstance(value, dict):
            return "problem details are a JSON object"
    elif response.media_type.startswith("text/"):
        charset = (response.field("content-type") or "").lower().partition("charset=")[2].strip('" ')
        try:
            response.body.decode(charset.partition(";")[0] or "utf-8")
        except (ValueError, LookupError) as error:  # a charset of any text, NUL included, is looked up
            cut = response.unread and isinstance(error, UnicodeDecodeError) and error.end == len(response.body)
            return str(error) if charset and not cut else ""
    return ""


def _header_violations(observed: ObservedResponse, name: str, value: str, schema: str) -> Iterator[CheckFailure]:
    validator = observed.contract.validator(schema, "response")
    meant, _ = observed.contract.schema(schema)
    kinds = meant.get("type", ()) if isinstance(meant, dict) else ()
    kinds = [kinds] if isinstance(kinds, str) else kinds
    broken = [list(validator.violations(reading)) for reading in field_readings(value, kinds)]
    if not all(broken):
        return
    # Violations of a reading of the right type say most, if there is one.
    for violation in next((found for found in broken if all(one.keyword != "type" for one in found)), broken[0]):
        yield observed.failure(
            "headers_conform",
            f"the field {name} of a {observed.response.status} breaks {violation.keyword}",
            expected=expectation(violation, _limit(observed, violation)),
            got=f"{name}: {clip(value)}",
            pointer=violation.keyword_pointer or schema,
            rule="contract",
            cause=f"the field {name} breaks {violation.keyword}",
        )


def _schema_failure(observed: ObservedResponse, violation: SchemaViolation, schema: str) -> CheckFailure:
    place = "/" + "/".join(map(str, violation.instance_path)) if violation.instance_path else "the content"
    secret = violation.keyword == "writeOnly"
    got = "a value, though it is writeOnly" if secret else shortcoming(violation)
    return observed.failure(
        "no_secret_comes_back" if secret else "body_conforms_to_its_schema",
        f"{place} of a {observed.response.status} breaks {violation.keyword}",
        expected=expectation(violation, _limit(observed, violation)),
        got=got,
        pointer=violation.keyword_pointer or schema,
        rule="universal" if secret else "contract",
        cause=_schema_cause(observed, violation),
    )


def _schema_cause(observed: ObservedResponse, violation: SchemaViolation) -> str:
    """Return what breaks a schema of a response, alike for the same member in responses of other operations."""
    if violation.keyword == "writeOnly":
        return "a value comes back that is writeOnly"
    if violation.unknown:
        return "responses have members that the contract does not list"
    if violation.keyword == "type" and violation.value is None:
        return "null is sent where the contract allows none"
    names = [name for name in violation.instance_path if isinstance(name, str)]
    if violation.keyword == "required" and violation.missing:
        return f"the member {describe(violation.missing[0])} is missing in responses"
    member = f"the member {describe(names[-1])} of responses" if names else "the content of responses"
    return f"{member} is not as documented: {expectation(violation, _limit(observed, violation))}"


def _limit(observed: ObservedResponse, violation: SchemaViolation) -> Any:
    if not violation.keyword_pointer:
        return None
    try:
        return observed.contract.at(violation.keyword_pointer)
    except LookupError:
        return None
