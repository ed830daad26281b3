"""Failures of schemathesis' own checks, and what the suite's findings say in place of schemathesis' messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mockserver.contract.model import Operation
from mockserver.http.json import clip
from mockserver.suite.cases.observed_response import ObservedResponse
from mockserver.suite.cases.request_kinds import VALID, kind_of_request
from mockserver.suite.verdicts.causes import missing_field, undefined_method

_QUOTED = re.compile(r"'([^']+)'")
#: A call as schemathesis' messages name it: `DELETE /things/1`.
_CALL = re.compile(r"(?:Created|deleted) with *:? *`([^`]+)`")


@dataclass(frozen=True, slots=True)
class SchemathesisFailure:
    """A failure of a built-in check of schemathesis.

    Attributes:
        operation: what the case was generated for.
        observed: the exchange that it failed on.
        own: names of the suite's own checks that failed on the same exchange.
    """

    check: str
    title: str
    message: str
    operation: Operation
    observed: ObservedResponse
    own: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wording:
    """Title, expectation and observation of a finding.

    Attributes:
        got: what was seen; "" where the status code says all.
        cause: what it has in common with others; "" where the title says all.
    """

    title: str
    expected: str
    got: str = ""
    cause: str = ""


def wording(failure: SchemathesisFailure) -> Wording:
    """Return what a finding says of a failure; schemathesis' own words for a check that is not known here."""
    say = _WORDINGS.get(failure.check)
    if say is not None:
        return say(failure)
    return Wording(failure.title.lower(), _message(failure) or "no failure of this check")


def _message(failure: SchemathesisFailure) -> str:
    """Return the message of a failure as one line of limited length."""
    return clip(" ".join(failure.message.split()), 300)


def _status(failure: SchemathesisFailure) -> Wording:
    status = failure.observed.response.status
    return Wording(f"the status {status} is not documented", f"one of {', '.join(failure.operation.responses)}")


def _content_type(failure: SchemathesisFailure) -> Wording:
    documented = failure.observed.documented
    expected = " or ".join(documented.content) if documented is not None and documented.content else "no content"
    shown = failure.observed.response.field("Content-Type")
    got = "no Content-Type" if shown is None else f"Content-Type: {clip(shown)}"
    return Wording("the media type of the response is not documented", expected, got)


def _headers(failure: SchemathesisFailure) -> Wording:
    got = _message(failure) or "other ones"
    return Wording("a header field of the response breaks the contract", "the documented header fields", got)


def _schema(failure: SchemathesisFailure) -> Wording:
    return Wording(
        "the content of the response breaks its schema", "content that is valid by its schema", _message(failure)
    )


def _accepted(failure: SchemathesisFailure) -> Wording:
    observed = failure.observed
    kind = kind_of_request(observed.contract, failure.operation, observed.exchange.request)
    cause = "" if kind == VALID else f"requests with {kind} are accepted"
    return Wording("a request that breaks the contract is accepted", "a rejection, such as 400 or 422", cause=cause)


def _refused(_failure: SchemathesisFailure) -> Wording:
    return Wording("a request that is valid by the contract is refused", "2xx, as for any valid request")


def _authentication(failure: SchemathesisFailure) -> Wording:
    how = "without credentials" if "without" in failure.title else "with invalid credentials"
    if failure.observed.response.successful:
        return Wording(f"a request {how} is accepted", "401 or 403")
    return Wording(f"a request {how} gets an unexpected response", "401 or 403")


def _missing_header(failure: SchemathesisFailure) -> Wording:
    name = _QUOTED.search(failure.message)
    field = f"the header field {name[1]}" if name is not None else "a header field"
    return Wording("a request without a required header field is accepted", f"a rejection, since {field} is required")


def _method(failure: SchemathesisFailure) -> Wording:
    response = failure.observed.response
    title = "an undefined method is not refused with 405 and Allow"
    if response.status == 405:
        return Wording(title, "405 with Allow", "405 without Allow", missing_field("Allow"))
    return Wording(title, "405 with Allow", cause=undefined_method(response))


def _allow(failure: SchemathesisFailure) -> Wording:
    shown = failure.observed.response.field("Allow")
    got = "no Allow" if shown is None else f"Allow: {clip(shown)}"
    cause = missing_field("Allow") if shown is None else ""
    expected = "Allow with exactly the defined methods of the path"
    return Wording("Allow does not list the defined methods", expected, got, cause)


def _deleted(failure: SchemathesisFailure) -> Wording:
    call = _CALL.search(failure.message)
    after = f" after {call[1]}" if call is not None else ", since the item was deleted"
    return Wording("a deleted item can still be used", f"404{after}")


def _created(failure: SchemathesisFailure) -> Wording:
    call = _CALL.search(failure.message)
    after = f" by {call[1]}" if call is not None else ""
    return Wording("a created item is not found", f"a success, since the item was created{after}")


_WORDINGS: Mapping[str, Callable[[SchemathesisFailure], Wording]] = {
    "status_code_conformance": _status,
    "content_type_conformance": _content_type,
    "response_headers_conformance": _headers,
    "response_schema_conformance": _schema,
    "negative_data_rejection": _accepted,
    "positive_data_acceptance": _refused,
    "ignored_auth": _authentication,
    "missing_required_header": _missing_header,
    "unsupported_method": _method,
    "allow_header_conformance": _allow,
    "use_after_free": _deleted,
    "ensure_resource_availability": _created,
}
