"""Mutants that send malformed content, wrong media types, or no required header fields."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.http.media_types import is_json
from mockserver.http.pointers import child
from mockserver.selftest.catalogue import Catalogue, Mutation
from mockserver.selftest.interceptors import with_main, with_response
from mockserver.selftest.mutated_operation import MutatedOperation
from mockserver.selftest.traffic import MutantResponse

CONTENT = Catalogue("content")


def _no_json(name: str, fault: str, change: Callable[[bytes], bytes]) -> None:
    """Register a class of mutants that send malformed content with the media type of JSON."""

    def make(subject: MutatedOperation) -> Mutation | None:
        signs = subject.universal("body_is_what_its_content_type_says")
        return with_main(subject, signs, lambda response: response._replace(body=change(response.body)))

    CONTENT.add(name, fault, make)


_NO_JSON: tuple[tuple[str, str, Callable[[bytes], bytes]], ...] = (
    ("json_truncated", "Server that sends half of the JSON document.", lambda body: body[: len(body) * 2 // 3]),
    ("json_last_byte_lost", "Server that leaves out the last byte of the content.", lambda body: body[:-1]),
    ("json_with_trailing_comma", "Server that writes a comma after the last member: JSON from a text template.",
     lambda body: body[:-1] + b",}"),
    ("json_with_single_quotes", "Server that writes JSON with single quotes, as its language prints values.",
     lambda body: body.replace(b'"', b"'")),
    ("json_with_nan", "Server that writes NaN for a missing number.", lambda body: body[:-1] + b', "load": NaN}'),
    ("json_behind_a_notice", "Server that writes an interpreter's warning in front of the JSON.",
     lambda body: b"Warning: deprecated in index.php on line 7\n" + body),
    ("json_twice", "Server that sends the JSON document twice.", lambda body: body + body),
    ("json_in_utf_16", "Server that encodes JSON in UTF-16.",
     lambda body: body.decode("utf-8", "replace").encode("utf-16")),
    ("json_empty", "Server that sends empty content with the media type of JSON.", lambda _body: b""),
)  # fmt: skip

for _row in _NO_JSON:
    _no_json(*_row)


@CONTENT.mutant
def json_as_html(subject: MutatedOperation) -> Mutation | None:
    """Server that sends JSON with the media type text/html, many frameworks' default for strings."""
    if subject.main is None:
        return None
    signs = subject.stated(subject.main.content.pointer, "media_type_is_documented")
    return with_main(subject, signs, lambda response: response.with_field("Content-Type", "text/html; charset=utf-8"))


@CONTENT.mutant
def json_as_nothing(subject: MutatedOperation) -> Mutation | None:
    """Server that sends JSON without a Content-Type field."""
    if subject.main is None:
        return None
    signs = subject.stated(subject.main.content.pointer, "media_type_is_documented")
    return with_main(subject, signs, lambda response: response.with_field("Content-Type", None))


@CONTENT.mutant
def refusal_as_html(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses requests with an HTML error page in place of the documented content."""
    refusals = [
        (int(status), content)
        for status in subject.refusals
        for name, content in subject.operation.responses[status].content.items()
        if is_json(name)
    ]
    chosen = subject.pick(refusals)
    if chosen is None:
        return None
    status, content = chosen
    signs = subject.stated(content.pointer, "media_type_is_documented")
    body = b"<html><head><title>Refused</title></head><body><center>nginx</center></body></html>"
    fields = (("Content-Type", "text/html"),)
    return with_response(
        subject,
        signs,
        lambda _request, response: (
            MutantResponse(status, (*_without_type(response), *fields), body) if response.status == status else response
        ),
    )


@CONTENT.mutant
def refusal_with_another_status(subject: MutatedOperation) -> Mutation | None:
    """Server that puts another status into problem details than the response has."""
    chosen = subject.pick(subject.refusals)
    if chosen is None:
        return None
    content = subject.operation.responses[chosen].content.get("application/problem+json")
    if content is None:
        return None
    example = next((dict(item.value) for item in content.examples.values() if isinstance(item.value, dict)), {})
    signs = subject.silent("problem_details_are_well_formed")
    if content.schema is not None:
        violations = subject.contract.validator(content.schema, "response").violations(example | {"status": 500})
        for violation in violations:
            signs |= subject.stated(violation.keyword_pointer, "body_conforms_to_its_schema")

    def change(response: MutantResponse) -> MutantResponse:
        return response.changed(lambda value: value | {"status": 500}) if response.status == int(chosen) else response

    return with_response(subject, signs, lambda _request, response: change(response))


def _required_field(subject: MutatedOperation) -> tuple[int, str, str] | None:
    """Return status, name and pointer of a required header field of the operation's responses."""
    found = [
        (int(status), name, header.pointer)
        for status, response in subject.operation.responses.items()
        if status.isdecimal() and (status in subject.refusals or status.startswith("2"))
        for name, header in response.headers.items()
        if header.required and header.schema is not None
    ]
    chosen: tuple[int, str, str] | None = subject.pick(found)
    return chosen


@CONTENT.mutant
def field_missing(subject: MutatedOperation) -> Mutation | None:
    """Server that leaves out a required header field of a response."""
    found = _required_field(subject)
    if found is None:
        return None
    status, name, pointer = found
    signs = subject.stated(child(pointer, "required"), "headers_conform")
    return with_response(
        subject,
        signs,
        lambda _request, response: response.with_field(name, None) if response.status == status else response,
    )


@CONTENT.mutant
def field_garbled(subject: MutatedOperation) -> Mutation | None:
    """Server that sends a header field value that the contract's schema does not allow."""
    found = _required_field(subject)
    if found is None:
        return None
    status, name, _ = found
    header = subject.operation.responses[str(status)].headers[name]
    assert header.schema is not None
    validator = subject.contract.validator(header.schema, "response")
    signs = frozenset(
        sign
        for violation in validator.violations("-")
        for sign in subject.stated(violation.keyword_pointer, "headers_conform")
    )
    return with_response(
        subject,
        signs,
        lambda _request, response: response.with_field(name, "-") if response.status == status else response,
    )


def _without_type(response: MutantResponse) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in response.fields if pair[0].lower() != "content-type")
