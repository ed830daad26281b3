"""What a handler receives: a valid call of an operation, rules common to all calls, and functions that handlers share.

A handler works on a transaction and on decoded values; it knows no media type and no bytes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from mockserver import sources
from mockserver.contract.model import Behaviour, Operation
from mockserver.errors import RequestRejected
from mockserver.messages import Arguments, Caller, Outcome, Representation, Request
from mockserver.plugins.account_records import password_matches
from mockserver.plugins.transactions import WORLD, Record, Transaction

_ISSUED = "issued"


class SeedData(Protocol):
    """Interface through which behaviours read the seed data that a world started from."""

    def first_secrets(self, transaction: Transaction, purpose: str) -> Sequence[str]:
        """Return the secrets that the seed data list for a purpose; a world issues these before made-up ones."""

    def password_of(self, transaction: Transaction, username: str) -> str | None:
        """Return the password that the seed data give to an account, None if they give none."""


def domain_of(name: str) -> str:
    """Return the domain of an e-mail address in lower case; a domain is returned itself."""
    return name.rpartition("@")[2].lower()


def _admit(_call: Call, _username: str, _account: Record) -> None:
    """Let an account log in by password alone: the default for an API without further conditions."""


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What an API says about its accounts: how to verify passwords, admit logins and tell who owns a name.

    Attributes:
        password_matches: takes an account's record, its name and a password; tells whether the password is right.
        admit: called before an account with the right password is logged in; raises RequestRejected if more is needed
            (a second factor) or the account may not log in (it is disabled).
        belongs_to: returns the name that a name belongs to, such as the domain of an address. The owner of a name also
            owns all names that belong to it.
    """

    password_matches: Callable[[Record, str, str], bool] = password_matches
    admit: Callable[[Call, str, Record], None] = _admit
    belongs_to: Callable[[str], str] = domain_of


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings of the stub that every handler receives, the same for all calls.

    Attributes:
        seed: the seed data, which list secrets to be issued first.
        seed_number: seed of made-up secrets.
        transition_seconds: how long `applying` and `deleting` last, on the world's clock.
        accounts: the API's rules for accounts.
    """

    seed: SeedData
    seed_number: int
    transition_seconds: float
    accounts: AccountRules = field(default_factory=AccountRules)


class Call(NamedTuple):
    """One valid call of an operation, with the transaction on its world: the argument of a handler.

    Attributes:
        content: decoded content of the request, None if there is none.
        write_only: names of `writeOnly` properties, which responses never show.
        now: UNIX time in seconds on the world's clock.
        arguments: parameters and content of the request, decoded, by location and name.
        operation: the operation that is called.
        representation: content of the response that would be sent without state.
        request: the request itself, for URLs that lead back; None where a call is made without one.
    """

    behaviour: Behaviour
    transaction: Transaction
    caller: Caller
    world: str
    content: Any
    write_only: frozenset[str]
    now: float
    rules: Rules
    arguments: Arguments
    operation: Operation
    representation: Representation
    request: Request | None = None

    def template(self) -> Any:
        """Return the value of the response that is sent without state (`representation.value`); deprecated."""
        warnings.warn("Call.template() is Call.representation.value now", DeprecationWarning, stacklevel=2)
        return self.representation.value


Handler = Callable[[Call], Outcome]


def content_of(call: Call) -> Any:
    """Return the decoded content of a request, or raise RequestRejected (400) if the request has none."""
    if call.content is None:
        raise RequestRejected(400, "Bad Request", "the request has no content, but the operation requires it")
    return call.content


def whole(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object in which floats with an integer value, such as 1.0, have become integers."""
    return {name: int(value) if isinstance(value, float) else value for name, value in content.items()}


def under_way(call: Call, since: float) -> bool:
    """Tell whether the transition (`applying`, `deleting`) of a change made at a UNIX time is still going on."""
    return call.now - since < call.rules.transition_seconds


def kept(call: Call, collection: str, key: str) -> Record | None:
    """Return a stored record, or None if there is none or the transition of its deletion is over."""
    record = call.transaction.get(collection, key)
    if record is None or record.get("phase") != "deleting" or under_way(call, record["since"]):
        return record
    return None


def issue(call: Call, purpose: str, form: Callable[[str], str] = str, length: int = 40) -> str:
    """Return the next secret to issue for a purpose: those of the seed data first, then made-up ones.

    `form` converts `length` new random letters and digits to a secret in the form that the purpose needs.
    """
    counters = call.transaction.get(WORLD, _ISSUED) or {}
    number = counters.get(purpose, 0)
    call.transaction.put(WORLD, _ISSUED, {**counters, purpose: number + 1})
    first = call.rules.seed.first_secrets(call.transaction, purpose)
    if number < len(first):
        return first[number]
    return form(sources.make_secret(call.rules.seed_number, call.world, purpose, number, length))
