"""Interceptors between network and stub, which change requests or responses; most mutants are made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.contract.roles import credential_places, is_login
from mockserver.http.media_types import is_json
from mockserver.selftest.catalogue import Backend, Interceptor, Mutation
from mockserver.selftest.entrances import tokens_of
from mockserver.selftest.mutated_operation import Change, MutatedOperation, Sign, text_at
from mockserver.selftest.traffic import MutantRequest, MutantResponse, crash
from mockserver.stub.store.seed import Account

#: A shorter string in the response to a login is no token.
_TOKEN_LENGTH = 20


def only_here(subject: MutatedOperation, act: Interceptor) -> Interceptor:
    """Return an interceptor that acts on requests for one operation only and passes on all others."""
    operation = subject.operation

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        return act(request, server) if request.operation is operation else server.send(request)

    return intercept


def with_response(
    subject: MutatedOperation, signs: frozenset[Sign], change: Callable[[MutantRequest, MutantResponse], MutantResponse]
) -> Mutation:
    """Return a mutation of the stub that changes responses of the operation."""
    return Mutation(only_here(subject, lambda request, server: change(request, server.send(request))), signs)


def with_status(
    subject: MutatedOperation, status: int, signs: frozenset[Sign], change: Callable[[MutantResponse], MutantResponse]
) -> Mutation | None:
    """Return a mutation of the stub that changes responses with one status code; None if the code is undocumented."""
    if str(status) not in subject.operation.responses:
        return None
    return with_response(
        subject, signs, lambda _request, response: change(response) if response.status == status else response
    )


def with_rejection(
    subject: MutatedOperation, signs: frozenset[Sign], change: Callable[[MutantResponse], MutantResponse]
) -> Mutation | None:
    """Return a mutation of the stub that changes refusals of content that breaks the schema; None if there are none."""
    status = subject.rejection
    return None if status is None else with_status(subject, status, signs, change)


def with_main(
    subject: MutatedOperation, signs: frozenset[Sign], change: Callable[[MutantResponse], MutantResponse]
) -> Mutation | None:
    """Return a mutation of the stub that changes the operation's main response."""
    main = subject.main
    if main is None:
        return None

    def changed(_request: MutantRequest, response: MutantResponse) -> MutantResponse:
        media_type = (response.field("Content-Type") or "").partition(";")[0]
        return change(response) if response.status == main.status and is_json(media_type) else response

    return with_response(subject, signs, changed)


def with_content(subject: MutatedOperation, change: Change) -> Mutation | None:
    """Return a mutation of the stub that changes the main response's content; None if that change is allowed."""
    signs = subject.content_signs(change)
    return with_main(subject, signs, lambda response: response.changed(change)) if signs else None


class KnownTokens:
    """Tokens of all accounts: the seeded ones, and those that logins issued in a world."""

    def __init__(self, subject: MutatedOperation, memory: dict[Any, Any]) -> None:
        self._contract = subject.contract
        self._accounts = subject.accounts
        self._issued: dict[str, list[str]] = memory.setdefault("issued", {})

    def remember(self, request: MutantRequest, response: MutantResponse) -> None:
        """Remember the tokens in the response to a login."""
        places = credential_places(self._contract, request.operation) if request.operation is not None else None
        if response.ok and places is not None:
            username = str(text_at(request.json, places.username))
            self._issued.setdefault(username, []).extend(_tokens(response.json))

    def tokens(self, account: Account) -> list[str]:
        """Return all tokens of an account."""
        return [*tokens_of(account), *self._issued.get(account.username, [])]

    def owner(self, shown: str) -> Account | None:
        """Return the account that a token was issued to, or None."""
        return next((account for account in self._accounts.values() if shown in self.tokens(account)), None)


def _tokens(value: Any) -> list[str]:
    """Return the strings in a response that may be tokens: long and without spaces."""
    if isinstance(value, dict):
        return [token for member in value.values() for token in _tokens(member)]
    return [value] if isinstance(value, str) and len(value) >= _TOKEN_LENGTH and " " not in value else []


def accepting_caller(
    subject: MutatedOperation, signs: frozenset[Sign], whom: Callable[[MutantRequest, KnownTokens], Account | None]
) -> Mutation | None:
    """Return a mutation of the stub that repeats a request refused with 401 as the account that `whom` returns.

    Where a scheme names no users, `whom` sees the owner of the token, if it has one.
    """
    if not subject.is_guarded:
        return None
    ends = subject.operation.effect == "credentials"

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        response, known = server.send(request), KnownTokens(subject, server.memory(request))
        if is_login(request.operation):
            known.remember(request, response)
        if request.operation is not subject.operation or response.status != 401:
            return response
        account = whom(request, known)
        if account is None:
            return response
        # What ends a token ends none that the suite needs: it is the refusal that is missing, no more.
        return (server.send_in_fresh_world if ends else server.send)(subject.by(request, account))

    return Mutation(intercept, signs)


def failing_when(subject: MutatedOperation, signs: frozenset[Sign], when: Callable[[MutantRequest], bool]) -> Mutation:
    """Return a mutation of the stub that responds with 500 to some requests whose caller may call the operation."""
    # Where credentials are asked for, what comes behind the door cannot fail for those who are refused at it.
    refusals = {401, 403} if subject.operation.security else set()

    def change(request: MutantRequest, response: MutantResponse) -> MutantResponse:
        return crash() if response.status not in refusals and when(request) else response

    return with_response(subject, signs, change)


def accepting_invalid(
    subject: MutatedOperation, signs: frozenset[Sign], repair: Callable[[MutantRequest], MutantRequest | None]
) -> Mutation:
    """Return a mutation that accepts one kind of invalid request: it is repaired before the stub sees it."""

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        better = repair(request) if response.status in {400, 415, 422} else None
        return response if better is None else server.send(better)

    return Mutation(only_here(subject, act), signs)
