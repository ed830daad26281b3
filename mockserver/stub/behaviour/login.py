"""The handler `auth`: operations that issue, describe or revoke the token of a login (docs/stub.md).

The contract says where user name, password, token and level are (contract/roles.py). A response is the operation's
example with the values of this login in their places; times are recognised by the names of their members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from mockserver.contract.message_texts import Place
from mockserver.contract.model import Contract, Operation
from mockserver.contract.roles import (
    DESCRIBE,
    ISSUE,
    REVOKE,
    CredentialPlaces,
    credential_places,
    issued_places,
    username_places,
)
from mockserver.errors import RequestRejected
from mockserver.http.pointers import child, split
from mockserver.masking import looks_secret
from mockserver.messages import NO_CONTENT, Outcome, Representation, success
from mockserver.plugins.account_records import ACCOUNTS, TOKENS
from mockserver.plugins.calls import Call, Handler, content_of
from mockserver.plugins.tokens import PURPOSE, TOKEN_SECONDS, issue_token, login_refused
from mockserver.plugins.transactions import Record
from mockserver.stub.behaviour.response_form import compile_form

ROLES = (ISSUE, DESCRIBE, REVOKE)

#: Names of members in lower case without `_` and `-`, in the order in which the first one found counts.
_USERNAMES = ("username", "user", "login", "email")
_PASSWORDS = ("password", "passwd", "pass")
_BEGINNINGS = frozenset({"validfrom", "issuedat", "iat", "notbefore", "nbf"})
_ENDS = frozenset({"validto", "validuntil", "expires", "expiresat", "expiry", "expiration", "exp"})
_DURATIONS = frozenset({"expiresin", "ttl", "validfor", "lifetime"})


class _Session(NamedTuple):
    """Values of a login that its response may show."""

    token: str
    username: str
    level: str
    valid_from: int
    valid_to: int


_ValueOf = Callable[[_Session], Any]
_token_of: _ValueOf = attrgetter("token")


class LoginHandler:
    """Behaviour of a login operation: issue, describe or revoke a token, by the role of the operation."""

    def __init__(self, contract: Contract, operation: Operation, representations: Mapping[str, Representation]) -> None:
        """Prepare for an operation; `representations` holds the responses without state by `operationId`."""
        assert operation.behaviour is not None
        self._levels = frozenset(contract.levels)
        self._representations = representations
        self._operation = operation
        self._sent = credential_places(contract, operation)
        self._usernames = username_places(contract, operation)
        self._tokens = issued_places(contract, operation)
        role = operation.behaviour.role
        self._issues = role == ISSUE
        #: The method for the role.
        self.run: Handler = {ISSUE: self.issue, DESCRIBE: self.describe, REVOKE: self.revoke}[role]

    def issue(self, call: Call) -> Outcome:
        """Verify user name and password, and return a response with a new token."""
        username, password = _credentials(call, self._sent)
        account = call.transaction.get(ACCOUNTS, username)
        accounts = call.rules.accounts
        if account is None or not accounts.password_matches(account, username, password):
            raise login_refused("no account has this username and password")
        # From here on the password is known to be right, so the response may say what else is missing.
        accounts.admit(call, username, account)
        issued = issue_token(call, username, account, self._purpose)
        session = _Session(issued.token, username, account["level"], issued.valid_from, issued.valid_to)
        return success(self._content(session), "password accepted")

    def describe(self, call: Call) -> Outcome:
        """Return a response that describes the caller's token."""
        return success(self._content(_shown(call)), "token is valid")

    def revoke(self, call: Call) -> Outcome:
        """Revoke the caller's token, so that later requests with it are answered 401."""
        session = _shown(call)
        call.transaction.delete(TOKENS, call.caller.token_key)
        return success(self._content(session), "token revoked")

    @cached_property
    def _content(self) -> _ValueOf:
        """Function that makes the content of a response from the values of a login."""
        if not self._representations[self._operation.id].media_type:
            return lambda _session: NO_CONTENT
        form = compile_form(self._example, [pointer for pointer, _ in self._places])
        values = [value_of for _, value_of in self._places]
        return lambda session: form([value_of(session) for value_of in values])

    @cached_property
    def _example(self) -> Any:
        return self._representations[self._operation.id].value

    @cached_property
    def _purpose(self) -> str:
        """Name of the response member that shows the token: the purpose under which seed data list tokens."""
        names = (split(pointer)[-1] for pointer, value_of in self._places if value_of is _token_of and pointer)
        return next(names, PURPOSE)

    @cached_property
    def _places(self) -> list[tuple[str, _ValueOf]]:
        """JSON pointers into the response's example, each with the function that returns the value for it."""
        if isinstance(self._example, str):
            return [("", _token_of)] if self._issues else []
        return list(self._found("", self._example))

    def _found(self, pointer: str, example: Any) -> Iterator[tuple[str, _ValueOf]]:
        for name, value in example.items() if isinstance(example, dict) else ():
            place = child(pointer, name)
            if isinstance(value, dict):
                yield from self._found(place, value)
                continue
            if not self._issues and tuple(split(place)) in self._tokens:
                continue  # which token was shown is not kept
            value_of = self._value_of(place, name, value)
            if value_of is not None:
                yield place, value_of
            elif self._issues and isinstance(value, str) and looks_secret(name):
                yield place, _token_of

    def _value_of(self, pointer: str, member: str, example: Any) -> _ValueOf | None:
        """Return the function that computes a response member from a login, None if the example's value stays."""
        name, place = _plain(member), tuple(split(pointer))
        if place in self._tokens:
            return _token_of
        if isinstance(example, str) and example in self._levels:
            return attrgetter("level")
        if isinstance(example, str) and (place in self._usernames or name in _USERNAMES):
            return attrgetter("username")
        if name in _BEGINNINGS:
            return _time_like(example, attrgetter("valid_from"))
        if name in _ENDS:
            return _time_like(example, attrgetter("valid_to"))
        return (lambda session: session.valid_to - session.valid_from) if name in _DURATIONS else None


def _credentials(call: Call, places: CredentialPlaces | None) -> tuple[str, str]:
    """Return user name and password in the request's content, or in its query if there is no content."""
    query = call.arguments.query
    sent: Any = query if call.content is None and query else content_of(call)
    if places is not None:
        username, password = _at(sent, places.username), _at(sent, places.password)
    else:
        username, password = _member(sent, _USERNAMES), _member(sent, _PASSWORDS)
    if not isinstance(username, str) or not isinstance(password, str):
        raise RequestRejected(422, "Unprocessable Content", "a login requires `username` and `password` as strings")
    return username, password


def _at(sent: Any, place: Place) -> Any:
    for name in place:
        sent = sent.get(name) if isinstance(sent, Mapping) else None
    return sent


def _member(sent: Any, names: tuple[str, ...]) -> Any:
    """Return the value of the first of several member names found in a request, None if there is none."""
    by_name = {_plain(name): value for name, value in sent.items()} if isinstance(sent, Mapping) else {}
    return next((by_name[name] for name in names if name in by_name), None)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _time_like(example: Any, seconds_of: _ValueOf) -> _ValueOf:
    """Return a function that gives a UNIX time in the form of an example: seconds, milliseconds or RFC 3339."""
    if isinstance(example, str):
        return lambda session: datetime.fromtimestamp(seconds_of(session), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(example, int) and example > 10**12:
        return lambda session: seconds_of(session) * 1000
    return seconds_of


def _shown(call: Call) -> _Session:
    token = _own_token(call)
    return _Session("", call.caller.username, call.caller.level, token["valid_from"], token["valid_to"])


def _own_token(call: Call) -> Record:
    """Return the record of the token with which the caller authenticated.

    With the door open (`--no-auth`) nobody shows one, so a token that was just issued is made up. Between the check
    of the credentials and now, another call may have revoked it.
    """
    if not call.caller.token_key:
        return {"valid_from": int(call.now), "valid_to": int(call.now) + TOKEN_SECONDS}
    token = call.transaction.get(TOKENS, call.caller.token_key)
    if token is None:
        raise login_refused("the token has been revoked in the meantime")
    return token
