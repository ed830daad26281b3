"""The objects of others are open, or one's own closed: the permission matrix turned off cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.selftest.catalogue import Behind, Catalogue, Mutation
from mockserver.selftest.mutated_operation import Subject
from mockserver.selftest.plants import only_here, replying
from mockserver.selftest.traffic import Call, Reply, problem
from mockserver.stub.store.seed import Account

OBJECTS = Catalogue("objects")
_DONE = Reply(200, (("Content-Type", "application/json"),), b"{}")


def _opened(subject: Subject, opens: Callable[[Account], bool]) -> Mutation | None:
    """Return the mutation that takes calls on foreign objects, refused with 403, for calls of their owner."""
    objects = subject.operation.objects
    if objects is None or not objects.requested or not subject.is_guarded:
        return None
    if not _limited(subject):
        return None
    levels = subject.operation.levels or ()

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        account = subject.accounts.get(call.credentials[0])
        if reply.status != 403 or account is None or account.level not in levels or not opens(account):
            return reply
        allowed = server.send(call.by(subject.mightiest))
        # What not even the mightiest may do to others, or what others have none of, is done all the same.
        return allowed if allowed.ok else _DONE

    return Mutation(only_here(subject, act), subject.universal("foreign_objects_are_refused"))


@OBJECTS.mutant
def objects_of_all_are_open(subject: Subject) -> Mutation | None:
    """Whose an object is does not matter: only the level is looked at."""
    return _opened(subject, lambda _account: True)


@OBJECTS.mutant
def objects_open_to_the_lowest(subject: Subject) -> Mutation | None:
    """The lowest level of those that may call gets at the objects of others."""
    limited = _limited(subject)
    return _opened(subject, lambda account: account.level == limited[-1]) if len(limited) > 1 else None


@OBJECTS.mutant
def objects_open_to_the_highest(subject: Subject) -> Mutation | None:
    """The mightiest of the levels that may act on their own objects alone gets at those of others."""
    limited = _limited(subject)
    return _opened(subject, lambda account: account.level == limited[0]) if len(limited) > 1 else None


@OBJECTS.mutant
def objects_of_others_closed(subject: Subject) -> Mutation | None:
    """A level that may act on the objects of all may act on its own alone."""
    objects = subject.operation.objects
    if objects is None or not objects.requested or not objects.foreign or not subject.is_guarded:
        return None
    signs = subject.stated(objects.pointer, "foreign_objects_are_admitted")

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        account = subject.accounts.get(call.credentials[0])
        known = account is not None and account.level in objects.foreign and reply.status not in {401, 403}
        return problem(403, "Forbidden") if known else reply

    return Mutation(only_here(subject, act), signs)


@OBJECTS.mutant
def lists_tell_the_objects_of_all(subject: Subject) -> Mutation | None:
    """A list tells everybody who may call all that there is."""
    objects = subject.operation.objects
    if objects is None or objects.requested or not _limited(subject) or not subject.is_guarded:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        return (
            server.send(call.by(subject.mightiest)) if reply.ok and call.credentials[0] in subject.accounts else reply
        )

    return Mutation(only_here(subject, act), subject.stated(objects.pointer, "lists_tell_own_objects_alone"))


def _limited(subject: Subject) -> tuple[str, ...]:
    """Return the levels that may call on their own objects alone, the mightiest first."""
    objects = subject.operation.objects
    allowed = subject.operation.levels or ()
    return tuple(
        level for level in subject.contract.levels if level in allowed and objects and level not in objects.foreign
    )


@OBJECTS.mutant
def lists_leave_out_own_objects(subject: Subject) -> Mutation | None:
    """A list tells the accounts of a caller no account but its own: the filter is made for the lowest level alone."""
    objects = subject.operation.objects
    if objects is None or objects.requested or objects.own != "account" or not subject.is_guarded:
        return None

    def change(call: Call, reply: Reply) -> Reply:
        username = call.credentials[0]
        return reply.changed(lambda answer: _own_alone(answer, username)) if reply.ok else reply

    return replying(subject, subject.stated(objects.pointer, "lists_tell_all_own_objects"), change)


def _own_alone(value: Any, username: str) -> Any:
    """Return a list's answer with those of its items alone that hold a name."""
    if isinstance(value, dict):
        return {name: _own_alone(member, username) for name, member in value.items()}
    if not isinstance(value, list):
        return value
    return [item for item in value if username in (item.values() if isinstance(item, dict) else [item])]
