"""Claims about any answer, whatever the request was: made on every exchange of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation, Response
from mockserver.contract.schemas import SchemaViolation
from mockserver.pointers import child
from mockserver.suite.encodings import fold, folded_forms, readings
from mockserver.suite.exchanges import Exchange, NotJSON, WireRequest, WireResponse, is_json, parse_json
from mockserver.suite.secrecy import MIN_SECRET, Secrets, marked, masked, text_of, texts_of, values_at
from mockserver.suite.verdicts import CheckFailure, Rule, describe, raise_failures

#: Types of the members that RFC 9457, section 3.1, defines.
_PROBLEM_MEMBERS: dict[str, type | tuple[type, ...]] = {
    "type": str,
    "title": str,
    "status": int,
    "detail": str,
    "instance": str,
}
#: What stands for a secret in an answer, and is none.
_PLACEHOLDERS = frozenset({"", "hidden", "masked", "redacted", "removed", "secret", "set", "unset", "none", "null"})
#: What an answer may say of itself or of the request, whatever the request held.
_HTTP_WORDS = ("Content-Type", "Content-Length", "WWW-Authenticate", "Authorization", "application/problem+json")


@dataclass(frozen=True, slots=True)
class Answer:
    """An exchange beside what the contract says of it.

    Attributes:
        operation: what the request's method and path mean by the contract, None if nothing.
        label: how reports name it.
        documented: what the contract says of the answer's status, None if nothing.
        promised: what the content is held to: `documented`, or the documented success for a success of another status.
        media_type: what that says of the answer's content in its media type, None if nothing.
    """

    contract: Contract
    operation: Operation | None
    label: str
    exchange: Exchange
    response: WireResponse
    secrets: Secrets
    documented: Response | None = None
    promised: Response | None = None
    media_type: MediaType | None = None
    issued: tuple[tuple[str, ...], ...] = field(default=())

    def failure(self, check: str, title: str, *, expected: str, got: str, pointer: str, rule: Rule) -> CheckFailure:
        """Return the failure of a check on this answer."""
        return CheckFailure(
            check,
            self.label,
            title,
            expected=expected,
            got=got,
            pointer=pointer,
            rule=rule,
            exchange=self.exchange,
        )

    @property
    def place(self) -> str:
        """Pointer of the operation, "" where the contract defines none."""
        return self.operation.pointer if self.operation else ""


#: Returns whether there was anything to judge; raises CheckFailure, or a group of them.
AnswerCheck = Callable[[Answer], bool]


def see(
    contract: Contract,
    operation: Operation | None,
    label: str,
    exchange: Exchange,
    secrets: Secrets,
) -> Answer | None:
    """Return an exchange beside what the contract says of it, or None if there was no answer."""
    response = exchange.response
    if response is None:
        return None
    documented = operation.response_for(response.status) if operation else None
    promised = promise(operation, response) if operation else None
    media_type = documented_content(promised, response.media_type)
    schema = media_type.schema if media_type else None
    issued = tuple(path for path, _ in marked(contract, schema, "x-secret"))
    return Answer(contract, operation, label, exchange, response, secrets, documented, promised, media_type, issued)


def promise(operation: Operation, response: WireResponse) -> Response | None:
    """Return what an answer's content is held to, None if nothing.

    A success of an undocumented status is another way to say what the documented success says: 202 for 200. That is
    one difference, and whatever the content breaks besides is another one.
    """
    documented = operation.response_for(response.status)
    if documented is None and response.successful and response.body:
        return operation.success()
    return documented


def no_server_error(answer: Answer) -> bool:
    """A request, whatever it holds, never makes the server fail in a way that is not documented."""
    status = answer.response.status
    if status >= 500 and not _names_status(answer.documented, status):
        raise answer.failure(
            "no_server_error",
            f"the server failed with {status}",
            expected="an answer that says what is wrong with the request, if anything",
            got=f"{status} {describe(answer.response.body.decode('utf-8', 'replace'))}",
            pointer=child(answer.place, "responses") if answer.operation else "",
            rule="universal",
        )
    return True


def status_is_documented(answer: Answer) -> bool:
    """The answer's status is one that the contract names for the operation."""
    status = answer.response.status
    if answer.operation is None or status >= 500:
        return False  # the latter is the claim of no_server_error
    if answer.documented is not None:
        return True
    success = answer.operation.success()
    pointer = child(answer.operation.pointer, "responses")
    # An unlisted rejection says nothing against the documentation; another success does.
    against = status < 400 and success is not None
    raise answer.failure(
        "status_is_documented",
        f"the status {status} is not documented",
        expected="one of " + ", ".join(answer.operation.responses),
        got=str(status),
        pointer=success.pointer if against and success else pointer,
        rule="environment" if status == 429 else "contract" if against else "silent",
    )


def media_type_is_documented(answer: Answer) -> bool:
    """The answer's content has a media type that the contract names for its status."""
    documented, response = answer.promised, answer.response
    if documented is None or answer.media_type is not None:
        return documented is not None
    shown = response.media_type or "none"
    if documented.content:
        content = next(iter(documented.content.values()))
        raise answer.failure(
            "media_type_is_documented",
            f"the content of a {response.status} is sent as {shown}",
            expected=" or ".join(documented.content),
            got=f"Content-Type: {shown}",
            pointer=content.pointer,
            rule="contract",
        )
    if response.body:
        raise answer.failure(
            "media_type_is_documented",
            f"a {response.status} has content, and none is documented",
            expected="no content",
            got=f"{len(response.body)} bytes of {shown}",
            pointer=documented.pointer,
            rule="silent",
        )
    return True


def body_is_what_its_content_type_says(answer: Answer) -> bool:
    """Content that is called JSON is JSON, text is text in its charset, and problem details are an object."""
    response = answer.response
    if answer.exchange.request.method == "HEAD":
        return False  # tells of content that it does not have (RFC 9110, section 9.3.2)
    problem = _not_as_called(response)
    if problem:
        raise answer.failure(
            "body_is_what_its_content_type_says",
            f"the content is not {response.media_type}, as it is called",
            expected=f"content of the media type {response.field('content-type')}",
            got=f"{problem}: {describe(response.body.decode('utf-8', 'replace'))}",
            pointer=answer.documented.pointer if answer.documented else answer.place,
            rule="universal",
        )
    return bool(response.media_type)


def headers_conform(answer: Answer) -> bool:
    """Each documented header field that must be there is, and what it says is valid by its schema."""
    documented = answer.promised
    if documented is None or not documented.headers:
        return False
    failures = []
    for name, header in documented.headers.items():
        value = answer.response.field(name)
        if value is None and header.required:
            failures.append(
                answer.failure(
                    "headers_conform",
                    f"the field {name} is missing in a {answer.response.status}",
                    expected=f"the field {name}",
                    got="an answer without it",
                    pointer=child(header.pointer, "required"),
                    rule="contract",
                )
            )
        elif value is not None and header.schema is not None:
            failures += _header_violations(answer, name, value, header.schema)
    raise_failures(failures)
    return True


def body_conforms_to_its_schema(answer: Answer) -> bool:
    """The answer's content is valid by the schema of its status and media type."""
    schema = answer.media_type.schema if answer.media_type else None
    if schema is None:
        return False
    value = _value(answer.response)
    if value is _UNREADABLE:
        return False  # the claim of body_is_what_its_content_type_says
    failures: dict[str, CheckFailure] = {}
    for violation in answer.contract.validator(schema, "response").violations(value):
        if violation.unknown and {name for name, _ in _shown_write_only(answer)}.issuperset(violation.unknown):
            continue  # the claim of no_secret_comes_back
        failures.setdefault(violation.keyword_pointer, _schema_failure(answer, violation, schema))
    raise_failures(failures.values())
    return True


def no_secret_comes_back(answer: Answer) -> bool:
    """No credential and no `writeOnly` value is anywhere in an answer, neither encoded nor in an error."""
    # Where the contract names the member, that is the cause, whoever's value it is.
    for name, pointer in _shown_write_only(answer):
        raise _leak(answer, f"a value of {name!r}, which is writeOnly", pointer)
    text = text_of(answer.response, answer.issued)
    for secret in answer.secrets.leaked(text):
        raise _leak(answer, f"a secret of the run, {answer.secrets.name_of(secret)}", _secret_pointer(answer))
    read: list[str] = []
    for value, pointer, public in _sent_texts(answer.contract, answer.operation, answer.exchange.request):
        read = read or [fold(reading) for reading in readings(text)]
        # Whether it may stand there by chance takes longer to find out, and hardly ever matters.
        if any(form in reading for form in folded_forms(value) for reading in read) and not public():
            raise _leak(answer, "the writeOnly value that the request held", pointer)
    return True


def problem_details_are_well_formed(answer: Answer) -> bool:
    """Problem details have RFC 9457's members with the types that it gives them, and tell the real status."""
    response = answer.response
    if response.media_type != "application/problem+json":
        return False
    value = _value(response)
    if not isinstance(value, dict):
        return False  # the claim of body_is_what_its_content_type_says
    wrong = [
        name
        for name, kind in _PROBLEM_MEMBERS.items()
        if name in value and (not isinstance(value[name], kind) or isinstance(value[name], bool))
    ]
    if "status" in value and value["status"] != response.status:
        wrong.append("status")
    if wrong:
        raise answer.failure(
            "problem_details_are_well_formed",
            f"the problem details have a wrong {wrong[0]!r}",
            expected="members as in RFC 9457, section 3.1, with the answer's own status",
            got=f"{wrong[0]}: {describe(value[wrong[0]])} in a {response.status}",
            pointer=answer.documented.pointer if answer.documented else answer.place,
            rule="silent",
        )
    return True


#: Made on every answer, in this order.
ANSWER_CHECKS: tuple[AnswerCheck, ...] = (
    no_server_error,
    status_is_documented,
    media_type_is_documented,
    body_is_what_its_content_type_says,
    headers_conform,
    body_conforms_to_its_schema,
    no_secret_comes_back,
    problem_details_are_well_formed,
)


def no_answer(operation: str, exchange: Exchange, pointer: str) -> CheckFailure:
    """Return the failure of the claim that the server answers."""
    return CheckFailure(
        "the_server_answers",
        operation,
        "the server gave no answer",
        expected="an answer",
        got=exchange.problem,
        pointer=pointer,
        rule="universal",
        exchange=exchange,
    )


def _names_status(documented: Response | None, status: int) -> bool:
    """Tell whether a failure is documented by its number or range; `default` does not excuse a crash."""
    return documented is not None and documented.status in {str(status), f"{status // 100}XX"}


def documented_content(documented: Response | None, media_type: str) -> MediaType | None:
    """Return what a response says of content of a media type, by its name or its range; None if nothing."""
    if documented is None:
        return None
    main = media_type.partition("/")[0]
    by_name = {name.partition(";")[0].strip().lower(): content for name, content in documented.content.items()}
    return by_name.get(media_type) or by_name.get(f"{main}/*") or by_name.get("*/*")


class _Unreadable:
    """Stands for content that is not what it is called."""


_UNREADABLE = _Unreadable()


def _value(response: WireResponse) -> Any:
    if is_json(response.media_type):
        try:
            return response.json()
        except NotJSON:
            return _UNREADABLE
    if response.media_type.startswith("text/"):
        return response.body.decode("utf-8", "replace")
    return _UNREADABLE


def _not_as_called(response: WireResponse) -> str:
    """Return why content is not of the media type that it is sent as, "" if it is."""
    if is_json(response.media_type):
        # No content at all is right where the status says so (RFC 9110, sections 15.3.5 and 15.4.5).
        if not response.body and response.status in {204, 304}:
            return ""
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
        except (UnicodeDecodeError, LookupError) as error:
            return str(error) if charset else ""
    return ""


def _header_violations(answer: Answer, name: str, value: str, schema: str) -> Iterator[CheckFailure]:
    readings: list[Any] = [value]
    if value.lstrip("-").isdigit():
        readings.append(int(value))
    validator = answer.contract.validator(schema, "response")
    if any(validator.is_valid(reading) for reading in readings):
        return
    for violation in validator.violations(value):
        yield answer.failure(
            "headers_conform",
            f"the field {name} of a {answer.response.status} breaks {violation.keyword}",
            expected=f"{violation.keyword} {describe(_limit(answer, violation))}",
            got=f"{name}: {describe(value)}",
            pointer=violation.keyword_pointer or schema,
            rule="contract",
        )


def _schema_failure(answer: Answer, violation: SchemaViolation, schema: str) -> CheckFailure:
    place = "/" + "/".join(map(str, violation.instance_path)) if violation.instance_path else "the content"
    secret = violation.keyword == "writeOnly"
    if violation.missing:
        got = f"{', '.join(violation.missing)} " + ("missing" if violation.keyword == "required" else "besides")
    else:
        got = "a value that is never to come back" if secret else describe(violation.value)
    return answer.failure(
        "no_secret_comes_back" if secret else "body_conforms_to_its_schema",
        f"{place} of a {answer.response.status} breaks {violation.keyword}",
        expected=f"{violation.keyword} {describe(_limit(answer, violation))}",
        got=got,
        pointer=violation.keyword_pointer or schema,
        rule="universal" if secret else "contract",
    )


def _limit(answer: Answer, violation: SchemaViolation) -> Any:
    try:
        return answer.contract.at(violation.keyword_pointer)
    except LookupError:
        return ""


def _leak(answer: Answer, what: str, pointer: str) -> CheckFailure:
    return answer.failure(
        "no_secret_comes_back",
        f"a {answer.response.status} gives a secret back",
        expected="an answer without any secret but those that it is there to give out",
        got=what,
        pointer=pointer,
        rule="universal",
    )


def _shown_write_only(answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield the `writeOnly` members of a resource that an answer about it shows, by name, with their pointers.

    Whatever their value: it may have been written long before this run.
    """
    hidden = _write_only_names(answer.contract, answer.operation) if answer.response.successful else {}
    value = masked(_value(answer.response), answer.issued) if hidden else None
    for name, held in _members(value):
        if name in hidden and isinstance(held, str) and not _is_placeholder(held):
            yield name, hidden[name]


def _write_only_names(contract: Contract, operation: Operation | None) -> dict[str, str]:
    """Return the names of the `writeOnly` members of what an operation is about, with their pointers."""
    if operation is None or operation.behaviour is None:
        return {}
    resource = operation.behaviour.resource
    writers = (
        other
        for other in contract.operations
        if other is operation or (resource and other.behaviour and other.behaviour.resource == resource)
    )
    return {
        path[-1]: pointer
        for writer in writers
        for content in (writer.request_body.content.values() if writer.request_body else ())
        for path, pointer in marked(contract, content.schema, "writeOnly")
    }


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield from item.items()
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _is_placeholder(text: str) -> bool:
    """Tell whether a text stands for a secret and is none: asterisks, or a word that says so."""
    return text.strip("*•●xX.#-_<>[](){} ").lower() in _PLACEHOLDERS


def _secret_pointer(answer: Answer) -> str:
    return child(answer.place, "responses") if answer.operation else ""


def sent_secrets(contract: Contract, operation: Operation | None, request: WireRequest) -> Iterator[tuple[str, str]]:
    """Yield the request's `writeOnly` texts that an answer cannot hold by chance, with their pointers."""
    for secret, pointer, public in _sent_texts(contract, operation, request):
        if not public():
            yield secret, pointer


def _sent_texts(
    contract: Contract, operation: Operation | None, request: WireRequest
) -> Iterator[tuple[str, str, Callable[[], bool]]]:
    """Yield the request's long `writeOnly` texts, with their pointers, and what tells whether each is known anyway."""
    body = request.body
    if operation is None or operation.request_body is None or body is None:
        return
    every = [marked(contract, content.schema, "writeOnly") for content in operation.request_body.content.values()]
    try:
        value = parse_json(body) if any(every) else None
    except NotJSON:
        return
    for places in every:
        for path, pointer in places:
            for secret in values_at(value, path):
                if isinstance(secret, str) and len(secret) >= MIN_SECRET:
                    yield secret, pointer, partial(_is_public, contract, value, places, secret)


def _is_public(contract: Contract, value: Any, places: tuple[tuple[tuple[str, ...], str], ...], secret: str) -> bool:
    """Tell whether a text also stands in another member, whose echo is no leak then, or in the contract.

    Generated passwords do: Hypothesis likes `application/json`.
    """
    others = _without(value, tuple(path for path, _ in places))
    said = "\n".join((*texts_of(others), *_HTTP_WORDS)).lower()
    return any(form in said or form in contract.vocabulary for form in folded_forms(secret))


def _without(value: Any, paths: tuple[tuple[str, ...], ...]) -> Any:
    if not isinstance(value, dict):
        return value
    below = {name: tuple(path[1:] for path in paths if path[0] == name) for name in value}
    return {
        name: _without(member, tuple(path for path in below[name] if path))
        for name, member in value.items()
        if () not in below[name]
    }
