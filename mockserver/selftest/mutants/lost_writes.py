"""Mutants whose reads do not show what was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.reading.link_effects import link_effects
from mockserver.http.pointers import child, split
from mockserver.selftest.catalogue import Backend, Catalogue, Interceptor, Mutation
from mockserver.selftest.interceptors import only_here, with_response
from mockserver.selftest.mutated_operation import Change, MutatedOperation, Sign, at, holder
from mockserver.selftest.traffic import MutantRequest, MutantResponse, crash, problem

MEMORY = Catalogue("memory")
_READS = "reads_show_the_last_write"


def _seen_by_reads(subject: MutatedOperation, check: str = _READS) -> frozenset[Sign]:
    """Return the finding expected for a fault that only a read of the resource can show."""
    read = subject.sibling("read")
    if read is None or read.behaviour is None:
        return frozenset()
    return subject.stated(read.behaviour.pointer, check, label=read.label)


def _with_value(pointer: str, value: Any) -> Change:
    """Return a function that replaces the value at a JSON pointer of a response's content."""
    path = tuple(split(pointer))

    def change(content: Any) -> Any:
        holder(content, path)[path[-1]] = value
        return content

    return change


def _shows_its_value(subject: MutatedOperation) -> bool:
    behaviour = subject.operation.behaviour
    return behaviour is not None and bool(behaviour.value)


@MEMORY.mutant
def write_lost(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts a write and stores nothing: the transaction is never committed."""
    if subject.role != "write":
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        return server.send_in_fresh_world(request)

    return Mutation(only_here(subject, act), _seen_by_reads(subject))


@MEMORY.mutant
def second_write_lost(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts a write to a setting that has a value, but does not store it."""
    if subject.role != "write":
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        memory = server.memory(request)
        response = server.send_in_fresh_world(request) if memory.get("set") else server.send(request)
        memory["set"] = memory.get("set") or response.ok
        return response

    signs = _seen_by_reads(subject)
    if subject.generated and subject.operation.behaviour is not None:
        # A value that is made and not stored may well be the one that was made before.
        signs |= subject.stated(child(subject.operation.behaviour.pointer, "generated"), "generated_values_are_new")
    return Mutation(only_here(subject, act), signs)


@MEMORY.mutant
def write_after_reset_lost(subject: MutatedOperation) -> Mutation | None:
    """Server that loses writes to a setting after its first reset: the row stays marked as deleted."""
    reset = subject.sibling("reset")
    if subject.role != "write" or reset is None:
        return None

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        memory = server.memory(request)
        if request.operation is subject.operation and memory.get("reset"):
            return server.send_in_fresh_world(request)
        response = server.send(request)
        if request.operation is reset and response.ok:
            memory["reset"] = True
        return response

    return Mutation(intercept, _seen_by_reads(subject))


@MEMORY.mutant
def read_of_the_write_before(subject: MutatedOperation) -> Mutation | None:
    """Server that reads from a replica which lags one write behind."""
    write = subject.sibling("write")
    if subject.role != "read" or write is None:
        return None

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        memory = server.memory(request)
        if request.operation is write:
            behind = server.send(request.to(subject.operation))
            response = server.send(request)
            if response.ok:
                memory["behind"] = behind
            return response
        response = server.send(request)
        if request.operation is subject.operation and response.ok and "behind" in memory:
            stale: MutantResponse = memory["behind"]
            return stale
        return response

    return Mutation(intercept, _seen_by_reads(subject))


@MEMORY.mutant
def read_of_the_first_write(subject: MutatedOperation) -> Mutation | None:
    """Server that caches the first value read for ever."""
    if subject.role != "read":
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, memory = server.send(request), server.memory(request)
        if not response.ok or response.status == 204:
            return response
        cached: MutantResponse = memory.setdefault("cached", response)
        return cached

    return Mutation(only_here(subject, act), _seen_by_reads(subject))


@MEMORY.mutant
def read_of_a_reset_cached(subject: MutatedOperation) -> Mutation | None:
    """Server that shows the old value after a reset: only writes clear its cache."""
    reset = subject.sibling("reset")
    if subject.role != "read" or reset is None:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, memory = server.send(request), server.memory(request)
        if response.status == 200:
            memory["shown"] = response
        shown: MutantResponse = memory.get("shown", response) if response.ok else response
        return shown

    # A reset that is forgotten looks the same from outside, so either operation may be named.
    return Mutation(only_here(subject, act), _of_a_reset(subject, reset))


def _of_a_reset(subject: MutatedOperation, reset: Operation) -> frozenset[Sign]:
    signs = _seen_by_reads(subject, "resets_end_the_value")
    return signs | frozenset(Sign(sign.check, sign.level, reset.label) for sign in signs)


@MEMORY.mutant
def read_of_a_neighbour(subject: MutatedOperation) -> Mutation | None:
    """Server that shows the value of another resource under the requested one's name."""
    behaviour = subject.operation.behaviour
    if subject.role != "read" or behaviour is None or not subject.neighbours:
        return None
    other = subject.role_of(subject.neighbours[0], "read")
    if other is None or other.behaviour is None:
        return None
    theirs = other.behaviour.value

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        value = at(server.send(request.to(other)).json, theirs)
        return response.changed(_with_value(behaviour.value, value)) if response.status == 200 else response

    return Mutation(only_here(subject, act), _seen_by_reads(subject))


@MEMORY.mutant
def read_consumes(subject: MutatedOperation) -> Mutation | None:
    """Server that deletes a value when it is read, like a queue."""
    reset = subject.sibling("reset")
    if subject.role != "read" or reset is None:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        if response.status == 200:
            server.send(request.to(reset))
        return response

    return Mutation(only_here(subject, act), _seen_by_reads(subject, "reads_change_nothing"))


@MEMORY.mutant
def second_write_refused(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses with 409 to overwrite a value."""
    read, success = subject.sibling("read"), subject.operation.success()
    if subject.role != "write" or read is None or success is None or "409" in subject.operation.responses:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request.to(read))
        return problem(409, "Conflict") if response.status == 200 else server.send(request)

    signs = subject.stated(success.pointer, "valid_writes_are_accepted") | subject.silent("status_is_documented")
    return Mutation(only_here(subject, act), signs)


@MEMORY.mutant
def generated_value_repeated(subject: MutatedOperation) -> Mutation | None:
    """Server that generates the same value each time: the generator is seeded anew for each request."""
    behaviour = subject.operation.behaviour
    if subject.role != "write" or not subject.generated or behaviour is None:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, everywhere = server.send(request), server.shared_memory()
        if not response.ok:
            return response
        first: MutantResponse = everywhere.setdefault("first", response)
        return first

    return Mutation(
        only_here(subject, act), subject.stated(child(behaviour.pointer, "generated"), "generated_values_are_new")
    )


@MEMORY.mutant
def write_shows_the_value_before(subject: MutatedOperation) -> Mutation | None:
    """Server that responds to a write with the value that the write replaced."""
    read, behaviour = subject.sibling("read"), subject.operation.behaviour
    if subject.role != "write" or read is None or behaviour is None or not _shows_its_value(subject):
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        assert read is not None
        before = server.send(request.to(read))
        response = server.send(request)
        if not response.ok or before.status != 200 or read.behaviour is None:
            return response
        return response.changed(_with_value(behaviour.value, at(before.json, read.behaviour.value)))

    signs = subject.stated(behaviour.pointer, "writes_echo_the_request")
    if subject.generated:
        signs = _seen_by_reads(subject) | subject.stated(
            child(behaviour.pointer, "generated"), "generated_values_are_new"
        )
    return Mutation(only_here(subject, act), signs)


@MEMORY.mutant
def read_while_nothing_is_set_fails(subject: MutatedOperation) -> Mutation | None:
    """Server that fails with 500 on a read of a setting that was never set."""
    if subject.role != "read" or "204" not in subject.operation.responses:
        return None
    return with_response(
        subject,
        subject.universal("no_server_error"),
        lambda _request, response: crash() if response.status == 204 else response,
    )


@MEMORY.mutant
def one_read_in_twenty_is_stale(subject: MutatedOperation) -> Mutation | None:
    """Server that finds nothing on each twentieth read: one of twenty replicas is empty."""
    if subject.role != "read" or "204" not in subject.operation.responses:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, everywhere = server.send(request), server.shared_memory()
        if response.status != 200:
            return response
        everywhere["reads"] = everywhere.get("reads", 0) + 1
        return MutantResponse(204, (("Content-Type", "text/html"),), b"") if everywhere["reads"] % 20 == 0 else response

    signs = subject.stated(subject.operation.pointer, "repeats_get_the_same_answer") | _seen_by_reads(subject)
    return Mutation(only_here(subject, act), signs)


@MEMORY.mutant
def third_write_refused(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses the third write in a row: an undocumented limit."""
    success = subject.operation.success()
    if subject.role != "write" or success is None or "409" in subject.operation.responses:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        memory = server.memory(request)
        if memory.get("writes", 0) > 1:
            return problem(409, "Conflict")
        response = server.send(request)
        memory["writes"] = memory.get("writes", 0) + response.ok
        return response

    signs = subject.stated(success.pointer, "writes_can_be_repeated", "valid_writes_are_accepted")
    return Mutation(only_here(subject, act), signs)


@MEMORY.mutant
def linked_read_of_before(subject: MutatedOperation) -> Mutation | None:
    """Server that shows outdated data where a link of a response leads: a cache is not invalidated."""
    operation = subject.operation
    found = [one for one in link_effects(subject.contract) if one.call is operation and one.read.path == operation.path]
    if not found:
        return None
    read = found[0].read

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        memory = server.memory(request)
        if request.operation is operation:
            before = server.send(request.to(read))
            response = server.send(request)
            if response.ok and before.ok:
                memory["before"] = before
            return response
        response = server.send(request)
        stale: MutantResponse = (
            memory.get("before", response) if request.operation is read and response.ok else response
        )
        return stale

    return Mutation(intercept, subject.stated(found[0].pointer, "links_show_what_they_say"))


def _on_same_write(
    subject: MutatedOperation, again: Callable[[MutantRequest, MutantResponse, Backend], MutantResponse]
) -> Interceptor:
    """Return the interceptor that changes the response to a write of the value that was written last."""
    reset = subject.sibling("reset")

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        memory, response = server.memory(request), server.send(request)
        is_write = request.operation is subject.operation
        if not response.ok or not (is_write or request.operation is reset):
            return response
        same = is_write and memory.get("last") == request.body
        memory["last"] = request.body if is_write else None
        return again(request, response, server) if same else response

    return intercept


@MEMORY.mutant
def same_write_refused(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses a write of the value that was written last: 409."""
    success = subject.operation.success()
    if subject.role != "write" or success is None or "409" in subject.operation.responses:
        return None
    signs = subject.stated(success.pointer, "writes_can_be_repeated", "valid_writes_are_accepted")
    return Mutation(_on_same_write(subject, lambda _call, _reply, _server: problem(409, "Conflict")), signs)


@MEMORY.mutant
def same_write_shows_nothing(subject: MutatedOperation) -> Mutation | None:
    """Server whose response to a repeated write shows empty values: no row was changed."""
    behaviour = subject.operation.behaviour
    if subject.role != "write" or behaviour is None or not behaviour.value or subject.generated:
        return None
    path = tuple(split(behaviour.value))

    def emptied(answer: Any) -> Any:
        held = holder(answer, path)
        held[path[-1]] = {name: type(value)() for name, value in held[path[-1]].items()}
        return answer

    signs = subject.stated(behaviour.pointer, "writes_can_be_repeated")
    return Mutation(_on_same_write(subject, lambda _call, response, _server: response.changed(emptied)), signs)


@MEMORY.mutant
def same_write_resets(subject: MutatedOperation) -> Mutation | None:
    """Server on which a repeated write resets the value, as a toggle does."""
    reset, read = subject.sibling("reset"), subject.sibling("read")
    if subject.role != "write" or reset is None or read is None or read.behaviour is None or subject.generated:
        return None

    def again(request: MutantRequest, response: MutantResponse, server: Backend) -> MutantResponse:
        server.send(request.to(reset))
        server.memory(request)["last"] = None
        return response

    signs = subject.stated(read.behaviour.pointer, "writes_can_be_repeated") | _seen_by_reads(subject)
    return Mutation(_on_same_write(subject, again), signs)


@MEMORY.mutant
def list_items_lost(subject: MutatedOperation) -> Mutation | None:
    """Server that stores only the first item of a list, and shows all of them in its response."""
    found = [one for one in link_effects(subject.contract) if one.call is subject.operation]
    if not found or not isinstance(subject.sample, dict):
        return None
    lists = [name for name, value in subject.sample.items() if isinstance(value, list) and len(value) > 1]
    if not lists:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        value = request.json
        if not isinstance(value, dict) or not subject.accepts(value):
            return server.send(request)
        shown = {name: value[name] for name in lists if isinstance(value.get(name), list)}
        response = server.send(request.with_json(value | {name: items[:1] for name, items in shown.items()}))
        return response.changed(lambda value: value | {name: shown[name] for name in shown if name in value})

    return Mutation(only_here(subject, act), subject.stated(found[0].pointer, "links_show_what_they_say"))
