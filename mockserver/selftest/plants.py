"""How most mutants stand between network and stub: they change one kind of reply, or let one kind of call through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.contract.roles import credential_places, is_login
from mockserver.selftest.catalogue import Behind, Mutation, Plant
from mockserver.selftest.mutated_operation import Change, Sign, Subject, is_json, text_at
from mockserver.selftest.traffic import Call, Reply, crash
from mockserver.stub.store.seed import Account

#: A shorter text in the answer to a login is no token.
_TOKEN_LENGTH = 20


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


class Known:
    """Which tokens there are: the seeded ones, and those that logins gave out in a world."""

    def __init__(self, subject: Subject, memory: dict[Any, Any]) -> None:
        self._contract = subject.contract
        self._accounts = subject.accounts
        self._issued: dict[str, list[str]] = memory.setdefault("issued", {})

    def remember(self, call: Call, reply: Reply) -> None:
        """Take note of the tokens in the answer to a login."""
        places = credential_places(self._contract, call.operation) if call.operation is not None else None
        if reply.ok and places is not None:
            username = str(text_at(call.json, places.username))
            self._issued.setdefault(username, []).extend(_tokens(reply.json))

    def tokens(self, account: Account) -> list[str]:
        """Return an account's tokens."""
        return [token.token for token in account.tokens] + self._issued.get(account.username, [])

    def owner(self, shown: str) -> Account | None:
        """Return whose a token is."""
        return next((account for account in self._accounts.values() if shown in self.tokens(account)), None)


def _tokens(value: Any) -> list[str]:
    """Return the texts of an answer that may be a token: long, and of one word."""
    if isinstance(value, dict):
        return [token for member in value.values() for token in _tokens(member)]
    return [value] if isinstance(value, str) and len(value) >= _TOKEN_LENGTH and " " not in value else []


def letting_in(
    subject: Subject, signs: frozenset[Sign], whom: Callable[[Call, Known], Account | None]
) -> Mutation | None:
    """Return the mutation that takes a call refused with 401 for one of the account that `whom` returns."""
    if not subject.is_guarded:
        return None
    ends = subject.operation.effect == "credentials"

    def plant(call: Call, server: Behind) -> Reply:
        reply, known = server.send(call), Known(subject, server.memory(call))
        if is_login(call.operation):
            known.remember(call, reply)
        if call.operation is not subject.operation or reply.status != 401:
            return reply
        account = whom(call, known)
        if account is None:
            return reply
        # What ends a token ends none that the suite needs: it is the refusal that is missing, no more.
        return (server.aside if ends else server.send)(call.by(account))

    return Mutation(plant, signs)


def crashing(subject: Subject, signs: frozenset[Sign], when: Callable[[Call], bool]) -> Mutation:
    """Return the mutation that fails on some calls of the operation, whose caller may call it."""
    # Where credentials are asked for, what comes behind the door cannot fail for those who are refused at it.
    refusals = {401, 403} if subject.operation.security else set()

    def change(call: Call, reply: Reply) -> Reply:
        return crash() if reply.status not in refusals and when(call) else reply

    return replying(subject, signs, change)


def taking(subject: Subject, signs: frozenset[Sign], repair: Callable[[Call], Call | None]) -> Mutation:
    """Return the mutation that takes a rejected call for another one, which `repair` returns where it does."""

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        better = repair(call) if reply.status in {400, 415, 422} else None
        return reply if better is None else server.send(better)

    return Mutation(only_here(subject, act), signs)
