"""The wrong ones are let in."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.contract.roles import is_login
from mockserver.selftest.catalogue import Behind, Catalogue, Mutation
from mockserver.selftest.mutated_operation import Subject
from mockserver.selftest.plants import Known, letting_in, only_here
from mockserver.selftest.traffic import Call, Reply
from mockserver.stub.store.seed import Account

CREDENTIALS = Catalogue("credentials")
#: Tells whether what is shown passes for a token.
_MatchToken = Callable[[str, str], bool]


def _lenient(name: str, claim: str, matches: _MatchToken, *checks: str) -> None:
    """Register a class that lets in whoever shows a user name with something that passes for its token."""

    def make(subject: Subject) -> Mutation | None:
        def whom(call: Call, known: Known) -> Account | None:
            username, shown = call.credentials
            account = subject.accounts.get(username)
            passes = account is not None and any(matches(token, shown) for token in known.tokens(account))
            return account if passes else None

        return letting_in(subject, subject.universal(*checks), whom)

    CREDENTIALS.add(name, claim, make)


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

for _name, _claim, _match, _checks in _LENIENT:
    _lenient(_name, _claim, _match, *_checks)


def _door(name: str, claim: str, opens: Callable[[Call], bool], *checks: str) -> None:
    """Register a class that takes some callers for the mightiest account."""

    def make(subject: Subject) -> Mutation | None:
        if not subject.is_guarded:
            return None
        mightiest = subject.mightiest
        return letting_in(subject, subject.universal(*checks), lambda call, _known: mightiest if opens(call) else None)

    CREDENTIALS.add(name, claim, make)


def _undecodable(call: Call) -> bool:
    scheme, _, rest = (call.authorization or "").partition(" ")
    return scheme.lower() == "basic" and bool(rest.strip()) and call.credentials == ("", "")


_DOORS: tuple[tuple[str, str, Callable[[Call], bool], tuple[str, ...]], ...] = (
    ("auth_ignored", "Nobody is asked for credentials: the operation was forgotten when the others got a login.",
     lambda call: call.authorization is None, ("calls_without_credentials_are_refused", "ignored_auth")),
    ("auth_field_empty", "An empty Authorization field passes: only its presence is looked at.",
     lambda call: call.authorization == "", ("calls_without_credentials_are_refused",)),
    ("auth_scheme_ignored", "Credentials of another scheme pass.",
     lambda call: bool(call.authorization) and not str(call.authorization).lower().startswith("basic"),
     ("calls_without_credentials_are_refused",)),
    ("auth_undecodable", "Credentials that cannot be decoded pass: the exception is caught, and ignored.",
     _undecodable, ("malformed_credentials_are_refused",)),
)  # fmt: skip


for _name, _claim, _opens, _checks in _DOORS:
    _door(_name, _claim, _opens, *_checks)


@CREDENTIALS.mutant
def auth_user_unknown(subject: Subject) -> Mutation | None:
    """A user name that no account has passes: a look-up without result is no refusal."""
    if not subject.is_guarded:
        return None
    mightiest = subject.mightiest

    def whom(call: Call, _known: Known) -> Account | None:
        username = call.credentials[0]
        return mightiest if username and username not in subject.accounts else None

    return letting_in(subject, subject.universal("tokens_belong_to_their_user"), whom)


@CREDENTIALS.mutant
def token_of_another(subject: Subject) -> Mutation | None:
    """The token is looked up, whose it is does not matter."""

    def whom(call: Call, known: Known) -> Account | None:
        return known.owner(call.credentials[1])

    return letting_in(subject, subject.universal("tokens_belong_to_their_user"), whom)


@CREDENTIALS.mutant
def token_of_anybody(subject: Subject) -> Mutation | None:
    """Any token that is valid opens the door, and who it is then is read from the user name alone."""

    def whom(call: Call, known: Known) -> Account | None:
        username, shown = call.credentials
        return subject.accounts.get(username) if known.owner(shown) is not None else None

    # Whoever is named may be refused for another reason, and then it is the wrong refusal.
    check = "tokens_belong_to_their_user"
    return letting_in(subject, subject.universal(check) | subject.silent(check), whom)


@CREDENTIALS.mutant
def password_as_token(subject: Subject) -> Mutation | None:
    """The account's password is taken in place of a token."""
    if subject.revocation is None or not any(is_login(operation) for operation in subject.contract.operations):
        return None  # without tokens that a login gives out, the password is what is shown

    def whom(call: Call, _known: Known) -> Account | None:
        username, shown = call.credentials
        account = subject.accounts.get(username)
        return account if account is not None and shown and shown == account.password else None

    return letting_in(subject, subject.universal("passwords_are_no_tokens"), whom)


@CREDENTIALS.mutant
def token_revoked(subject: Subject) -> Mutation | None:
    """A revoked token goes on working here: a cache of tokens is not told."""
    revocation = subject.revocation
    if revocation is None or not subject.is_guarded:
        return None

    def plant(call: Call, server: Behind) -> Reply:
        reply, revoked = server.send(call), server.memory(call)
        username = call.credentials[0]
        if call.operation is revocation and reply.ok:
            revoked[call.authorization] = username
        elif call.operation is subject.operation and reply.status == 401 and call.authorization in revoked:
            # What ends a token ends none that the suite needs; all else may need what was done before.
            again = server.aside if subject.operation.effect == "credentials" else server.send
            return again(call.by(subject.accounts[username]))
        return reply

    return Mutation(plant, subject.universal("revoked_tokens_are_refused"))


@CREDENTIALS.mutant
def token_expired(subject: Subject) -> Mutation | None:
    """A token whose time is over goes on working here: only its being there is looked at."""
    revocation = subject.revocation

    def whom(call: Call, known: Known) -> Account | None:
        username, shown = call.credentials
        account = subject.accounts.get(username)
        return account if account is not None and shown in known.tokens(account) else None

    if not any(is_login(operation) for operation in subject.contract.operations):
        return None
    mutation = letting_in(subject, subject.universal("expired_tokens_are_refused"), whom)
    if mutation is None:
        return None

    def plant(call: Call, server: Behind) -> Reply:
        memory = server.memory(call)
        if memory.get("revoked") and call.operation is subject.operation:
            return server.send(call)  # what was revoked is no matter of time
        reply = mutation.plant(call, server)
        if call.operation is revocation and reply.ok:
            memory["revoked"] = True
        return reply

    return Mutation(plant, mutation.signs)


def _levels(subject: Subject, admitted: tuple[str, ...]) -> Mutation | None:
    if not subject.is_guarded or subject.operation.levels is None or not admitted:
        return None

    def act(call: Call, server: Behind) -> Reply:
        reply = server.send(call)
        account = subject.accounts.get(call.credentials[0])
        if reply.status == 403 and account is not None and account.level in admitted:
            return server.send(call.by(subject.mightiest))
        return reply

    return Mutation(only_here(subject, act), subject.universal("levels_not_allowed_are_refused"))


@CREDENTIALS.mutant
def level_ignored(subject: Subject) -> Mutation | None:
    """Every account may do what the documentation allows to some levels only."""
    return _levels(subject, _excluded(subject))


@CREDENTIALS.mutant
def level_below_admitted(subject: Subject) -> Mutation | None:
    """The level just below may do it, too: >= in place of >."""
    return _levels(subject, _excluded(subject)[:1])


@CREDENTIALS.mutant
def level_lowest_admitted(subject: Subject) -> Mutation | None:
    """The lowest level may do it, too: its number is 0, which counts as none."""
    return _levels(subject, _excluded(subject)[-1:])


def _excluded(subject: Subject) -> tuple[str, ...]:
    return tuple(level for level in subject.contract.levels if level not in (subject.operation.levels or ()))
