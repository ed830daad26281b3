"""Calls that leave other traces than they should: on neighbours, after a refusal, or none where there should be one."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.contract.model import Operation
from mockserver.selftest.catalogue import Behind, Catalogue, Mutation
from mockserver.selftest.mutated_operation import Sign, Subject
from mockserver.selftest.plants import only_here
from mockserver.selftest.traffic import Call, Reply, problem

TRACES = Catalogue("traces")


def _blamed(subject: Subject, check: str) -> frozenset[Sign]:
    """Return the sign of a claim that reads back what the operation left, and blames the operation."""
    read = subject.sibling("read")
    if read is None or read.behaviour is None:
        return frozenset()
    return subject.stated(read.behaviour.pointer, check)


@TRACES.mutant
def write_resets_a_neighbour(subject: Subject) -> Mutation | None:
    """A write of one resource resets another one: the whole table is replaced."""
    return _spilling(subject, "write")


@TRACES.mutant
def reset_of_all(subject: Subject) -> Mutation | None:
    """A reset of one resource resets another one, too: its DELETE lacks a condition."""
    return _spilling(subject, "reset")


def _spilling(subject: Subject, role: str) -> Mutation | None:
    behaviour = subject.operation.behaviour
    others = [reset for name in subject.neighbours if (reset := subject.role_of(name, "reset"))]
    if subject.role != role or not others or behaviour is None:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        if reply.ok:
            server.send(call.to(others[0]))
        return reply

    return Mutation(only_here(subject, act), subject.stated(behaviour.pointer, "writes_leave_others_alone"))


@TRACES.mutant
def write_spills_over(subject: Subject) -> Mutation | None:
    """A write of one resource writes another one of the same kind, too: the key of the row is wrong."""
    behaviour = subject.operation.behaviour
    if subject.role != "write" or behaviour is None or subject.body is None:
        return None
    others = [write for name in subject.neighbours if (write := subject.role_of(name, "write"))]
    other = next((write for write in others if _same_content(subject, write)), None)
    if other is None:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        if reply.ok:
            server.send(call.to(other, call.json))
        return reply

    return Mutation(only_here(subject, act), subject.stated(behaviour.pointer, "writes_leave_others_alone"))


def _same_content(subject: Subject, other: Operation) -> bool:
    body = Subject(subject.contract, other, subject.index, subject.accounts).body
    assert subject.body is not None
    if body is None or body.schema is None or subject.body.schema is None:
        return False
    one, two = (subject.contract.at(schema) for schema in (body.schema, subject.body.schema))
    return bool(one == two)


@TRACES.mutant
def reset_forgotten(subject: Subject) -> Mutation | None:
    """A reset is answered, and nothing is reset."""
    if subject.role != "reset":
        return None

    def act(call: Call, server: Behind) -> Reply:
        return server.aside(call)

    return Mutation(only_here(subject, act), _blamed(subject, "resets_end_the_value"))


@TRACES.mutant
def second_reset_forgotten(subject: Subject) -> Mutation | None:
    """A second reset is answered, and nothing is reset: only the first one finds its row."""
    if subject.role != "reset":
        return None

    def act(call: Call, server: Behind) -> Reply:
        memory = server.memory(call)
        reply = server.aside(call) if memory.get("reset") else server.send(call)
        memory["reset"] = memory.get("reset") or reply.ok
        return reply

    return Mutation(only_here(subject, act), _blamed(subject, "resets_end_the_value"))


@TRACES.mutant
def reset_of_nothing_refused(subject: Subject) -> Mutation | None:
    """A reset of what is not set is not found, so that a reset cannot be repeated."""
    read, success = subject.sibling("read"), subject.operation.success()
    if subject.role != "reset" or read is None or success is None or "404" in subject.operation.responses:
        return None

    def act(call: Call, server: Behind) -> Reply:
        if server.send(call.to(read)).status == 204:
            return problem(404, "Not Found")
        return server.send(call)

    signs = subject.stated(success.pointer, "resets_can_be_repeated") | subject.silent("status_is_documented")
    return Mutation(only_here(subject, act), signs)


@TRACES.mutant
def rejected_write_stored(subject: Subject) -> Mutation | None:
    """A write is rejected after its valid members are stored: validation and storage go member by member."""
    if subject.role != "write" or subject.body is None:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply, memory, value = server.send(call), server.memory(call), call.json
        if reply.ok:
            memory["held"] = value
        if reply.status not in {400, 422} or "held" not in memory:
            return reply
        if subject.generated:
            server.send(call.with_json(memory["held"]))
        for name, member in value.items() if isinstance(value, dict) else ():
            stored = memory["held"] | {name: member} if isinstance(memory["held"], dict) else memory["held"]
            if stored != memory["held"] and subject.takes(stored):
                memory["held"] = stored
                server.send(call.with_json(stored))
        return reply

    return Mutation(only_here(subject, act), _blamed(subject, "rejected_writes_change_nothing"))


@TRACES.mutant
def stranger_acts(subject: Subject) -> Mutation | None:
    """A call without credentials gets its 401, but after the deed: the guard wraps the answer alone."""
    return _acting(subject, lambda call: not call.credentials[0], 401)


@TRACES.mutant
def wrong_level_acts(subject: Subject) -> Mutation | None:
    """A call by the wrong level gets its 403, but after the deed."""
    if "403" not in subject.operation.responses or set(subject.contract.levels) <= set(subject.operation.levels or ()):
        return None
    return _acting(subject, lambda _call: True, 403)


def _acting(subject: Subject, suits: Callable[[Call], bool], status: int) -> Mutation | None:
    if subject.role not in {"write", "reset"} or not subject.is_guarded:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        if reply.status == status and suits(call):
            server.send(call.by(subject.mightiest))
        return reply

    return Mutation(only_here(subject, act), _blamed(subject, "refused_calls_change_nothing"))
