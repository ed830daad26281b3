"""Mutants that accept wrong credentials, or accounts whose level is not allowed."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.contract.roles import is_login
from mockserver.http import basic
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.entrances import Entrance
from mockserver.selftest.interceptors import KnownTokens, accepting_caller, only_here
from mockserver.selftest.mutated_operation import MutatedOperation
from mockserver.selftest.traffic import MutantRequest, MutantResponse
from mockserver.stub.store.seed import Account

CREDENTIALS = Catalogue("credentials")
#: Tells whether the token that a client shows (second) is accepted for a token of the account (first).
_MatchToken = Callable[[str, str], bool]


def _lenient(name: str, fault: str, matches: _MatchToken, *checks: str) -> None:
    """Register a class of mutants that accept certain wrong tokens, together with a user name if there is one."""

    def make(subject: MutatedOperation) -> Mutation | None:
        entrance = subject.entrance
        if entrance is None or (name == "token_trimmed" and not _keeps_blanks(entrance)):
            return None
        able = (subject.highest_account, *subject.accounts.values())

        def whom(request: MutantRequest, known: KnownTokens) -> Account | None:
            if entrance.text(request) is None:
                return None
            username, shown = subject.shown(request)
            named = subject.accounts.get(username)
            looked_up = able if not entrance.names_users else () if named is None else (named,)
            return next((one for one in looked_up if any(matches(token, shown) for token in known.tokens(one))), None)

        return accepting_caller(subject, subject.universal(*checks), whom)

    CREDENTIALS.add(name, fault, make)


def _keeps_blanks(entrance: Entrance) -> bool:
    """Tell whether blanks around a token arrive: those around a field's value do not (RFC 9110, section 5.5)."""
    return entrance.names_users or entrance.place == "query"


_LENIENT: tuple[tuple[str, str, _MatchToken, tuple[str, ...]], ...] = (
    ("token_not_compared", "Server that looks up the user name and does not compare the token.",
     lambda _token, shown: bool(shown), ("unknown_tokens_are_refused",)),
    ("token_empty", "Server that accepts an empty token, as it equals the empty column of an account without a token.",
     lambda _token, shown: not shown,
     ("unknown_tokens_are_refused", "malformed_credentials_are_refused", "calls_without_credentials_are_refused")),
    ("token_beginning", "Server that compares only as many characters of a token as the client sent.",
     lambda token, shown: bool(shown) and token.startswith(shown), ("tokens_are_compared_whole",)),
    ("token_end_ignored", "Server that compares only the first characters of a token.",
     lambda token, shown: shown.startswith(token), ("tokens_are_compared_whole",)),
    ("token_last_character_ignored", "Server that does not compare the last character of a token: an off-by-one error.",
     lambda token, shown: shown == token[:-1], ("tokens_are_compared_whole",)),
    ("token_end_suffices", "Server that accepts the last characters of a token: SQL's LIKE with a leading wildcard.",
     lambda token, shown: len(shown) > 2 and token.endswith(shown), ("tokens_are_compared_whole",)),
    ("token_trimmed", "Server that strips spaces from a token before comparing it.",
     lambda token, shown: shown.strip() == token, ("tokens_are_compared_whole",)),
    ("token_case_ignored", "Server that compares tokens case-insensitively, as its database's collation does.",
     lambda token, shown: shown.lower() == token.lower(), ("tokens_are_compared_whole",)),
)  # fmt: skip

for _name, _fault, _match, _checks in _LENIENT:
    _lenient(_name, _fault, _match, *_checks)


#: Tells whether a request opens the door at an entrance.
_Opens = Callable[[MutantRequest, Entrance], bool]


def _door(name: str, fault: str, applies: Callable[[Entrance], bool], opens: _Opens, *checks: str) -> None:
    """Register a class of mutants that treat some unauthenticated requests as the highest-level account's."""

    def make(subject: MutatedOperation) -> Mutation | None:
        entrance = subject.entrance
        if entrance is None or not applies(entrance):
            return None
        highest = subject.highest_account
        return accepting_caller(
            subject, subject.universal(*checks), lambda request, _known: highest if opens(request, entrance) else None
        )

    CREDENTIALS.add(name, fault, make)


def _undecodable(request: MutantRequest, _entrance: Entrance) -> bool:
    scheme, _, rest = (request.authorization or "").partition(" ")
    return scheme.lower() == "basic" and bool(rest.strip()) and not basic.user_pass(request.authorization or "")


def _of_another_scheme(request: MutantRequest, entrance: Entrance) -> bool:
    scheme, _, _ = (request.authorization or "").partition(" ")
    return bool(scheme) and scheme.lower() != entrance.auth_scheme and entrance.text(request) is None


def _is_empty(request: MutantRequest, entrance: Entrance) -> bool:
    return (request.authorization if entrance.auth_scheme else entrance.text(request)) == ""


_DOORS: tuple[tuple[str, str, Callable[[Entrance], bool], _Opens, tuple[str, ...]], ...] = (
    ("auth_ignored", "Server that asks for no credentials at an operation that requires them.",
     lambda _entrance: True, lambda request, entrance: entrance.text(request) is None and not request.authorization,
     ("calls_without_credentials_are_refused", "ignored_auth")),
    ("auth_field_empty", "Server that accepts an empty field of credentials: only its presence is tested.",
     lambda entrance: bool(entrance.field), _is_empty, ("calls_without_credentials_are_refused",)),
    ("auth_scheme_ignored", "Server that accepts credentials of another authentication scheme.",
     lambda entrance: entrance.field.lower() != "authorization" or bool(entrance.auth_scheme), _of_another_scheme,
     ("calls_without_credentials_are_refused",)),
    ("auth_undecodable", "Server that accepts credentials that cannot be decoded: the exception is caught and ignored.",
     lambda entrance: entrance.names_users, _undecodable, ("malformed_credentials_are_refused",)),
)  # fmt: skip


for _name, _fault, _applies, _opens, _checks in _DOORS:
    _door(_name, _fault, _applies, _opens, *_checks)


@CREDENTIALS.mutant
def auth_user_unknown(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts user names without an account."""
    if not subject.names_users:
        return None
    highest = subject.highest_account

    def whom(request: MutantRequest, _known: KnownTokens) -> Account | None:
        username = subject.shown(request)[0]
        return highest if username and username not in subject.accounts else None

    # The account may be refused for another reason: then the status is a wrong one.
    check = "tokens_belong_to_their_user"
    return accepting_caller(subject, subject.universal(check) | subject.silent(check), whom)


@CREDENTIALS.mutant
def token_of_another(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts a valid token together with another account's user name."""
    if not subject.names_users:
        return None

    def whom(request: MutantRequest, known: KnownTokens) -> Account | None:
        return known.owner(subject.shown(request)[1])

    return accepting_caller(subject, subject.universal("tokens_belong_to_their_user"), whom)


@CREDENTIALS.mutant
def any_valid_token(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts any valid token, and takes the account from the user name alone."""
    if not subject.names_users:
        return None

    def whom(request: MutantRequest, known: KnownTokens) -> Account | None:
        username, shown = subject.shown(request)
        return subject.accounts.get(username) if known.owner(shown) is not None else None

    # The account may be refused for another reason: then the status is a wrong one.
    check = "tokens_belong_to_their_user"
    return accepting_caller(subject, subject.universal(check) | subject.silent(check), whom)


@CREDENTIALS.mutant
def password_as_token(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts an account's password in place of a token."""
    if subject.revocation is None or not any(is_login(operation) for operation in subject.contract.operations):
        return None  # without a login that issues tokens, the password is the credential

    def whom(request: MutantRequest, _known: KnownTokens) -> Account | None:
        username, shown = subject.shown(request)
        named = subject.accounts.get(username)
        looked_up = subject.accounts.values() if not subject.names_users else () if named is None else (named,)
        return next((one for one in looked_up if shown and shown == one.password), None)

    return accepting_caller(subject, subject.universal("passwords_are_no_tokens"), whom)


@CREDENTIALS.mutant
def token_revoked(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts revoked tokens at an operation: its cache of tokens is not invalidated."""
    revocation = subject.revocation
    if revocation is None or not subject.is_guarded:
        return None

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        response, revoked = server.send(request), server.memory(request)
        username, shown = subject.shown(request)
        if request.operation is revocation and response.ok:
            revoked[shown] = username
        elif request.operation is subject.operation and response.status == 401 and shown in revoked:
            # What ends a token ends none that the suite needs; all else may need what was done before.
            again = server.send_in_fresh_world if subject.operation.effect == "credentials" else server.send
            return again(subject.by(request, subject.accounts.get(username) or subject.highest_account))
        return response

    return Mutation(intercept, subject.universal("revoked_tokens_are_refused"))


@CREDENTIALS.mutant
def token_expired(subject: MutatedOperation) -> Mutation | None:
    """Server that accepts expired tokens at an operation."""
    revocation = subject.revocation

    def whom(request: MutantRequest, known: KnownTokens) -> Account | None:
        username, shown = subject.shown(request)
        account = subject.accounts.get(username)
        return account if account is not None and shown in known.tokens(account) else None

    if not any(is_login(operation) for operation in subject.contract.operations):
        return None
    check = "expired_tokens_are_refused"
    mutation = accepting_caller(subject, subject.universal(check) | subject.silent(check), whom)
    if mutation is None:
        return None

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        memory = server.memory(request)
        if memory.get("revoked") and request.operation is subject.operation:
            return server.send(request)  # what was revoked is no matter of time
        response = mutation.intercept(request, server)
        if request.operation is revocation and response.ok:
            memory["revoked"] = True
        return response

    return Mutation(intercept, mutation.signs)


def _levels(subject: MutatedOperation, admitted: tuple[str, ...]) -> Mutation | None:
    if not subject.is_guarded or subject.operation.levels is None or not admitted:
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        response = server.send(request)
        account = subject.accounts.get(subject.shown(request)[0])
        if response.status == 403 and account is not None and account.level in admitted:
            return server.send(subject.by(request, subject.highest_account))
        return response

    return Mutation(only_here(subject, act), subject.universal("levels_not_allowed_are_refused"))


@CREDENTIALS.mutant
def level_ignored(subject: MutatedOperation) -> Mutation | None:
    """Server that lets accounts of every level call an operation that is restricted to some levels."""
    return _levels(subject, _excluded(subject))


@CREDENTIALS.mutant
def level_below_admitted(subject: MutatedOperation) -> Mutation | None:
    """Server that also lets the next lower level call a restricted operation: >= in place of >."""
    return _levels(subject, _excluded(subject)[:1])


@CREDENTIALS.mutant
def level_lowest_admitted(subject: MutatedOperation) -> Mutation | None:
    """Server that also lets the lowest level call a restricted operation: its number 0 counts as none."""
    return _levels(subject, _excluded(subject)[-1:])


def _excluded(subject: MutatedOperation) -> tuple[str, ...]:
    return tuple(level for level in subject.contract.levels if level not in (subject.operation.levels or ()))
