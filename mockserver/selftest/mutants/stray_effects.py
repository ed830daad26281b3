"""Mutants with wrong side effects: changed neighbours, resets without effect, refused requests carried out."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.contract.model import Operation
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.interceptors import only_here
from mockserver.selftest.mutated_operation import MutatedOperation, Sign
from mockserver.selftest.traffic import MutantRequest, MutantResponse, problem

TRACES = Catalogue("traces")


def _blamed(subject: MutatedOperation, check: str) -> frozenset[Sign]:
    """Return the finding expected at an operation whose fault a later read of the resource shows."""
    read = subject.sibling("read")
    if read is None or read.behaviour is None:
        return frozenset()
    return subject.stated(read.behaviour.pointer, check)


@TRACES.mutant
def write_resets_a_neighbour(subject: MutatedOperation) -> Mutation | None:
    """Server on which a write to one resource resets another one: the whole table is replaced."""
    return _spilling(subject, "write")


@TRACES.mutant
def reset_of_all(subject: MutatedOperation) -> Mutation | None:
    """Server on which a reset of one resource also resets another one: a DELETE without its condition."""
    return _spilling(subject, "reset")


def _spilling(subject: MutatedOperation, role: str) -> Mutation | None:
    behaviour = subject.operation.behaviour
    others = [reset for name in subject.neighbours if (reset := subject.role_of(name, "reset"))]
    if subject.role != role or not others or behaviour is None:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        if response.ok:
            server.send(request.to(others[0]))
        return response

    return Mutation(only_here(subject, act), subject.stated(behaviour.pointer, "writes_leave_others_alone"))


@TRACES.mutant
def write_spills_over(subject: MutatedOperation) -> Mutation | None:
    """Server on which a write to one resource also writes to another one: the row's key is wrong."""
    behaviour = subject.operation.behaviour
    if subject.role != "write" or behaviour is None or subject.body is None:
        return None
    others = [write for name in subject.neighbours if (write := subject.role_of(name, "write"))]
    other = next((write for write in others if _same_content(subject, write)), None)
    if other is None:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        if response.ok:
            server.send(request.to(other, request.json))
        return response

    return Mutation(only_here(subject, act), subject.stated(behaviour.pointer, "writes_leave_others_alone"))


def _same_content(subject: MutatedOperation, other: Operation) -> bool:
    body = subject.other(other).body
    assert subject.body is not None
    if body is None or body.schema is None or subject.body.schema is None:
        return False
    one, two = (subject.contract.at(schema) for schema in (body.schema, subject.body.schema))
    return bool(one == two)


@TRACES.mutant
def reset_forgotten(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts a reset and resets nothing."""
    if subject.role != "reset":
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        return server.send_in_fresh_world(request)

    return Mutation(only_here(subject, act), _blamed(subject, "resets_end_the_value"))


@TRACES.mutant
def second_reset_forgotten(subject: MutatedOperation) -> Mutation | None:
    """Server that carries out the first reset only, and accepts later ones without effect."""
    if subject.role != "reset":
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        memory = server.memory(request)
        response = server.send_in_fresh_world(request) if memory.get("reset") else server.send(request)
        memory["reset"] = memory.get("reset") or response.ok
        return response

    return Mutation(only_here(subject, act), _blamed(subject, "resets_end_the_value"))


@TRACES.mutant
def reset_of_nothing_refused(subject: MutatedOperation) -> Mutation | None:
    """Server that responds with 404 to a reset of a setting without a value, so resets are not idempotent."""
    read, success = subject.sibling("read"), subject.operation.success()
    if subject.role != "reset" or read is None or success is None or "404" in subject.operation.responses:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        if server.send(request.to(read)).status == 204:
            return problem(404, "Not Found")
        return server.send(request)

    signs = subject.stated(success.pointer, "resets_can_be_repeated") | subject.silent("status_is_documented")
    return Mutation(only_here(subject, act), signs)


@TRACES.mutant
def rejected_write_stored(subject: MutatedOperation) -> Mutation | None:
    """Server that rejects a write after storing its valid members."""
    if subject.role != "write" or subject.body is None:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, memory, value = server.send(request), server.memory(request), request.json
        if response.ok:
            memory["held"] = value
        if response.status not in {400, 422} or "held" not in memory:
            return response
        if subject.generated:
            server.send(request.with_json(memory["held"]))
        for name, member in value.items() if isinstance(value, dict) else ():
            stored = memory["held"] | {name: member} if isinstance(memory["held"], dict) else memory["held"]
            if stored != memory["held"] and subject.accepts(stored):
                memory["held"] = stored
                server.send(request.with_json(stored))
        return response

    return Mutation(only_here(subject, act), _blamed(subject, "rejected_writes_change_nothing"))


@TRACES.mutant
def stranger_acts(subject: MutatedOperation) -> Mutation | None:
    """Server that carries out a request without credentials before it responds with 401."""
    return _acting(subject, lambda request: not subject.shown(request)[0], 401)


@TRACES.mutant
def wrong_level_acts(subject: MutatedOperation) -> Mutation | None:
    """Server that carries out the request of an account whose level is not allowed, then responds with 403."""
    if "403" not in subject.operation.responses or set(subject.contract.levels) <= set(subject.operation.levels or ()):
        return None
    return _acting(subject, lambda _request: True, 403)


def _acting(subject: MutatedOperation, suits: Callable[[MutantRequest], bool], status: int) -> Mutation | None:
    if subject.role not in {"write", "reset"} or not subject.is_guarded:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        if response.status == status and suits(request):
            server.send(subject.by(request, subject.highest_account))
        return response

    return Mutation(only_here(subject, act), _blamed(subject, "refused_calls_change_nothing"))
