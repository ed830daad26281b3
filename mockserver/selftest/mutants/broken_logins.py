"""Mutants of logins: wrong passwords accepted, dead tokens issued, wrong data about tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.contract.roles import CredentialPlaces, is_about_tokens
from mockserver.http import basic
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.interceptors import only_here, with_main
from mockserver.selftest.mutated_operation import MutatedOperation, holder, members, replaced, text_at
from mockserver.selftest.traffic import MutantRequest, MutantResponse
from mockserver.stub.store.seed import Account

LOGINS = Catalogue("logins")
#: Tells whether a broken login accepts a text as an account's password.
_Match = Callable[[Account, str], bool]


def _as(account: Account, value: Any, places: CredentialPlaces) -> Any:
    """Return a login's content with the user name and password of an account filled in."""
    named = replaced(value, places.username, account.username)
    return replaced(named, places.password, account.password)


def _password(name: str, fault: str, matches: _Match) -> None:
    """Register a class of mutants whose login accepts something other than the password."""

    def make(subject: MutatedOperation) -> Mutation | None:
        places = subject.credential_places
        if places is None or not subject.accounts:
            return None

        def act(request: MutantRequest, server: Backend) -> MutantResponse:
            response, value = server.send(request), request.json
            if response.status != 401:
                return response
            account = subject.accounts.get(str(text_at(value, places.username)))
            shown = str(text_at(value, places.password))
            if account is None or account.password is None or not matches(account, shown):
                return response
            return server.send(request.with_json(_as(account, value, places)))

        return Mutation(only_here(subject, act), subject.universal("wrong_passwords_are_refused"))

    LOGINS.add(name, fault, make)


_PASSWORDS: tuple[tuple[str, str, _Match], ...] = (
    ("password_not_compared", "Server whose login accepts any password for an existing account.",
     lambda _account, _shown: True),
    ("password_case_ignored", "Server whose login compares passwords case-insensitively.",
     lambda account, shown: shown.lower() == str(account.password).lower()),
    ("password_end_ignored", "Server whose login compares only the first eight characters of a password.",
     lambda account, shown: shown[:8] == str(account.password)[:8]),
)  # fmt: skip

for _row in _PASSWORDS:
    _password(*_row)


@LOGINS.mutant
def password_of_another(subject: MutatedOperation) -> Mutation | None:
    """Server whose login accepts any account's password, whichever user name is given."""
    places = subject.credential_places
    if places is None or len(subject.accounts) < 2:
        return None
    known = {str(account.password): account for account in subject.accounts.values() if account.password}

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, value = server.send(request), request.json
        owner = known.get(str(text_at(value, places.password))) if response.status == 401 else None
        return response if owner is None else server.send(request.with_json(_as(owner, value, places)))

    return Mutation(only_here(subject, act), subject.universal("wrong_passwords_are_refused"))


@LOGINS.mutant
def issued_token_dead(subject: MutatedOperation) -> Mutation | None:
    """Server whose login issues tokens that have expired already: local time is taken for UTC."""
    revocation, places = subject.revocation, subject.credential_places
    if places is None or revocation is None:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response, value = server.send(request), request.json
        if response.ok:
            for path in members(response.json):
                token = holder(response.json, path)[path[-1]]
                if isinstance(token, str):
                    from_login = request.to(revocation)._replace(authorization=None)
                    server.send(_with_token(from_login, str(text_at(value, places.username)), token))
        return response

    return Mutation(only_here(subject, act), subject.stated(subject.operation.pointer, "issued_tokens_work_at_once"))


def _with_token(request: MutantRequest, username: str, token: str) -> MutantRequest:
    return request._replace(authorization=basic.encode(f"{username}:{token}"))


def _told(
    subject: MutatedOperation, check: str, replace: Callable[[object], object], *, same: bool = False
) -> Mutation | None:
    """Return a mutation of the stub that replaces strings in the responses of an operation about tokens.

    With `same` the documented example may stay as it is: the responses to other accounts change.
    """
    behaviour, main = subject.operation.behaviour, subject.main
    if behaviour is None or not is_about_tokens(subject.operation) or main is None:
        return None

    def changed(value: object) -> object:
        if isinstance(value, dict):
            return {name: changed(member) for name, member in value.items()}
        return replace(value)

    if not same and all(changed(value) == value for value in ({"shown": text} for text in _texts(main.value))):
        return None
    return with_main(subject, subject.stated(behaviour.pointer, check), lambda response: response.changed(changed))


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for member in value.values() for text in _texts(member)]
    return [value] if isinstance(value, str) else []


@LOGINS.mutant
def wrong_level_reported(subject: MutatedOperation) -> Mutation | None:
    """Server that reports the lowest level for every token."""
    levels = subject.contract.levels
    if len(levels) < 2:
        return None
    check = "issued_tokens_tell_their_level"
    return _told(subject, check, lambda text: levels[-1] if text in levels else text)


@LOGINS.mutant
def wrong_account_named(subject: MutatedOperation) -> Mutation | None:
    """Server that names the wrong account in responses about a token."""
    names = list(subject.accounts)
    if len(names) < 2:
        return None
    return _told(subject, "answers_name_the_caller", lambda text: names[-1] if text in names else text)


@LOGINS.mutant
def highest_level_reported(subject: MutatedOperation) -> Mutation | None:
    """Server that reports the highest level for every token."""
    levels = subject.contract.levels
    if len(levels) < 2 or subject.main is None or not set(_texts(subject.main.value)) & set(levels):
        return None
    return _told(
        subject, "issued_tokens_tell_their_level", lambda text: levels[0] if text in levels else text, same=True
    )


@LOGINS.mutant
def first_account_named(subject: MutatedOperation) -> Mutation | None:
    """Server that names the account that was created first in responses about any token."""
    names = list(subject.accounts)
    if len(names) < 2 or subject.main is None or not set(_texts(subject.main.value)) & set(names):
        return None
    return _told(subject, "answers_name_the_caller", lambda text: names[0] if text in names else text, same=True)
