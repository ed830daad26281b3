"""The wrong ones are let in."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.contract.roles import is_login
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.interceptors import KnownTokens, accepting_caller, only_here
from mockserver.selftest.mutated_operation import MutatedOperation
from mockserver.selftest.traffic import MutantRequest, MutantResponse
from mockserver.stub.store.seed import Account

CREDENTIALS = Catalogue("credentials")
#: Tells whether what is shown passes for a token.
_MatchToken = Callable[[str, str], bool]


def _lenient(name: str, fault: str, matches: _MatchToken, *checks: str) -> None:
    """Register a class that lets in whoever shows a user name with something that passes for its token."""

    def make(subject: MutatedOperation) -> Mutation | None:
        def whom(request: MutantRequest, known: KnownTokens) -> Account | None:
            username, shown = request.credentials
            account = subject.accounts.get(username)
            passes = account is not None and any(matches(token, shown) for token in known.tokens(account))
            return account if passes else None

        return accepting_caller(subject, subject.universal(*checks), whom)

    CREDENTIALS.add(name, fault, make)


_LENIENT: tuple[tuple[str, str, _MatchToken, tuple[str, ...]], ...] = (
    ("token_not_compared", "The user name is looked up, the token is not compared.",
     lambda _token, shown: bool(shown), ("unknown_tokens_are_refused",)),
    ("token_empty", "An empty token is taken: it equals the empty field of an account without one.",
     lambda _token, shown: not shown, ("unknown_tokens_are_refused", "malformed_credentials_are_refused")),
    ("token_beginning", "As many characters of a token are compared as the caller sent.",
     lambda token, shown: bool(shown) and token.startswith(shown), ("tokens_are_compared_whole",)),
    ("token_end_ignored", "Only the first characters of a token are compared.",
     lambda token, shown: shown.startswith(token), ("tokens_are_compared_whole",)),
    ("token_last_character_ignored", "The last character of a token is not compared: a loop ends one too early.",
     lambda token, shown: shown == token[:-1], ("tokens_are_compared_whole",)),
    ("token_end_suffices", "A token is looked up by its end, as LIKE with a wildcard before it does.",
     lambda token, shown: len(shown) > 2 and token.endswith(shown), ("tokens_are_compared_whole",)),
    ("token_trimmed", "Blanks around a token are dropped before it is compared.",
     lambda token, shown: shown.strip() == token, ("tokens_are_compared_whole",)),
    ("token_case_ignored", "Tokens are compared without regard to case, as the database's collation does it.",
     lambda token, shown: shown.lower() == token.lower(), ("tokens_are_compared_whole",)),
)  # fmt: skip

for _name, _fault, _match, _checks in _LENIENT:
    _lenient(_name, _fault, _match, *_checks)


def _door(name: str, fault: str, opens: Callable[[MutantRequest], bool], *checks: str) -> None:
    """Register a class that takes some callers for the mightiest account."""

    def make(subject: MutatedOperation) -> Mutation | None:
        if not subject.is_guarded:
            return None
        mightiest = subject.highest_account
        return accepting_caller(
            subject, subject.universal(*checks), lambda request, _known: mightiest if opens(request) else None
        )

    CREDENTIALS.add(name, fault, make)


def _undecodable(request: MutantRequest) -> bool:
    scheme, _, rest = (request.authorization or "").partition(" ")
    return scheme.lower() == "basic" and bool(rest.strip()) and request.credentials == ("", "")


_DOORS: tuple[tuple[str, str, Callable[[MutantRequest], bool], tuple[str, ...]], ...] = (
    ("auth_ignored", "Nobody is asked for credentials: the operation was forgotten when the others got a login.",
     lambda request: request.authorization is None, ("calls_without_credentials_are_refused", "ignored_auth")),
    ("auth_field_empty", "An empty Authorization field passes: only its presence is looked at.",
     lambda request: request.authorization == "", ("calls_without_credentials_are_refused",)),
    ("auth_scheme_ignored", "Credentials of another scheme pass.",
     lambda request: bool(request.authorization) and not str(request.authorization).lower().startswith("basic"),
     ("calls_without_credentials_are_refused",)),
    ("auth_undecodable", "Credentials that cannot be decoded pass: the exception is caught, and ignored.",
     _undecodable, ("malformed_credentials_are_refused",)),
)  # fmt: skip


for _name, _fault, _opens, _checks in _DOORS:
    _door(_name, _fault, _opens, *_checks)


@CREDENTIALS.mutant
def auth_user_unknown(subject: MutatedOperation) -> Mutation | None:
    """A user name that no account has passes: a look-up without result is no refusal."""
    if not subject.is_guarded:
        return None
    mightiest = subject.highest_account

    def whom(request: MutantRequest, _known: KnownTokens) -> Account | None:
        username = request.credentials[0]
        return mightiest if username and username not in subject.accounts else None

    return accepting_caller(subject, subject.universal("tokens_belong_to_their_user"), whom)


@CREDENTIALS.mutant
def token_of_another(subject: MutatedOperation) -> Mutation | None:
    """The token is looked up, whose it is does not matter."""

    def whom(request: MutantRequest, known: KnownTokens) -> Account | None:
        return known.owner(request.credentials[1])

    return accepting_caller(subject, subject.universal("tokens_belong_to_their_user"), whom)


@CREDENTIALS.mutant
def password_as_token(subject: MutatedOperation) -> Mutation | None:
    """The account's password is taken in place of a token."""
    if subject.revocation is None or not any(is_login(operation) for operation in subject.contract.operations):
        return None  # without tokens that a login gives out, the password is what is shown

    def whom(request: MutantRequest, _known: KnownTokens) -> Account | None:
        username, shown = request.credentials
        account = subject.accounts.get(username)
        return account if account is not None and shown and shown == account.password else None

    return accepting_caller(subject, subject.universal("passwords_are_no_tokens"), whom)


@CREDENTIALS.mutant
def token_revoked(subject: MutatedOperation) -> Mutation | None:
    """A revoked token goes on working here: a cache of tokens is not told."""
    revocation = subject.revocation
    if revocation is None or not subject.is_guarded:
        return None

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        response, revoked = server.send(request), server.memory(request)
        username = request.credentials[0]
        if request.operation is revocation and response.ok:
            revoked[request.authorization] = username
        elif request.operation is subject.operation and response.status == 401 and request.authorization in revoked:
            # What ends a token ends none that the suite needs; all else may need what was done before.
            again = server.send_in_fresh_world if subject.operation.effect == "credentials" else server.send
            return again(request.by(subject.accounts[username]))
        return response

    return Mutation(intercept, subject.universal("revoked_tokens_are_refused"))


@CREDENTIALS.mutant
def token_expired(subject: MutatedOperation) -> Mutation | None:
    """A token whose time is over goes on working here: only its being there is looked at."""
    revocation = subject.revocation

    def whom(request: MutantRequest, known: KnownTokens) -> Account | None:
        username, shown = request.credentials
        account = subject.accounts.get(username)
        return account if account is not None and shown in known.tokens(account) else None

    if not any(is_login(operation) for operation in subject.contract.operations):
        return None
    mutation = accepting_caller(subject, subject.universal("expired_tokens_are_refused"), whom)
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
        account = subject.accounts.get(request.credentials[0])
        if response.status == 403 and account is not None and account.level in admitted:
            return server.send(request.by(subject.highest_account))
        return response

    return Mutation(only_here(subject, act), subject.universal("levels_not_allowed_are_refused"))


@CREDENTIALS.mutant
def level_ignored(subject: MutatedOperation) -> Mutation | None:
    """Every account may do what the documentation allows to some levels only."""
    return _levels(subject, _excluded(subject))


@CREDENTIALS.mutant
def level_below_admitted(subject: MutatedOperation) -> Mutation | None:
    """The level just below may do it, too: >= in place of >."""
    return _levels(subject, _excluded(subject)[:1])


@CREDENTIALS.mutant
def level_lowest_admitted(subject: MutatedOperation) -> Mutation | None:
    """The lowest level may do it, too: its number is 0, which counts as none."""
    return _levels(subject, _excluded(subject)[-1:])


def _excluded(subject: MutatedOperation) -> tuple[str, ...]:
    return tuple(level for level in subject.contract.levels if level not in (subject.operation.levels or ()))
