"""Mutants that open other accounts' objects, or close objects that an account may use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.interceptors import only_here, with_response
from mockserver.selftest.mutated_operation import MutatedOperation
from mockserver.selftest.traffic import MutantRequest, MutantResponse, problem
from mockserver.stub.store.seed import Account

OBJECTS = Catalogue("objects")
_DONE = MutantResponse(200, (("Content-Type", "application/json"),), b"{}")


def _opened(subject: MutatedOperation, opens: Callable[[Account], bool]) -> Mutation | None:
    """Return a mutation of the stub that carries out requests for other accounts' objects in place of a 403."""
    objects = subject.operation.objects
    if objects is None or not objects.requested or not subject.is_guarded:
        return None
    if not _limited(subject):
        return None
    levels = subject.operation.levels or ()

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        account = subject.accounts.get(subject.shown(request)[0])
        if response.status != 403 or account is None or account.level not in levels or not opens(account):
            return response
        allowed = server.send(subject.by(request, subject.highest_account))
        # Some requests fail even for the highest level, or as there is no such object: success all the same.
        return allowed if allowed.ok else _DONE

    return Mutation(only_here(subject, act), subject.universal("foreign_objects_are_refused"))


@OBJECTS.mutant
def objects_of_all_are_open(subject: MutatedOperation) -> Mutation | None:
    """Server that checks an account's level and not the owner of the object that is asked for."""
    return _opened(subject, lambda _account: True)


@OBJECTS.mutant
def objects_open_to_the_lowest(subject: MutatedOperation) -> Mutation | None:
    """Server on which the lowest level restricted to its own objects can act on other accounts' objects."""
    limited = _limited(subject)
    return _opened(subject, lambda account: account.level == limited[-1]) if len(limited) > 1 else None


@OBJECTS.mutant
def objects_open_to_the_highest(subject: MutatedOperation) -> Mutation | None:
    """Server on which the highest level restricted to its own objects can act on other accounts' objects."""
    limited = _limited(subject)
    return _opened(subject, lambda account: account.level == limited[0]) if len(limited) > 1 else None


@OBJECTS.mutant
def objects_of_others_closed(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses other accounts' objects to a level that may act on objects of any owner."""
    objects = subject.operation.objects
    if objects is None or not objects.requested or not objects.foreign or not subject.is_guarded:
        return None
    signs = subject.stated(objects.pointer, "foreign_objects_are_admitted")

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        account = subject.accounts.get(subject.shown(request)[0])
        known = account is not None and account.level in objects.foreign and response.status not in {401, 403}
        return problem(403, "Forbidden") if known else response

    return Mutation(only_here(subject, act), signs)


@OBJECTS.mutant
def lists_tell_the_objects_of_all(subject: MutatedOperation) -> Mutation | None:
    """Server that lists the objects of all accounts to accounts that may see only their own."""
    objects = subject.operation.objects
    if objects is None or objects.requested or not _limited(subject) or not subject.is_guarded:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        return (
            server.send(subject.by(request, subject.highest_account))
            if response.ok and subject.shown(request)[0] in subject.accounts
            else response
        )

    return Mutation(only_here(subject, act), subject.stated(objects.pointer, "lists_tell_own_objects_alone"))


def _limited(subject: MutatedOperation) -> tuple[str, ...]:
    """Return the levels that may call an operation for their own objects only, the highest first."""
    objects = subject.operation.objects
    allowed = subject.operation.levels or ()
    return tuple(
        level for level in subject.contract.levels if level in allowed and objects and level not in objects.foreign
    )


@OBJECTS.mutant
def lists_leave_out_own_objects(subject: MutatedOperation) -> Mutation | None:
    """Server that lists to each account the account itself only, not the others that it may see."""
    objects = subject.operation.objects
    if objects is None or objects.requested or objects.own != "account" or not subject.is_guarded:
        return None

    def change(request: MutantRequest, response: MutantResponse) -> MutantResponse:
        username = subject.shown(request)[0]
        return response.changed(lambda value: _own_alone(value, username)) if response.ok else response

    return with_response(subject, subject.stated(objects.pointer, "lists_tell_all_own_objects"), change)


def _own_alone(value: Any, username: str) -> Any:
    """Return the content of a list with only those of its items that hold a name."""
    if isinstance(value, dict):
        return {name: _own_alone(member, username) for name, member in value.items()}
    if not isinstance(value, list):
        return value
    return [item for item in value if username in (item.values() if isinstance(item, dict) else [item])]
