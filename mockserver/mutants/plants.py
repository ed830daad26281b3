"""How most mutants stand between network and stub: they change one kind of reply, or let one kind of call through."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.behaviour.seeding import Account
from mockserver.mutants.catalogue import Behind, Mutation, Plant
from mockserver.mutants.messages import Call, Reply, crash
from mockserver.mutants.subject import Change, Sign, Subject, is_json


def only_here(subject: Subject, act: Plant) -> Plant:
    """Return the plant that acts on the calls of the subject's operation alone."""
    operation = subject.operation

    def plant(call: Call, server: Behind) -> Reply:
        return act(call, server) if call.operation is operation else server.send(call)

    return plant


def replying(subject: Subject, signs: frozenset[Sign], change: Callable[[Call, Reply], Reply]) -> Mutation:
    """Return the mutation that changes replies of the operation."""
    return Mutation(only_here(subject, lambda call, server: change(call, server.send(call))), signs)


def with_status(
    subject: Subject, status: int, signs: frozenset[Sign], change: Callable[[Reply], Reply]
) -> Mutation | None:
    """Return the mutation that changes the operation's replies of one status; None if it documents no such reply."""
    if str(status) not in subject.operation.responses:
        return None
    return replying(subject, signs, lambda _call, reply: change(reply) if reply.status == status else reply)


def with_main(subject: Subject, signs: frozenset[Sign], change: Callable[[Reply], Reply]) -> Mutation | None:
    """Return the mutation that changes the operation's main answer, whole."""
    main = subject.main
    if main is None:
        return None

    def changed(_call: Call, reply: Reply) -> Reply:
        media_type = (reply.field("Content-Type") or "").partition(";")[0]
        return change(reply) if reply.status == main.status and is_json(media_type) else reply

    return replying(subject, signs, changed)


def answering(subject: Subject, change: Change) -> Mutation | None:
    """Return the mutation that changes the content of the main answer; None where the contract allows the change."""
    signs = subject.answering(change)
    return with_main(subject, signs, lambda reply: reply.changed(change)) if signs else None


def letting_in(subject: Subject, signs: frozenset[Sign], whom: Callable[[Call], Account | None]) -> Mutation | None:
    """Return the mutation that takes a call refused with 401 for one of the account that `whom` returns."""
    if not subject.is_guarded:
        return None
    ends = subject.operation.effect == "credentials"

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        account = whom(call) if reply.status == 401 else None
        if account is None:
            return reply
        # What ends a token ends none that the suite needs: it is the refusal that is missing, no more.
        return (server.aside if ends else server.send)(call.by(account))

    return Mutation(only_here(subject, act), signs)


def crashing(subject: Subject, signs: frozenset[Sign], when: Callable[[Call], bool]) -> Mutation:
    """Return the mutation that fails on some calls of the operation, whose caller may call it."""

    def change(call: Call, reply: Reply) -> Reply:
        return crash() if reply.status not in {401, 403} and when(call) else reply

    return replying(subject, signs, change)


def taking(subject: Subject, signs: frozenset[Sign], repair: Callable[[Call], Call | None]) -> Mutation:
    """Return the mutation that takes a rejected call for another one, which `repair` returns where it does."""

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        better = repair(call) if reply.status in {400, 415, 422} else None
        return reply if better is None else server.send(better)

    return Mutation(only_here(subject, act), signs)
