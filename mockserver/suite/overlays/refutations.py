"""Refutations: changes of the contract that make it agree with a finding, by check.

Behaviour that OpenAPI can express is written in OpenAPI, and the stub shows it, too. Other behaviour (a 405 without
`Allow`) is recorded in `x-mockserver-differs`, which the checks take into account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mockserver.contract.model import Contract, DocumentedResponse, MediaType, Operation
from mockserver.contract.schema.direction import Direction
from mockserver.contract.schema.marks import looks_secret
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.http.media_types import covering, essence
from mockserver.http.pointers import child, split
from mockserver.suite.overlays.draft import Draft, member_ways
from mockserver.suite.overlays.keywords import mark, mark_whole, refute
from mockserver.suite.overlays.seen_values import (
    NOTHING,
    assumed,
    broken,
    by_status,
    exchanges_of,
    media_types,
    promised,
    sent,
    value_of,
)
from mockserver.suite.target.exchange import Exchange, is_json
from mockserver.suite.verdicts.graded_findings import Finding
from mockserver.suite.verdicts.tally import Verdicts


@dataclass(frozen=True, slots=True)
class Refutation:
    """Draft of the contract to be changed, with the contract and results of the run.

    Attributes:
        contract: as the run judged by it.
        verdicts: what the run saw.
    """

    contract: Contract
    verdicts: Verdicts
    draft: Draft

    def operation(self, label: str) -> Operation | None:
        """Return the operation with a label, or None for the label of an undefined path or method."""
        return next((one for one in self.contract.operations if one.label == label), None)

    def was_seen(self, operation: Operation, status: int, media_type: str | None = None) -> bool:
        """Tell whether an operation responded with a status code (and media type) in the run."""
        responses = self.verdicts.responses_of(operation.label)
        return any(seen == status and media_type in (None, kind) for seen, kind in responses)


#: Changes the draft to agree with a finding; returns False if OpenAPI cannot express that.
Refute = Callable[[Refutation, Operation, Finding], bool]


def refute_all(subject: Refutation, findings: Iterable[Finding]) -> int:
    """Change the draft so that no finding contradicts it; return the number that OpenAPI cannot express."""
    recorded = 0
    # Another status is a copy of the documented one, so changes of that one come first.
    for finding in sorted(
        findings, key=lambda one: (one.check == "status_is_documented", one.operation, one.check, one.id)
    ):
        operation = subject.operation(finding.operation)
        express = TABLE.get(finding.check)
        expressed = operation is not None and express is not None and express(subject, operation, finding)
        if not expressed:
            recorded += 1
            _record(subject, operation, finding)
        subject.draft.note(finding.operation, f"{finding.title} ({finding.check} {finding.id})")
    return recorded


def another_status(subject: Refutation, operation: Operation, finding: Finding) -> bool:
    """Document each observed status code; a success replaces the assumed one, unless that was observed, too."""
    draft = subject.draft
    responses = draft.at(operation.pointer, ["responses"], operation.label)
    like: dict[str, Any] = {}
    for status, exchanges in by_status(finding).items():
        instead = {assumed(subject.contract, operation, exchange.request) for exchange in exchanges}
        success = operation.success()
        if 200 <= status < 300 and success is not None and success.status.isdecimal():
            if success.status in responses:
                like = draft.at(operation.pointer, ["responses", success.status], operation.label)
                if not subject.was_seen(operation, int(success.status)):
                    del responses[success.status]
            responses[str(status)] = _success(like, exchanges, draft.stamp)
            continue
        responses[str(status)] = _plain(status, exchanges, draft.stamp)
        if 400 <= status < 500:
            free = (code for code in instead if code != status and code is not None)
            replaced = sorted(code for code in free if _is_free(subject, operation, code))
            if replaced:
                responses[str(status)]["x-mockserver-instead-of"] = replaced
            for code in replaced:
                responses.pop(str(code), None)
    return True


def another_media_type(subject: Refutation, operation: Operation, finding: Finding) -> bool:
    """Document the observed media types of responses in place of those that were not observed."""
    for _, response in exchanges_of(finding):
        documented = promised(operation, response.status)
        if documented is None or (response.body and not response.media_type):
            return False
        place = subject.draft.at(operation.pointer, ["responses", documented.status], operation.label)
        if not response.media_type:
            place.pop("content", None)
            mark_whole(place, subject.draft.stamp)
            continue
        content = place.setdefault("content", {})
        for name in list(content):
            if essence(name) != response.media_type and not _kind_was_seen(subject, operation, documented, name):
                del content[name]
        content.setdefault(response.media_type, {"x-observed": subject.draft.stamp})
    return True


def other_fields(subject: Refutation, operation: Operation, finding: Finding) -> bool:
    """Make a response field optional, or loosen the schema of its values, as observed."""
    done = False
    for _, response in exchanges_of(finding):
        documented = promised(operation, response.status)
        for name, header in (documented.headers if documented else {}).items():
            assert documented is not None
            start = child(operation.pointer, "responses", documented.status)
            if child(header.pointer, "required") == finding.pointer:
                place = subject.draft.at(start, ["headers", name], operation.label)
                place["required"] = False
                mark(place, "required", subject.draft.stamp)
                done = True
            elif header.schema is not None:
                value = response.field(name)
                below = list(split(header.schema)[len(split(header.pointer)) :])
                violations = (
                    [] if value is None else broken(subject.contract, header.schema, value, finding, "response")
                )
                begin = [*("headers", name), *below]
                done |= _edit(subject, operation, start, begin, header.schema, finding, violations, "response")
    return done


def other_responses(subject: Refutation, operation: Operation, finding: Finding) -> bool:
    """Loosen a keyword of a response schema to allow the observed content."""
    violations: dict[tuple[str, str], list[SchemaViolation]] = {}
    for _, response in exchanges_of(finding):
        documented = promised(operation, response.status)
        for name, media_type in (documented.content if documented else {}).items():
            shown = covering(documented.content, response.content_type) if documented else None
            if documented is None or shown is not media_type or media_type.schema is None:
                continue
            value = value_of(response)
            found = broken(subject.contract, media_type.schema, value, finding, "response")
            violations.setdefault((documented.status, name), []).extend(found)
    besides = {name for found in violations.values() for violation in found for name in violation.unknown}
    if any(map(looks_secret, besides)):
        return False  # what may be a leak is never called right
    done = False
    for (status, name), found in violations.items():
        schema = operation.responses[status].content[name].schema
        assert schema is not None
        start = child(operation.pointer, "responses", status)
        done |= _edit(subject, operation, start, ["content", name, "schema"], schema, finding, found, "response")
    return done


def looser_requests(subject: Refutation, operation: Operation, finding: Finding) -> bool:
    """Loosen a keyword of a request schema to what was accepted, and of responses that repeat the value."""
    body = operation.request_body
    found: list[SchemaViolation] = []
    for name, media_type in (body.content if body else {}).items():
        if media_type.schema is None or not is_json(name):
            continue
        for exchange, _ in exchanges_of(finding):
            value = sent(exchange.request)
            if value is not NOTHING:
                found += broken(subject.contract, media_type.schema, value, finding, "request")
        below = ["content", name, "schema"]
        start = child(operation.pointer, "requestBody")
        if found and _edit(subject, operation, start, below, media_type.schema, finding, found, "request"):
            _loosen_echoes(subject, operation, finding, found)
            return True
    return False


def already_said(subject: Refutation, operation: Operation, finding: Finding) -> bool:
    """Return True without a change if another finding covers the same undocumented status code."""
    return any(
        other.check == "status_is_documented"
        and other.operation == operation.label
        and {one.seen for one in finding.observations} <= {one.seen for one in other.observations}
        for other in subject.verdicts.findings()
    )


#: By check: how its findings are expressed in OpenAPI; findings of other checks are only recorded.
TABLE: Mapping[str, Refute] = {
    "status_is_documented": another_status,
    "media_type_is_documented": another_media_type,
    "headers_conform": other_fields,
    "body_conforms_to_its_schema": other_responses,
    "bodies_that_break_the_schema_are_refused": looser_requests,
    "negative_data_rejection": looser_requests,
    "documented_examples_come_out": already_said,
    "status_code_conformance": already_said,
}


def _record(subject: Refutation, operation: Operation | None, finding: Finding) -> None:
    """Record the observed behaviour in `x-mockserver-differs`, as OpenAPI cannot express it."""
    try:
        holder = _place(subject, operation, finding)
    except LookupError:
        return  # the probe of a path that the contract does not have
    known = holder.setdefault("x-mockserver-differs", {})
    seen = {observation.seen for observation in finding.observations}
    known[finding.check] = sorted({*known.get(finding.check, ()), *seen})
    mark(holder, "x-mockserver-differs", subject.draft.stamp)


def _place(subject: Refutation, operation: Operation | None, finding: Finding) -> Any:
    """Return the operation of a finding, or the path item for a finding about an undefined method."""
    if operation is not None:
        return subject.draft.at(operation.pointer, [], finding.operation)
    path = finding.operation.partition(" ")[2]
    return subject.draft.at(child("/paths", path), [], finding.operation)


def _edit(
    subject: Refutation,
    operation: Operation,
    start: str,
    below: Sequence[str],
    schema: str,
    finding: Finding,
    violations: Sequence[SchemaViolation],
    direction: Direction,
) -> bool:
    """Loosen a keyword wherever an operation's schema reaches it; tell whether any place was changed."""
    holder, _, keyword = finding.pointer.rpartition("/")
    # Required members are distinguished one by one; any other statement is dropped when it fails again.
    again = keyword != "required" and subject.contract.provenance(finding.pointer).kind == "observed"
    done = False
    for route in subject.draft.routes(schema, holder):
        try:
            place = subject.draft.at(start, [*below, *route], operation.label)
        except LookupError:
            continue  # another finding took this place away
        if isinstance(place, dict) and keyword in place and violations:
            stamp = subject.draft.stamp
            refute(place, keyword, violations, direction=direction, stamp=stamp, again=again)
        done = True
    return done and bool(violations)


def _loosen_echoes(
    subject: Refutation, operation: Operation, finding: Finding, violations: Sequence[SchemaViolation]
) -> None:
    """Loosen the response schemas of a resource's operations, as accepted values are read back."""
    resource = operation.behaviour.resource if operation.behaviour else ""
    for other in subject.contract.operations:
        same = other is operation or (resource and other.behaviour and other.behaviour.resource == resource)
        for status, response in other.responses.items() if same else ():
            for name, media_type in response.content.items():
                if status.startswith("2") and media_type.schema is not None:
                    start, below = child(other.pointer, "responses", status), ["content", name, "schema"]
                    _edit(subject, other, start, below, media_type.schema, finding, violations, "response")
                    _loosen_value(subject, other, start, media_type, finding, violations)


def _loosen_value(
    subject: Refutation,
    operation: Operation,
    start: str,
    media_type: MediaType,
    finding: Finding,
    violations: Sequence[SchemaViolation],
) -> None:
    """Loosen the response schema of a resource's value like its request schema, for extra or missing members."""
    keyword = finding.pointer.rpartition("/")[2]
    if (
        keyword not in {"required", "additionalProperties"}
        or operation.behaviour is None
        or not operation.behaviour.value
    ):
        return
    draft = subject.draft
    for violation in violations:
        names = [*split(operation.behaviour.value), *map(str, violation.instance_path)]
        for way in member_ways(draft.base, media_type.schema or "", names):
            place = draft.at(start, ["content", media_type.name, "schema", *way], operation.label)
            refute(place, keyword, [violation], direction="request", stamp=draft.stamp, again=False)


def _success(like: dict[str, Any], exchanges: Sequence[Exchange], stamp: str) -> dict[str, Any]:
    """Return a documented success response under another status code, with the observed content."""
    seen = media_types(exchanges)
    documented = {name: item for name, item in like.get("content", {}).items() if essence(name) in seen}
    named = {essence(name) for name in documented}
    content = {**documented, **{name: {"x-observed": stamp} for name in seen if name and name not in named}}
    found = {name: item for name, item in like.items() if name != "content"}
    if content:
        found["content"] = content
    mark_whole(found, stamp)
    return found


def _plain(status: int, exchanges: Sequence[Exchange], stamp: str) -> dict[str, Any]:
    content: dict[str, Any] = {name: {} for name in media_types(exchanges) if name}
    described = {"description": f"Seen on a real server: {status}.", "x-observed": stamp}
    return {**described, **({"content": content} if content else {})}


def _is_free(subject: Refutation, operation: Operation, status: int) -> bool:
    """Tell whether an assumed status code was never observed, so that another one may replace it."""
    documented = operation.responses.get(str(status))
    if subject.was_seen(operation, status):
        return False
    return documented is None or not subject.contract.provenance(documented.pointer).documented


def _kind_was_seen(subject: Refutation, operation: Operation, documented: DocumentedResponse, name: str) -> bool:
    return any(
        essence(name) == kind and promised(operation, status) is documented
        for status, kind in subject.verdicts.responses_of(operation.label)
    )
