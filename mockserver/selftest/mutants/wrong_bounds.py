"""Mutants whose limits of numbers and string lengths are off by one."""

from __future__ import annotations

from typing import Any

from mockserver.contract.source.references import follow
from mockserver.http.pointers import child
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.interceptors import accepting_invalid, only_here
from mockserver.selftest.mutated_operation import MutatedOperation, Sign
from mockserver.selftest.traffic import MutantRequest, MutantResponse

BOUNDS = Catalogue("bounds")
#: Member, value at its limit, value just beyond it.
Limit = tuple[str, Any, Any]


def _limits(subject: MutatedOperation, kinds: dict[str, int]) -> list[Limit]:
    """Return, for each limit in the request schema, the member, its value at the limit, and one just beyond."""
    found: list[Limit] = []
    if subject.body is None or subject.body.schema is None or not isinstance(subject.sample, dict):
        return found
    raw, pointer = follow(subject.contract.document.data, subject.body.schema)
    for name in subject.sample:
        if name not in (raw.get("properties") or {}):
            continue
        rules, _ = follow(subject.contract.document.data, child(pointer, "properties", name))
        for keyword, beyond in kinds.items():
            if keyword not in rules:
                continue
            limit = rules[keyword]
            length = keyword.endswith("Length")
            inside, outside = ("x" * limit, "x" * max(limit + beyond, 0)) if length else (limit, limit + beyond)
            if subject.accepts(subject.sample | {name: inside}) and subject.acceptance_signs(
                subject.sample | {name: outside}
            ):
                found.append((name, inside, outside))
    return found


def _loosened(subject: MutatedOperation, kinds: dict[str, int]) -> Mutation | None:
    chosen: Limit | None = subject.pick(_limits(subject, kinds))
    if chosen is None:
        return None
    member, inside, outside = chosen

    def repair(request: MutantRequest) -> MutantRequest | None:
        value = request.json
        beyond = isinstance(value, dict) and _same_place(value.get(member), outside)
        return request.with_json(value | {member: inside}) if beyond else None

    return accepting_invalid(subject, subject.acceptance_signs(subject.sample | {member: outside}), repair)


def _same_place(value: Any, limit: Any) -> bool:
    """Tell whether a value equals a limit: the same number, or a string of the same length."""
    if isinstance(limit, str):
        return isinstance(value, str) and len(value) == len(limit)
    return value is not True and value is not False and bool(value == limit)


@BOUNDS.mutant
def upper_bound_off_by_one(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts a value one above the upper limit: < in place of <=."""
    return _loosened(subject, {"maximum": 1, "maxLength": 1})


@BOUNDS.mutant
def lower_bound_off_by_one(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts a value one below the lower limit."""
    return _loosened(subject, {"minimum": -1, "minLength": -1})


def _tightened(subject: MutatedOperation, kinds: dict[str, int]) -> Mutation | None:
    chosen: Limit | None = subject.pick(_limits(subject, kinds))
    success = subject.operation.success()
    if chosen is None or subject.body is None or success is None:
        return None
    member, inside, _ = chosen

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        value = request.json
        if isinstance(value, dict) and _same_place(value.get(member), inside):
            return server.send(request.with_json(None))  # its own refusal, of something else
        return server.send(request)

    signs = {Sign("positive_data_acceptance", "drift", subject.label)}
    signs |= subject.stated(success.pointer, "valid_writes_are_accepted", "values_within_the_bounds_are_accepted")
    signs |= subject.silent("values_within_the_bounds_are_accepted")
    return Mutation(only_here(subject, act), frozenset(signs))


@BOUNDS.mutant
def upper_bound_too_tight(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses a value equal to the upper limit: <= in place of <."""
    return _tightened(subject, {"maximum": 1, "maxLength": 1})


@BOUNDS.mutant
def lower_bound_too_tight(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses a value equal to the lower limit."""
    return _tightened(subject, {"minimum": -1, "minLength": -1})
