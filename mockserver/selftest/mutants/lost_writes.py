"""What was written is not what is read, or not only that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.reading.link_effects import consequences
from mockserver.http.pointers import child, split
from mockserver.selftest.catalogue import Behind, Catalogue, Mutation, Plant
from mockserver.selftest.mutated_operation import Change, Sign, Subject, at, holder
from mockserver.selftest.plants import only_here, replying
from mockserver.selftest.traffic import Call, Reply, crash, problem

MEMORY = Catalogue("memory")
_READS = "reads_show_the_last_write"


def _seen_by_reads(subject: Subject, check: str = _READS) -> frozenset[Sign]:
    """Return the sign of a change that only a read of the resource can show."""
    read = subject.sibling("read")
    if read is None or read.behaviour is None:
        return frozenset()
    return subject.stated(read.behaviour.pointer, check, label=read.label)


def _with_value(pointer: str, value: Any) -> Change:
    """Return the change of an answer that puts another value at a pointer."""
    path = tuple(split(pointer))

    def change(answer: Any) -> Any:
        holder(answer, path)[path[-1]] = value
        return answer

    return change


def _shows_its_value(subject: Subject) -> bool:
    behaviour = subject.operation.behaviour
    return behaviour is not None and bool(behaviour.value)


@MEMORY.mutant
def write_lost(subject: Subject) -> Mutation | None:
    """A write is answered, and nothing is stored: the transaction is never committed."""
    if subject.role != "write":
        return None

    def act(call: Call, server: Behind) -> Reply:
        return server.aside(call)

    return Mutation(only_here(subject, act), _seen_by_reads(subject))


@MEMORY.mutant
def second_write_lost(subject: Subject) -> Mutation | None:
    """A write of what is set already is answered, but not stored: an INSERT where an UPDATE was meant."""
    if subject.role != "write":
        return None

    def act(call: Call, server: Behind) -> Reply:
        memory = server.memory(call)
        reply = server.aside(call) if memory.get("set") else server.send(call)
        memory["set"] = memory.get("set") or reply.ok
        return reply

    signs = _seen_by_reads(subject)
    if subject.generated and subject.operation.behaviour is not None:
        # A value that is made and not stored may well be the one that was made before.
        signs |= subject.stated(child(subject.operation.behaviour.pointer, "generated"), "generated_values_are_new")
    return Mutation(only_here(subject, act), signs)


@MEMORY.mutant
def write_after_reset_lost(subject: Subject) -> Mutation | None:
    """What was reset once cannot be written again: it is marked as deleted, and stays so."""
    reset = subject.sibling("reset")
    if subject.role != "write" or reset is None:
        return None

    def plant(call: Call, server: Behind) -> Reply:
        memory = server.memory(call)
        if call.operation is subject.operation and memory.get("reset"):
            return server.aside(call)
        reply = server.send(call)
        if call.operation is reset and reply.ok:
            memory["reset"] = True
        return reply

    return Mutation(plant, _seen_by_reads(subject))


@MEMORY.mutant
def read_of_the_write_before(subject: Subject) -> Mutation | None:
    """Reads come from a replica that is one write behind."""
    write = subject.sibling("write")
    if subject.role != "read" or write is None:
        return None

    def plant(call: Call, server: Behind) -> Reply:
        memory = server.memory(call)
        if call.operation is write:
            behind = server.send(call.to(subject.operation))
            reply = server.send(call)
            if reply.ok:
                memory["behind"] = behind
            return reply
        reply = server.send(call)
        if call.operation is subject.operation and reply.ok and "behind" in memory:
            stale: Reply = memory["behind"]
            return stale
        return reply

    return Mutation(plant, _seen_by_reads(subject))


@MEMORY.mutant
def read_of_the_first_write(subject: Subject) -> Mutation | None:
    """A read shows what it showed first: its cache never ends."""
    if subject.role != "read":
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply, memory = server.send(call), server.memory(call)
        if not reply.ok or reply.status == 204:
            return reply
        cached: Reply = memory.setdefault("cached", reply)
        return cached

    return Mutation(only_here(subject, act), _seen_by_reads(subject))


@MEMORY.mutant
def read_of_a_reset_cached(subject: Subject) -> Mutation | None:
    """After a reset a read goes on to show the value: the cache hears of writes alone."""
    reset = subject.sibling("reset")
    if subject.role != "read" or reset is None:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply, memory = server.send(call), server.memory(call)
        if reply.status == 200:
            memory["shown"] = reply
        shown: Reply = memory.get("shown", reply) if reply.ok else reply
        return shown

    # A reset that is forgotten looks the same from outside, so either operation may be named.
    return Mutation(only_here(subject, act), _of_a_reset(subject, reset))


def _of_a_reset(subject: Subject, reset: Operation) -> frozenset[Sign]:
    signs = _seen_by_reads(subject, "resets_end_the_value")
    return signs | frozenset(Sign(sign.check, sign.level, reset.label) for sign in signs)


@MEMORY.mutant
def read_of_a_neighbour(subject: Subject) -> Mutation | None:
    """A read shows the value of another resource, under its own name."""
    behaviour = subject.operation.behaviour
    if subject.role != "read" or behaviour is None or not subject.neighbours:
        return None
    other = subject.role_of(subject.neighbours[0], "read")
    if other is None or other.behaviour is None:
        return None
    theirs = other.behaviour.value

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        value = at(server.send(call.to(other)).json, theirs)
        return reply.changed(_with_value(behaviour.value, value)) if reply.status == 200 else reply

    return Mutation(only_here(subject, act), _seen_by_reads(subject))


@MEMORY.mutant
def read_consumes(subject: Subject) -> Mutation | None:
    """A read takes the value away, as if from a queue."""
    reset = subject.sibling("reset")
    if subject.role != "read" or reset is None:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        if reply.status == 200:
            server.send(call.to(reset))
        return reply

    return Mutation(only_here(subject, act), _seen_by_reads(subject, "reads_change_nothing"))


@MEMORY.mutant
def second_write_refused(subject: Subject) -> Mutation | None:
    """What is set cannot be set again before it is reset: 409."""
    read, success = subject.sibling("read"), subject.operation.success()
    if subject.role != "write" or read is None or success is None or "409" in subject.operation.responses:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call.to(read))
        return problem(409, "Conflict") if reply.status == 200 else server.send(call)

    signs = subject.stated(success.pointer, "valid_writes_are_accepted") | subject.silent("status_is_documented")
    return Mutation(only_here(subject, act), signs)


@MEMORY.mutant
def generated_value_repeated(subject: Subject) -> Mutation | None:
    """A value that the server makes is the same every time: the generator is seeded anew for each call."""
    behaviour = subject.operation.behaviour
    if subject.role != "write" or not subject.generated or behaviour is None:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply, everywhere = server.send(call), server.everywhere()
        if not reply.ok:
            return reply
        first: Reply = everywhere.setdefault("first", reply)
        return first

    return Mutation(
        only_here(subject, act), subject.stated(child(behaviour.pointer, "generated"), "generated_values_are_new")
    )


@MEMORY.mutant
def write_answers_the_value_before(subject: Subject) -> Mutation | None:
    """A write is answered with the value from before it: the row is read before it is changed."""
    read, behaviour = subject.sibling("read"), subject.operation.behaviour
    if subject.role != "write" or read is None or behaviour is None or not _shows_its_value(subject):
        return None

    def act(call: Call, server: Behind) -> Reply:
        assert read is not None
        before = server.send(call.to(read))
        reply = server.send(call)
        if not reply.ok or before.status != 200 or read.behaviour is None:
            return reply
        return reply.changed(_with_value(behaviour.value, at(before.json, read.behaviour.value)))

    signs = subject.stated(behaviour.pointer, "writes_echo_the_request")
    if subject.generated:
        signs = _seen_by_reads(subject) | subject.stated(
            child(behaviour.pointer, "generated"), "generated_values_are_new"
        )
    return Mutation(only_here(subject, act), signs)


@MEMORY.mutant
def read_while_nothing_is_set_fails(subject: Subject) -> Mutation | None:
    """A read of what was never set fails: a row is expected, and None comes."""
    if subject.role != "read" or "204" not in subject.operation.responses:
        return None
    return replying(
        subject, subject.universal("no_server_error"), lambda _call, reply: crash() if reply.status == 204 else reply
    )


@MEMORY.mutant
def one_read_in_twenty_is_stale(subject: Subject) -> Mutation | None:
    """Each twentieth read finds nothing: one of twenty replicas is new, and empty."""
    if subject.role != "read" or "204" not in subject.operation.responses:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply, everywhere = server.send(call), server.everywhere()
        if reply.status != 200:
            return reply
        everywhere["reads"] = everywhere.get("reads", 0) + 1
        return Reply(204, (("Content-Type", "text/html"),), b"") if everywhere["reads"] % 20 == 0 else reply

    signs = subject.stated(subject.operation.pointer, "repeats_get_the_same_answer") | _seen_by_reads(subject)
    return Mutation(only_here(subject, act), signs)


@MEMORY.mutant
def third_write_refused(subject: Subject) -> Mutation | None:
    """More than two writes in a row are refused: a limit that nobody documented."""
    success = subject.operation.success()
    if subject.role != "write" or success is None or "409" in subject.operation.responses:
        return None

    def act(call: Call, server: Behind) -> Reply:
        memory = server.memory(call)
        if memory.get("writes", 0) > 1:
            return problem(409, "Conflict")
        reply = server.send(call)
        memory["writes"] = memory.get("writes", 0) + reply.ok
        return reply

    signs = subject.stated(success.pointer, "writes_can_be_repeated", "valid_writes_are_accepted")
    return Mutation(only_here(subject, act), signs)


@MEMORY.mutant
def linked_read_of_before(subject: Subject) -> Mutation | None:
    """The read that a link of an answer leads to shows what was there before the call: its cache never hears of it."""
    operation = subject.operation
    found = [one for one in consequences(subject.contract) if one.call is operation and one.read.path == operation.path]
    if not found:
        return None
    read = found[0].read

    def plant(call: Call, server: Behind) -> Reply:
        memory = server.memory(call)
        if call.operation is operation:
            before = server.send(call.to(read))
            reply = server.send(call)
            if reply.ok and before.ok:
                memory["before"] = before
            return reply
        reply = server.send(call)
        stale: Reply = memory.get("before", reply) if call.operation is read and reply.ok else reply
        return stale

    return Mutation(plant, subject.stated(found[0].pointer, "links_show_what_they_say"))


def _on_same_write(subject: Subject, again: Callable[[Call, Reply, Behind], Reply]) -> Plant:
    """Return the plant that acts on a write of what was written last, after the clean stub has answered it."""
    reset = subject.sibling("reset")

    def plant(call: Call, server: Behind) -> Reply:
        memory, reply = server.memory(call), server.send(call)
        is_write = call.operation is subject.operation
        if not reply.ok or not (is_write or call.operation is reset):
            return reply
        same = is_write and memory.get("last") == call.body
        memory["last"] = call.body if is_write else None
        return again(call, reply, server) if same else reply

    return plant


@MEMORY.mutant
def same_write_refused(subject: Subject) -> Mutation | None:
    """What is written already cannot be written again, so that a client cannot try again after a silence: 409."""
    success = subject.operation.success()
    if subject.role != "write" or success is None or "409" in subject.operation.responses:
        return None
    signs = subject.stated(success.pointer, "writes_can_be_repeated", "valid_writes_are_accepted")
    return Mutation(_on_same_write(subject, lambda _call, _reply, _server: problem(409, "Conflict")), signs)


@MEMORY.mutant
def same_write_answered_with_nothing(subject: Subject) -> Mutation | None:
    """A write that changes nothing is answered with empty values: the statement says that no row was changed."""
    behaviour = subject.operation.behaviour
    if subject.role != "write" or behaviour is None or not behaviour.value or subject.generated:
        return None
    path = tuple(split(behaviour.value))

    def emptied(answer: Any) -> Any:
        held = holder(answer, path)
        held[path[-1]] = {name: type(value)() for name, value in held[path[-1]].items()}
        return answer

    signs = subject.stated(behaviour.pointer, "writes_can_be_repeated")
    return Mutation(_on_same_write(subject, lambda _call, reply, _server: reply.changed(emptied)), signs)


@MEMORY.mutant
def same_write_resets(subject: Subject) -> Mutation | None:
    """The same write again takes the value away, as a switch does."""
    reset, read = subject.sibling("reset"), subject.sibling("read")
    if subject.role != "write" or reset is None or read is None or read.behaviour is None or subject.generated:
        return None

    def again(call: Call, reply: Reply, server: Behind) -> Reply:
        server.send(call.to(reset))
        server.memory(call)["last"] = None
        return reply

    signs = subject.stated(read.behaviour.pointer, "writes_can_be_repeated") | _seen_by_reads(subject)
    return Mutation(_on_same_write(subject, again), signs)


@MEMORY.mutant
def list_items_lost(subject: Subject) -> Mutation | None:
    """Of a list that a call sends only the first item is stored, and all are shown: a loop ends too early."""
    found = [one for one in consequences(subject.contract) if one.call is subject.operation]
    if not found or not isinstance(subject.sample, dict):
        return None
    lists = [name for name, value in subject.sample.items() if isinstance(value, list) and len(value) > 1]
    if not lists:
        return None

    def act(call: Call, server: Behind) -> Reply:
        value = call.json
        if not isinstance(value, dict) or not subject.takes(value):
            return server.send(call)
        shown = {name: value[name] for name in lists if isinstance(value.get(name), list)}
        reply = server.send(call.with_json(value | {name: items[:1] for name, items in shown.items()}))
        return reply.changed(lambda answer: answer | {name: shown[name] for name in shown if name in answer})

    return Mutation(only_here(subject, act), subject.stated(found[0].pointer, "links_show_what_they_say"))
