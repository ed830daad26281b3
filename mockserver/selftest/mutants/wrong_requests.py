"""Mutants that accept invalid requests, or refuse valid ones."""

from __future__ import annotations

import json
from typing import Any

from mockserver.http.media_types import is_json
from mockserver.http.pointers import child
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.interceptors import accepting_invalid, only_here
from mockserver.selftest.mutated_operation import MutatedOperation, member_schema
from mockserver.selftest.traffic import MutantRequest, MutantResponse

REQUESTS = Catalogue("requests")


def _is_json_text(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _is_called_json(request: MutantRequest) -> bool:
    return is_json((request.content_type or "").partition(";")[0].strip().lower())


@REQUESTS.mutant
def malformed_json_taken(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts malformed JSON and takes the documented example in its place."""
    if subject.body is None:
        return None

    def repair(request: MutantRequest) -> MutantRequest | None:
        malformed = bool(request.body) and _is_called_json(request) and not _is_json_text(request.body)
        return request.with_json(subject.sample) if malformed else None

    return accepting_invalid(subject, subject.stated(subject.body.pointer, "malformed_json_is_refused"), repair)


@REQUESTS.mutant
def text_behind_json_taken(subject: MutatedOperation) -> Mutation | None:
    """Server that ignores text after the JSON document."""
    if subject.body is None:
        return None

    def repair(request: MutantRequest) -> MutantRequest | None:
        try:
            value, end = json.JSONDecoder().raw_decode(request.body.decode())
        except (ValueError, RecursionError):
            return None
        rest = request.body.decode()[end:].strip()
        return request.with_json(value) if rest and subject.accepts(value) else None

    return accepting_invalid(subject, subject.stated(subject.body.pointer, "malformed_json_is_refused"), repair)


@REQUESTS.mutant
def missing_content_taken(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts a request without its required content and uses defaults."""
    body = subject.operation.request_body
    if subject.body is None or body is None or not body.required:
        return None

    def repair(request: MutantRequest) -> MutantRequest | None:
        return None if request.body else request.with_json(subject.sample)

    signs = subject.stated(child(body.pointer, "required"), "empty_bodies_are_refused")
    return accepting_invalid(subject, signs, repair)


@REQUESTS.mutant
def media_type_ignored(subject: MutatedOperation) -> Mutation | None:
    """Server that parses content as JSON whatever its Content-Type."""
    if subject.body is None:
        return None

    def repair(request: MutantRequest) -> MutantRequest | None:
        valid = not _is_called_json(request) and _is_json_text(request.body) and subject.accepts(request.json)
        return request.with_json(request.json) if valid else None

    documented = subject.operation.response_for(415)
    check = "undocumented_media_types_are_refused"
    signs = subject.silent(check) if documented is None else subject.stated(documented.pointer, check)
    return accepting_invalid(subject, signs, repair)


def _leaves_out(subject: MutatedOperation, member: str) -> dict[str, Any]:
    return {name: value for name, value in subject.sample.items() if name != member}


@REQUESTS.mutant
def required_member_optional(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts requests without a required member."""
    if not isinstance(subject.sample, dict):
        return None
    member = subject.pick(name for name in subject.sample if not subject.accepts(_leaves_out(subject, name)))
    if member is None:
        return None

    def repair(request: MutantRequest) -> MutantRequest | None:
        value = request.json
        if not isinstance(value, dict) or member in value:
            return None
        whole = value | {member: subject.sample[member]}
        return request.with_json(whole) if subject.accepts(whole) else None

    return accepting_invalid(subject, subject.acceptance_signs(_leaves_out(subject, member)), repair)


@REQUESTS.mutant
def unknown_member_taken(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts undefined members of requests and ignores them."""
    if not isinstance(subject.sample, dict):
        return None
    signs = subject.acceptance_signs(subject.sample | {"mockserver_undocumented": "text"})

    def repair(request: MutantRequest) -> MutantRequest | None:
        value = request.json
        if not isinstance(value, dict):
            return None
        known = {name: member for name, member in value.items() if name in subject.sample}
        return request.with_json(known) if known != value and subject.accepts(known) else None

    return accepting_invalid(subject, signs, repair) if signs else None


@REQUESTS.mutant
def null_member_taken(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts null for a member and takes it as left out."""
    if not isinstance(subject.sample, dict):
        return None
    member = subject.pick(name for name in subject.sample if subject.acceptance_signs(subject.sample | {name: None}))
    if member is None:
        return None

    def repair(request: MutantRequest) -> MutantRequest | None:
        value = request.json
        if not isinstance(value, dict) or value.get(member, "") is not None:
            return None
        whole = value | {member: subject.sample[member]}
        return request.with_json(whole) if subject.accepts(whole) else None

    return accepting_invalid(subject, subject.acceptance_signs(subject.sample | {member: None}), repair)


@REQUESTS.mutant
def wrong_type_taken(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts a member of the wrong type and converts it, such as a string to a number."""
    if not isinstance(subject.sample, dict):
        return None

    def wrong(name: str) -> Any:
        return 1 if isinstance(subject.sample[name], str) else "text"

    member = subject.pick(
        name for name in subject.sample if subject.acceptance_signs(subject.sample | {name: wrong(name)})
    )
    if member is None:
        return None
    kind = type(wrong(member))

    def repair(request: MutantRequest) -> MutantRequest | None:
        value = request.json
        if not isinstance(value, dict) or type(value.get(member)) is not kind:
            return None
        whole = value | {member: subject.sample[member]}
        return request.with_json(whole) if subject.accepts(whole) else None

    return accepting_invalid(subject, subject.acceptance_signs(subject.sample | {member: wrong(member)}), repair)


@REQUESTS.mutant
def list_for_object_taken(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts an array where an object is documented."""
    if not isinstance(subject.sample, dict):
        return None
    signs = subject.acceptance_signs([])

    def repair(request: MutantRequest) -> MutantRequest | None:
        return request.with_json(subject.sample) if isinstance(request.json, list) else None

    return accepting_invalid(subject, signs, repair) if signs else None


@REQUESTS.mutant
def choice_widened(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts a value outside of an enumeration."""
    if not isinstance(subject.sample, dict):
        return None
    other = "mockserver_undocumented"
    member = subject.pick(
        name
        for name, value in subject.sample.items()
        if isinstance(value, str) and "enum" in member_schema(subject, name)
    )
    if member is None:
        return None

    def repair(request: MutantRequest) -> MutantRequest | None:
        value = request.json
        if not isinstance(value, dict) or value.get(member) != other:
            return None
        return request.with_json(value | {member: subject.sample[member]})

    return accepting_invalid(subject, subject.acceptance_signs(subject.sample | {member: other}), repair)


@REQUESTS.mutant
def valid_request_refused(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses every valid request as invalid: two member names were mixed up."""
    success = subject.operation.success()
    if subject.body is None or success is None or subject.rejection is None:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        if request.body and subject.accepts(request.json):
            return server.send(request.with_json(None))
        return server.send(request)

    signs = subject.stated(success.pointer, "valid_writes_are_accepted") | subject.silent("positive_data_acceptance")
    signs |= subject.stated(success.pointer, "valid_requests_are_accepted") | subject.silent(
        "valid_requests_are_accepted"
    )
    for example in subject.body.examples.values():
        signs |= subject.stated(example.pointer, "positive_data_acceptance")
    if subject.is_login and subject.main is not None:
        for example in subject.main.content.examples.values():
            signs |= subject.stated(example.pointer, "documented_examples_come_out")
    return Mutation(only_here(subject, act), frozenset(signs))


@REQUESTS.mutant
def chunks_not_read(subject: MutatedOperation) -> Mutation | None:
    """Server that takes chunked content for no content: it looks at Content-Length only."""
    if subject.body is None:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        return server.send(request if request.environ.get("CONTENT_LENGTH") else request._replace(body=b""))

    return Mutation(only_here(subject, act), subject.silent("chunked_bodies_are_understood"))


@REQUESTS.mutant
def whole_float_refused(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses an integer written with a fraction of zero, such as 1.0."""
    numbers = subject.sample.values() if isinstance(subject.sample, dict) else ()
    if not any(isinstance(value, int) and not isinstance(value, bool) for value in numbers):
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        value = request.json
        whole = isinstance(value, dict) and any(
            isinstance(item, float) and item.is_integer() for item in value.values()
        )
        return server.send(request.with_json(None) if whole else request)

    return Mutation(only_here(subject, act), subject.silent("whole_floats_are_integers"))
