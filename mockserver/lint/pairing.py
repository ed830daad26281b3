"""Lint rule `pairing`: request examples without a response example, and the reverse."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.contract.exchanges import pairs_of
from mockserver.contract.model import Example, Operation
from mockserver.http.json import excerpt
from mockserver.lint.linted_contract import LintedContract, LintFinding


def check_pairing(subject: LintedContract) -> Iterator[LintFinding]:
    """Yield a finding for each example of a request or of a 2xx response that belongs to no exchange.

    A request example may name the example of an error response; the examples of errors need no request.
    """
    for operation in subject.contract.operations if subject.contract else ():
        responses = list(_success_examples(operation))
        requests = list(_requests(operation))
        yield from _requests_without_response(subject, operation, requests)
        yield from _responses_without_request(subject, operation, requests, responses)


def _success_examples(operation: Operation) -> Iterator[Example]:
    """Yield the examples of an operation's 2xx responses."""
    for status, response in operation.responses.items():
        if status.startswith("2"):
            for media_type in response.content.values():
                yield from media_type.examples.values()


def _requests(operation: Operation) -> Iterator[Example]:
    for media_type in operation.request_body.content.values() if operation.request_body else ():
        yield from media_type.examples.values()


def _requests_without_response(
    subject: LintedContract, operation: Operation, requests: list[Example]
) -> Iterator[LintFinding]:
    if not any(r.content for status, r in operation.responses.items() if status.startswith("2")):
        return  # every request gets the same response without content
    paired = {pair.request.pointer for pair in pairs_of(operation) if pair.request is not None}
    for request in requests:
        if request.pointer not in paired:
            yield subject.finding(
                "pairing",
                request.pointer,
                f"no successful response of {operation.id} has an example {excerpt(request.response_name)}",
                "add that response example, or name another one, which may be an error's, in `x-mockserver-response`",
            )


def _responses_without_request(
    subject: LintedContract, operation: Operation, requests: list[Example], responses: list[Example]
) -> Iterator[LintFinding]:
    if operation.request_body is None or not operation.request_body.required:
        return  # a request without content belongs to it
    used = {request.response_name for request in requests}
    for response in responses:
        if response.name not in used:
            yield subject.finding(
                "pairing",
                response.pointer,
                f"no request example of {operation.id} belongs to the response example {excerpt(response.name)}",
                f"add a request example {excerpt(response.name)}, or one with `x-mockserver-response: {response.name}`",
            )
