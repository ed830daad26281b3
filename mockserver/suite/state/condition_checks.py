"""Checks of preconditions: `ETag`, `If-Match`, `If-None-Match`, where the contract has them (RFC 9110, section 13)."""

from __future__ import annotations

from mockserver.contract.model import DocumentedResponse, Operation
from mockserver.contract.resources.state_model import DELETE, READ, REPLACE
from mockserver.suite.state.item_life import Life, told
from mockserver.suite.state.item_writes import partial_write, whole_write
from mockserver.suite.target.exchange import Exchange, json_or_none
from mockserver.suite.verdicts.failures import CheckFailure, NoOccasion, NotRun

_NOT_MODIFIED = 304


def has_precondition(operation: Operation, name: str, status: str) -> bool:
    """Tell whether an operation has a precondition: the field as a parameter, or its status among the responses.

    412 alone is a promise only where responses are documented to have an `ETag`.
    """
    tagged = any("etag" in map(str.lower, one.headers) for one in operation.responses.values())
    return (status in operation.responses and (tagged or status == str(_NOT_MODIFIED))) or any(
        one.location == "header" and one.name.lower() == name.lower() for one in operation.parameters
    )


def unchanged_items_are_not_sent_again(life: Life) -> int:
    """Check that a read with the current `ETag` in `If-None-Match` gets 304."""
    reads = life.collection.operations[READ]
    one, _ = life.pair()
    first, response = life.read(one)
    tag = response.field("ETag")
    if tag is None:
        raise NotRun("the read shows no ETag")
    request, response = life.items.call(one.item, READ, fields={"If-None-Match": tag})
    if response.status == _NOT_MODIFIED:
        return 1
    if not response.successful:
        raise NotRun(f"the read was answered with {response.status}")
    documented = reads.responses.get("304")
    raise CheckFailure(
        "unchanged_items_are_not_sent_again",
        reads.label,
        "an unchanged item is sent again",
        expected=f"304 to If-None-Match: {tag} (RFC 9110, section 13.1.2)",
        got=f"{response.status} with ETag {response.field('ETag')}",
        pointer=documented.pointer if documented is not None else _parameter(reads, "If-None-Match"),
        rule="contract",
        exchange=Exchange(request, response, history=(Exchange(first, response),)),
    )


def stale_writes_are_refused(life: Life, *, role: str) -> int:
    """Check that a write with an `ETag` that is no longer current in `If-Match` is refused, and changes nothing."""
    operation = life.collection.operations[role]
    if role == DELETE and not life.collection.operations.keys() & {"replace", "merge"}:
        raise NoOccasion("nothing but a deletion changes an item")
    one, _ = life.pair()
    by = REPLACE if REPLACE in life.collection.operations else "merge"
    _, response = life.read(one)
    old = response.field("ETag")
    if old is None:
        raise NotRun("the read shows no ETag")
    make = whole_write if by == REPLACE else partial_write
    accepted = None
    for write in make(life, one, life.collection.operations[by]):
        request, response = life.items.send(one.item, by, write.content, write.media_type, {"If-Match": old})
        if response.successful:
            accepted = write
            life.wrote(one, request, response, dict(write.value) if by == REPLACE else {**one.expected, **write.value})
            break
    if accepted is None:
        raise NotRun(f"a write with the current ETag was answered with {response.status}")
    read, response, _ = life.settled(one, lambda found: found.field("ETag") != old)
    before, new = json_or_none(response), response.field("ETag")
    if new == old:
        raise life.failure(
            "stale_writes_are_refused",
            life.collection.operations[READ],
            "the ETag is the same after a change",
            expected=f"another ETag than {old} (RFC 9110, section 8.8.1)",
            got=str(new),
            exchange=life.evidence(read, response, one),
        )
    if role == DELETE:
        request, response = life.items.call(one.item, DELETE, fields={"If-Match": old})
    else:
        other = next(iter((whole_write if role == REPLACE else partial_write)(life, one, operation)), None)
        if other is None:
            raise NotRun("no valid content could be made")
        request, response = life.items.send(one.item, role, other.content, other.media_type, {"If-Match": old})
    documented: DocumentedResponse | None = operation.responses.get("412")
    pointer = documented.pointer if documented is not None else _parameter(operation, "If-Match")
    one.writes.append(Exchange(request, response))
    if response.successful:
        life.forget()
        raise CheckFailure(
            "stale_writes_are_refused",
            operation.label,
            "a write with a stale If-Match is accepted",
            expected=f"412 to If-Match: {old}, as the item has {new} by now (RFC 9110, section 13.1.1)",
            got=str(response.status),
            pointer=pointer,
            rule="contract",
            exchange=Exchange(request, response, history=tuple(one.writes[:-1][-3:])),
        )
    read, shown = life.read(one)
    changed = life.same(before, json_or_none(shown)) if shown.successful else ["everything"]
    if changed:
        life.forget()
        raise life.failure(
            "stale_writes_are_refused",
            operation,
            "a write that is refused with 412 changes the item",
            expected=told(before),
            got=f"{shown.status} {told(json_or_none(shown))}",
            exchange=life.evidence(read, shown, one),
        )
    return 2


def _parameter(operation: Operation, name: str) -> str:
    found = (one.pointer for one in operation.parameters if one.name.lower() == name.lower())
    return next(found, operation.pointer)
