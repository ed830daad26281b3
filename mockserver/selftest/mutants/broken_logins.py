"""Logins that let the wrong ones in, give out what does not work, or tell lies about tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.contract.roles import CredentialPlaces, is_about_tokens
from mockserver.http import basic
from mockserver.selftest.catalogue import Behind, Catalogue, Mutation
from mockserver.selftest.mutated_operation import Subject, holder, members, replaced, text_at
from mockserver.selftest.plants import only_here, with_main
from mockserver.selftest.traffic import Call, Reply
from mockserver.stub.store.seed import Account

LOGINS = Catalogue("logins")
#: Tells whether what is shown passes for an account's password.
_Match = Callable[[Account, str], bool]


def _as(account: Account, value: Any, places: CredentialPlaces) -> Any:
    """Return the content of a login by which an account logs in."""
    named = replaced(value, places.username, account.username)
    return replaced(named, places.password, account.password)


def _password(name: str, claim: str, matches: _Match) -> None:
    """Register a class whose login takes something else than the password for it."""

    def make(subject: Subject) -> Mutation | None:
        places = subject.credential_places
        if places is None or not subject.accounts:
            return None

        def act(call: Call, server: Behind) -> Reply:
            reply, value = server.send(call), call.json
            if reply.status != 401:
                return reply
            account = subject.accounts.get(str(text_at(value, places.username)))
            shown = str(text_at(value, places.password))
            if account is None or account.password is None or not matches(account, shown):
                return reply
            return server.send(call.with_json(_as(account, value, places)))

        return Mutation(only_here(subject, act), subject.universal("wrong_passwords_are_refused"))

    LOGINS.add(name, claim, make)


_PASSWORDS: tuple[tuple[str, str, _Match], ...] = (
    ("password_not_compared", "A login takes any password of an account that exists.", lambda _account, _shown: True),
    ("password_case_ignored", "A login compares passwords without regard to case.",
     lambda account, shown: shown.lower() == str(account.password).lower()),
    ("password_end_ignored", "A login compares the first eight characters of a password.",
     lambda account, shown: shown[:8] == str(account.password)[:8]),
)  # fmt: skip

for _row in _PASSWORDS:
    _password(*_row)


@LOGINS.mutant
def password_of_another(subject: Subject) -> Mutation | None:
    """A login takes the password of any account, whoever is named."""
    places = subject.credential_places
    if places is None or len(subject.accounts) < 2:
        return None
    known = {str(account.password): account for account in subject.accounts.values() if account.password}

    def act(call: Call, server: Behind) -> Reply:
        reply, value = server.send(call), call.json
        owner = known.get(str(text_at(value, places.password))) if reply.status == 401 else None
        return reply if owner is None else server.send(call.with_json(_as(owner, value, places)))

    return Mutation(only_here(subject, act), subject.universal("wrong_passwords_are_refused"))


@LOGINS.mutant
def issued_token_dead(subject: Subject) -> Mutation | None:
    """A login gives out a token that has ended already: local time is taken for UTC."""
    revocation, places = subject.revocation, subject.credential_places
    if places is None or revocation is None:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply, value = server.send(call), call.json
        if reply.ok:
            for path in members(reply.json):
                token = holder(reply.json, path)[path[-1]]
                if isinstance(token, str):
                    from_login = call.to(revocation)._replace(authorization=None)
                    server.send(_with_token(from_login, str(text_at(value, places.username)), token))
        return reply

    return Mutation(only_here(subject, act), subject.stated(subject.operation.pointer, "issued_tokens_work_at_once"))


def _with_token(call: Call, username: str, token: str) -> Call:
    return call._replace(authorization=basic.encode(f"{username}:{token}"))


def _told(subject: Subject, check: str, replace: Callable[[object], object], *, same: bool = False) -> Mutation | None:
    """Return the mutation of an answer about a token in which some texts are others.

    With `same` it may leave the documented answer as it is: other accounts show it.
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
    return with_main(subject, subject.stated(behaviour.pointer, check), lambda reply: reply.changed(changed))


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for member in value.values() for text in _texts(member)]
    return [value] if isinstance(value, str) else []


@LOGINS.mutant
def another_level_told(subject: Subject) -> Mutation | None:
    """Everybody is told to have the lowest level: clients hide what would work."""
    levels = subject.contract.levels
    if len(levels) < 2:
        return None
    check = "issued_tokens_tell_their_level"
    return _told(subject, check, lambda text: levels[-1] if text in levels else text)


@LOGINS.mutant
def another_account_named(subject: Subject) -> Mutation | None:
    """What is told of a token names the last account, whosever it is."""
    names = list(subject.accounts)
    if len(names) < 2:
        return None
    return _told(subject, "answers_name_the_caller", lambda text: names[-1] if text in names else text)


@LOGINS.mutant
def highest_level_told(subject: Subject) -> Mutation | None:
    """Everybody is told to have the highest level: clients show what does not work."""
    levels = subject.contract.levels
    if len(levels) < 2 or subject.main is None or not set(_texts(subject.main.value)) & set(levels):
        return None
    return _told(
        subject, "issued_tokens_tell_their_level", lambda text: levels[0] if text in levels else text, same=True
    )


@LOGINS.mutant
def first_account_named(subject: Subject) -> Mutation | None:
    """What is told of a token names the account that was created first, whosever it is."""
    names = list(subject.accounts)
    if len(names) < 2 or subject.main is None or not set(_texts(subject.main.value)) & set(names):
        return None
    return _told(subject, "answers_name_the_caller", lambda text: names[0] if text in names else text, same=True)
