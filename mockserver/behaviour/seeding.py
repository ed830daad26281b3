"""Seed data: the accounts and secrets that a fresh world starts with, from YAML (docs/stub.md, "Seed data")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockserver import yamltext
from mockserver.behaviour.store import Record, Transaction
from mockserver.credentials import ACCOUNTS, TOKENS, password_hash, shared_token_key, token_key
from mockserver.errors import UsageError


@dataclass(frozen=True, slots=True)
class Token:
    """A token that exists from the start; `expires` false keeps it valid whatever `valid_to` tells."""

    token: str
    valid_from: int
    valid_to: int
    expires: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """An account that exists from the start; `level` "" where the contract knows no levels.

    Attributes:
        schemes: credential by name of the security scheme that it is shown for.
        scopes: what it may do where a scope is asked for, None for everything.
        owns: names of what is its own besides itself, such as the domains that it administers.
    """

    username: str
    password: str | None = None
    level: str = ""
    tokens: tuple[Token, ...] = ()
    schemes: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] | None = None
    owns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seed:
    """Everything that a fresh world starts with.

    Attributes:
        accounts: by username, in the file's order.
        issue: for each purpose, the secrets that a world hands out before it makes up its own.
        records: of the store, by collection and key.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)
    issue: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Record]] = field(default_factory=dict)

    def secrets(self) -> dict[str, list[str]]:
        """Return what each account may show without end, by username: its password, tokens and other credentials."""
        return {
            account.username: [
                *([] if account.password is None else [account.password]),
                *(token.token for token in account.tokens if not token.expires),
                *account.schemes.values(),
            ]
            for account in self.accounts.values()
        }

    def fill(self, transaction: Transaction) -> None:
        """Write the records of a fresh world."""
        for account in self.accounts.values():
            keys = [Token(value, 0, 0) for value in account.schemes.values()]
            for token in (*account.tokens, *keys):
                key = token_key(token.token)
                if transaction.get(TOKENS, key) is not None:
                    key = shared_token_key(account.username, token.token)
                transaction.put(
                    TOKENS,
                    key,
                    {
                        "username": account.username,
                        "level": account.level,
                        "valid_from": token.valid_from,
                        "valid_to": token.valid_to,
                        "expires": token.expires,
                    },
                )
            transaction.put(ACCOUNTS, account.username, account_record(account))
        for collection, records in self.records.items():
            for key, record in records.items():
                known = transaction.get(collection, key) or {}
                transaction.put(collection, key, {**known, **record})


def account_record(account: Account) -> dict[str, Any]:
    """Return the stored form of an account; `tokens` are the keys of those issued by logging in."""
    hashed = None if account.password is None else password_hash(account.username, account.password)
    record: dict[str, Any] = {"level": account.level, "password_hash": hashed, "tokens": []}
    if account.owns:
        record["owns"] = list(account.owns)
    return record if account.scopes is None else {**record, "scopes": list(account.scopes)}


def load_seed(path: Path | str) -> Seed:
    """Return the seed data in a YAML file.

    Raises:
        UsageError: not readable, not YAML, or not of the documented shape; names file and element.
    """
    path = Path(path)
    try:
        data = yamltext.parse(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check --seed-data") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    except ValueError as error:
        raise UsageError(str(error)) from error
    return _Reader(path).seed({} if data is None else data)


_ACCOUNT_MEMBERS = {"password", "level", "tokens", "schemes", "scopes", "owns"}


class _Reader:
    """Takes seed data apart; whatever it does not know is an error that names its place."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def seed(self, data: Any) -> Seed:
        members = self._members(data, "the file", optional={"accounts", "issue", "records"})
        accounts: dict[str, Account] = {}
        for index, item in enumerate(self._list(members.get("accounts", []), "accounts")):
            account = self._account(item, f"accounts[{index}]")
            if account.username in accounts:
                raise self._error(f"accounts[{index}].username", "stands twice")
            accounts[account.username] = account
        issue = self._members(members.get("issue", {}), "issue")
        return Seed(
            accounts,
            {
                purpose: tuple(self._text(item, f"issue.{purpose}") for item in self._list(items, f"issue.{purpose}"))
                for purpose, items in issue.items()
            },
            {
                name: self._members(records, f"records.{name}")
                for name, records in self._members(members.get("records", {}), "records").items()
            },
        )

    def _account(self, data: Any, place: str) -> Account:
        members = self._members(data, place, required={"username"}, optional=_ACCOUNT_MEMBERS)
        password = members.get("password")
        tokens = self._list(members.get("tokens", []), f"{place}.tokens")
        scopes = members.get("scopes")
        username = self._text(members["username"], f"{place}.username")
        if ":" in username:
            raise self._error(f"{place}.username", "must have no colon (RFC 7617, section 2)")
        return Account(
            username=username,
            password=None if password is None else self._text(password, f"{place}.password"),
            level=self._text(members.get("level", ""), f"{place}.level"),
            tokens=tuple(self._token(item, f"{place}.tokens[{index}]") for index, item in enumerate(tokens)),
            schemes={
                name: self._text(value, f"{place}.schemes.{name}")
                for name, value in self._members(members.get("schemes", {}), f"{place}.schemes").items()
            },
            scopes=tuple(self._text(scope, f"{place}.scopes") for scope in self._list(scopes, f"{place}.scopes"))
            if scopes is not None
            else None,
            owns=tuple(
                self._text(name, f"{place}.owns") for name in self._list(members.get("owns", []), f"{place}.owns")
            ),
        )

    def _token(self, data: Any, place: str) -> Token:
        members = self._members(data, place, required={"token"}, optional={"valid_from", "valid_to", "expires"})
        expires = members.get("expires", False)
        if not isinstance(expires, bool):
            raise self._error(f"{place}.expires", "must be true or false")
        return Token(
            token=self._text(members["token"], f"{place}.token"),
            valid_from=self._integer(members.get("valid_from", 0), f"{place}.valid_from"),
            valid_to=self._integer(members.get("valid_to", 0), f"{place}.valid_to"),
            expires=expires,
        )

    def _members(
        self,
        data: Any,
        place: str,
        required: frozenset[str] | set[str] = frozenset(),
        optional: set[str] | None = None,
    ) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise self._error(place, "must be a mapping")
        unknown = data.keys() - required - optional if optional is not None else set()
        if unknown:
            known = ", ".join(sorted(required | (optional or set())))
            raise self._error(f"{place}.{min(unknown)}", f"is not known; known are {known}")
        missing = required - data.keys()
        if missing:
            raise self._error(f"{place}.{min(missing)}", "is missing")
        return data

    def _list(self, data: Any, place: str) -> list[Any]:
        if not isinstance(data, list):
            raise self._error(place, "must be a list")
        return data

    def _text(self, data: Any, place: str) -> str:
        if not isinstance(data, str):
            raise self._error(place, "must be text; put it in quotes")
        return data

    def _integer(self, data: Any, place: str) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise self._error(place, "must be a whole number of seconds")
        return data

    def _error(self, place: str, message: str) -> UsageError:
        return UsageError(f"{self._path}: {place}: {message}")
