"""Reworded failures: findings of schemathesis' own checks, tied to the statement of the contract that is broken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus

from mockserver.contract.exchanges import pairs_of
from mockserver.contract.model import MediaType, Operation, RequestBody
from mockserver.http.json import clip
from mockserver.http.media_types import covering, essence
from mockserver.http.pointers import child
from mockserver.suite.cases.expectations import shortcoming
from mockserver.suite.cases.observed_response import ObservedResponse
from mockserver.suite.cases.stream_items import is_stream
from mockserver.suite.checks.any_response import body_conforms_to_its_schema
from mockserver.suite.fuzz.schemathesis_failures import SchemathesisFailure, wording
from mockserver.suite.target.exchange import NotJSON, is_json, parse_json, same_json
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule

#: Checks of schemathesis that the suite makes, too; its own findings name the exact statement, so they replace these.
SAME_CHECK: Mapping[str, Collection[str]] = {
    "not_a_server_error": {"no_server_error"},
    "status_code_conformance": {"status_is_documented", "no_server_error"},
    "content_type_conformance": {"media_type_is_documented"},
    "response_headers_conformance": {"headers_conform"},
    "response_schema_conformance": {
        "body_conforms_to_its_schema",
        "body_is_what_its_content_type_says",
        "media_type_is_documented",
        "no_secret_comes_back",
    },
}
#: Header parameters of these names are ignored (OpenAPI 3.1, section 4.8.12.2), so none can be required.
_NO_PARAMETERS = ("accept", "content-type", "authorization")
#: Fields of a request that may be answered 412 (RFC 9110, section 13.1).
_CONDITIONS = ("If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since")
_WITHOUT_CONTENT = frozenset({204, 205, 304})
#: Checks that judge the request of an operation; they do not apply if the path belongs to another operation or to
#: none, as with an empty identifier.
_ABOUT_REQUESTS = frozenset(
    {
        "negative_data_rejection",
        "positive_data_acceptance",
        "ensure_resource_availability",
        "use_after_free",
        *SAME_CHECK,
    }
)


def reword(failure: SchemathesisFailure) -> CheckFailure | None:
    """Return a failure of a built-in check as one of the suite's, None if the suite judges the same by itself."""
    if failure.own & set(SAME_CHECK.get(failure.check, ())):
        return None
    if failure.check in _ABOUT_REQUESTS and failure.observed.operation is not failure.operation:
        return None  # a generated path happened to mean another operation of the contract
    if failure.check == "response_schema_conformance" and is_stream(failure.observed.response.media_type):
        return None  # it knows no streams of older contracts, and none that was left
    find = _STATEMENTS.get(failure.check, _the_operation)
    found = find(failure)
    if found is None:
        return None
    pointer, rule, got = found
    words = wording(failure)
    return CheckFailure(
        failure.check,
        failure.observed.label,
        words.title,
        expected=words.expected,
        got=got or words.got or str(failure.observed.response.status),
        pointer=pointer,
        rule=rule,
        exchange=failure.observed.exchange,
        cause=words.cause,
    )


_Statement = tuple[str, Rule, str]


def _broken_request(failure: SchemathesisFailure) -> _Statement | None:
    """Return the statement of the contract that an accepted invalid request breaks, a documented one if possible.

    None where there is nothing but its content, and that is valid: not every change of a schema makes a value invalid.
    """
    operation, observed = failure.operation, failure.observed
    body = operation.request_body
    for content in _sent_as(observed, body):
        if content.schema is None:
            continue
        sent = observed.exchange.request.body or b""
        if not is_json(content.name):
            return _broken_form(observed, content, sent)
        if not sent:
            assert body is not None
            return child(body.pointer, "required"), "contract" if body.required else "silent", ""
        try:
            value = parse_json(sent)
        except NotJSON:
            return content.pointer, "contract", f"{observed.response.status} for content that is not JSON"
        violations = list(observed.contract.validator(content.schema, "request").violations(value))
        violations.sort(key=lambda item: not observed.contract.provenance(item.keyword_pointer).documented)
        if violations:
            worst = violations[0]
            place = "/".join(map(str, worst.instance_path)) or "the content"
            got = f"{observed.response.status} for {place}: {clip(shortcoming(worst), 80)}"
            return worst.keyword_pointer, "contract", got
        if not operation.parameters and _is_documented(observed, body):
            return None
    return operation.pointer, "silent", ""


def _sent_as(observed: ObservedResponse, body: RequestBody | None) -> list[MediaType]:
    """Return the documented media type that content was sent as, or all of them if none fits."""
    documented = body.content if body is not None else {}
    sent = covering(documented, observed.exchange.request.field("Content-Type") or "")
    return list(documented.values()) if sent is None else [sent]


def _broken_form(observed: ObservedResponse, content: MediaType, sent: bytes) -> _Statement:
    """Return the statement that accepted form, text or XML content breaks: a missing required field, else none.

    In forms, text and XML a number is written like a text, so what was generated as a wrong type may be none.
    """
    assert content.schema is not None
    schema, pointer = observed.contract.schema(content.schema)
    required = schema.get("required", ()) if isinstance(schema, dict) and "form" in content.name else ()
    for name in required:
        place = child(pointer, "properties", name)
        if name in schema.get("properties", {}) and observed.contract.validator(place, "request").is_valid([]):
            continue  # a form has no other way to say that a list is empty than to leave it out
        if quote_plus(name).encode() not in sent and name.encode() not in sent:
            return child(pointer, "required"), "contract", f"{observed.response.status} without {name}"
    return content.pointer, "silent", ""


def _refused_request(failure: SchemathesisFailure) -> _Statement | None:
    """Return the statement of the contract that makes a refused request valid, None if the refusal is right."""
    operation, observed = failure.operation, failure.observed
    if observed.response.status == 406 and not _is_served(observed, operation):
        return None  # what was generated for `Accept`, where a contract declares it, takes nothing that is documented
    if observed.response.status == 412 and any(map(observed.exchange.request.field, _CONDITIONS)):
        # A made-up tag names no state (RFC 9110, section 15.5.13); another check judges whether 412 is documented.
        return None
    body = operation.request_body
    if observed.response.status == 415 and not _is_documented(observed, body):
        return None  # likewise for `Content-Type`
    for content in body.content.values() if body else ():
        try:
            value = parse_json(observed.exchange.request.body or b"")
        except NotJSON:
            break
        if any(same_json(example, value) for example in _refused_examples(operation)):
            return None  # the contract says itself that this one is refused
        is_sound = content.schema is None or observed.contract.validator(content.schema, "request").is_valid(value)
        for example in content.examples.values() if is_sound else ():
            if same_json(example.value, value):
                return example.pointer, "contract", ""
        if is_sound and str(observed.response.status) in _refusals(observed, content):
            return None
        # That a schema allows a value does not say that every server takes all of its values.
        return content.pointer, "silent", ""
    return operation.pointer, "silent", ""


def _refused_examples(operation: Operation) -> Iterator[Any]:
    """Yield the contents of request examples whose documented response is an error."""
    for pair in pairs_of(operation):
        if pair.request is not None and not pair.status.startswith("2"):
            yield pair.request.value


def _refusals(observed: ObservedResponse, content: MediaType) -> Iterator[str]:
    """Yield the error statuses that the contract documents for request examples that are valid by the schema.

    There the contract says itself that more than its schema decides: an end is not before its start.
    """
    for pair in pairs_of(observed.operation) if observed.operation is not None else ():
        if pair.request is None or pair.status.startswith("2") or pair.request_media_type != content.name:
            continue
        if content.schema is None or observed.contract.validator(content.schema, "request").is_valid(
            pair.request.value
        ):
            yield pair.status


def _is_served(observed: ObservedResponse, operation: Operation) -> bool:
    """Tell whether the request's `Accept` field allows a media type that the operation documents."""
    accept = (observed.exchange.request.field("Accept") or "*/*").lower()
    success = operation.success()
    offers = list(map(essence, success.content)) if success else []
    ranges = ["*/*", *offers, *(f"{offer.partition('/')[0]}/*" for offer in offers)]
    return not offers or any(one in accept for one in ranges)


def _is_documented(observed: ObservedResponse, body: RequestBody | None) -> bool:
    """Tell whether the content of a request was sent as a documented media type."""
    documented = body.content if body is not None else {}
    return not documented or covering(documented, observed.exchange.request.field("Content-Type") or "") is not None


def _security(failure: SchemathesisFailure) -> _Statement | None:
    if failure.observed.response.status >= 500:
        return None  # the finding of no_server_error
    rule: Rule = "universal" if failure.observed.response.successful else "silent"
    return child(failure.operation.pointer, "security"), rule, ""


def _header(failure: SchemathesisFailure) -> _Statement | None:
    if any(f"'{name}'" in failure.message.lower() for name in _NO_PARAMETERS):
        return None
    return _security(failure)


def _the_path(failure: SchemathesisFailure) -> _Statement | None:
    if failure.observed.response.status >= 500:
        return None  # the finding of no_server_error
    return failure.operation.pointer.rpartition("/")[0], "silent", ""


def _the_statuses(failure: SchemathesisFailure) -> _Statement | None:
    """Return the statement of the contract about the status codes of an operation, for an undocumented one."""
    return child(failure.operation.pointer, "responses"), "silent", ""


def _the_response(failure: SchemathesisFailure) -> _Statement | None:
    if failure.observed.response.status in _WITHOUT_CONTENT and not failure.observed.response.body:
        return None  # whatever content is documented there, HTTP knows none (RFC 9110, section 15.3.5)
    if failure.check == "response_schema_conformance" and _is_sound(failure.observed):
        return None  # the suite's own check reads schemas as contracts mean them, and found nothing
    documented = failure.observed.documented
    return (documented.pointer if documented else failure.operation.pointer), "contract", ""


def _is_sound(observed: ObservedResponse) -> bool:
    """Tell whether response content passes our own schema check, or is too long to be checked again."""
    if observed.response.unread:
        return True
    try:
        return body_conforms_to_its_schema(observed)
    except NotRun:
        return True


def _the_operation(failure: SchemathesisFailure) -> _Statement | None:
    return failure.operation.pointer, "contract", ""


def _documented_failure(_failure: SchemathesisFailure) -> _Statement | None:
    """Return None for every server error, since our own check judges each one that is not documented."""
    return None


_STATEMENTS: Mapping[str, Callable[[SchemathesisFailure], _Statement | None]] = {
    "not_a_server_error": _documented_failure,
    "status_code_conformance": _the_statuses,
    "content_type_conformance": _the_response,
    "response_headers_conformance": _the_response,
    "response_schema_conformance": _the_response,
    "negative_data_rejection": _broken_request,
    "positive_data_acceptance": _refused_request,
    "ignored_auth": _security,
    "missing_required_header": _header,
    "unsupported_method": _the_path,
    "allow_header_conformance": _the_path,
}

#: Names of the checks whose findings are reworded.
REWORDED = frozenset(_STATEMENTS)
