"""Seed data: accounts, tokens and records that a new world starts with, from YAML (docs/seed-data.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mockserver.http import json
from mockserver.plugins.account_records import ACCOUNTS, TOKENS, password_hash, shared_token_key, token_key
from mockserver.plugins.plugin import Plugin, Section
from mockserver.plugins.transactions import WORLD, Record, Transaction
from mockserver.stub.store import seed_files
from mockserver.stub.store.seed_format import SeedFormat, format_of

#: Members of an account that its record keeps in another form, or not at all.
_CREDENTIALS = frozenset({"username", "password", "level", "tokens", "schemes", "scopes"})
#: Key of the record of a world that says which overlay it started from.
OVERLAY = "overlay"


@dataclass(frozen=True, slots=True)
class Token:
    """A token in the seed data; one with `expires` false is valid forever."""

    token: str
    valid_from: int
    valid_to: int
    expires: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """An account in the seed data; its `level` is "" if the contract has no levels.

    Attributes:
        schemes: credentials by the name of their security scheme.
        scopes: OAuth scopes that the account has, None for all.
        profile: all other members in the seed data, such as `owns`, `enabled` and quotas.
    """

    username: str
    password: str | None = None
    level: str = ""
    tokens: tuple[Token, ...] = ()
    schemes: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] | None = None
    profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seed:
    """All seed data that a new world starts with.

    Attributes:
        accounts: by username, in the file's order.
        issue: for each purpose, the secrets that a world issues before it makes up its own.
        records: records of the store, by collection and key; those of accounts and tokens are made from `accounts`.
        overlays: other starting points by name, each complete in itself.
        name: name of this overlay, "" for the file's own sections.
        account_references: members of an account that name something else in the file.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)
    issue: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Record]] = field(default_factory=dict)
    overlays: Mapping[str, Seed] = field(default_factory=dict)
    name: str = ""
    account_references: frozenset[str] = frozenset({"owns"})

    def overlaid(self, name: str | None) -> Seed:
        """Return the seed data of a named overlay, these seed data for None.

        Raises:
            LookupError: there is no overlay of that name; the message lists them.
        """
        if name is None:
            return self
        found = self.overlays.get(name)
        if found is None:
            raise LookupError(
                f"the seed data have no overlay {json.text(name)}; they have {', '.join(self.overlays) or 'none'}"
            )
        return found

    def emptied(self, levels: Sequence[str]) -> Seed:
        """Return seed data with nothing but the first account of the highest level.

        Args:
            levels: the contract's permission levels, highest first.
        """
        highest = self.highest_level_account(levels)
        if highest is None:
            return Seed()
        profile = {name: value for name, value in highest.profile.items() if name not in self.account_references}
        return Seed({highest.username: replace(highest, profile=profile)})

    def highest_level_account(self, levels: Sequence[str]) -> Account | None:
        """Return the first account of the highest level that any account has, None if there are no accounts.

        Args:
            levels: the contract's permission levels, highest first.
        """
        ranks = {level: rank for rank, level in enumerate(levels)}
        return min(self.accounts.values(), key=lambda one: ranks.get(one.level, len(ranks)), default=None)

    def secrets(self) -> dict[str, list[str]]:
        """Return the credentials (password, tokens and others) that never expire, of each account by user name."""
        return {
            account.username: [
                *([] if account.password is None else [account.password]),
                *(token.token for token in account.tokens if not token.expires),
                *account.schemes.values(),
            ]
            for account in self.accounts.values()
        }

    def first_secrets(self, transaction: Transaction, purpose: str) -> Sequence[str]:
        """Return the secrets for a purpose that a world issues before made-up ones."""
        return self.started(transaction).issue.get(purpose, ())

    def password_of(self, transaction: Transaction, username: str) -> str | None:
        """Return the password of an account in the seed data that a world started from, None if it has none."""
        account = self.started(transaction).accounts.get(username)
        return None if account is None else account.password

    def started(self, transaction: Transaction) -> Seed:
        """Return the seed data that a world started from: an overlay, or the file's own sections."""
        started = transaction.get(WORLD, OVERLAY) if self.overlays else None
        return self if started is None else self.overlays.get(started["name"], self)

    def fill(self, transaction: Transaction) -> None:
        """Write all records of a new world from the seed data."""
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
        for collection, items in self.records.items():
            for key, record in items.items():
                transaction.put(collection, key, record)
        if self.name:
            transaction.put(WORLD, OVERLAY, {"name": self.name})


def account_record(account: Account) -> Record:
    """Return the stored form of an account; `tokens` holds the keys of tokens issued by logging in."""
    hashed = None if account.password is None else password_hash(account.username, account.password)
    record: Record = {**account.profile, "level": account.level, "password_hash": hashed, "tokens": []}
    return record if account.scopes is None else {**record, "scopes": list(account.scopes)}


def load_seed(path: Path | str, api: Plugin | None = None) -> Seed:
    """Return the seed data in a YAML file, for an API or for a contract without an API.

    Raises:
        UsageError: not readable, not YAML, not of the documented form, or a name in it does not exist; the
            message has file, place and remedy.
    """
    form = format_of(api)
    sections, overlays = seed_files.read_sections(Path(path), form)
    return replace(
        _seed(sections, form),
        overlays={name: replace(_seed({**sections, **own}, form), name=name) for name, own in overlays.items()},
    )


def _seed(sections: Mapping[str, Any], form: SeedFormat) -> Seed:
    return Seed(
        accounts={item["username"]: _account(item) for item in sections.get("accounts", ())},
        issue={purpose: tuple(secrets) for purpose, secrets in sections.get("issue", {}).items()},
        records=records(sections, form.sections),
        account_references=form.account_references,
    )


def _account(item: Mapping[str, Any]) -> Account:
    scopes = item.get("scopes")
    return Account(
        username=item["username"],
        password=item.get("password"),
        level=item.get("level", ""),
        tokens=tuple(Token(**{"valid_from": 0, "valid_to": 0, **token}) for token in item.get("tokens", ())),
        schemes=item.get("schemes", {}),
        scopes=None if scopes is None else tuple(scopes),
        profile={name: value for name, value in item.items() if name not in _CREDENTIALS},
    )


#: Collections of the items of any contract's resources (resources.py).
RESOURCE_PREFIX = "resource:"


def records(sections: Mapping[str, Any], api: Iterable[Section]) -> dict[str, dict[str, Record]]:
    """Return the store's records for all sections of seed data but accounts and secrets, by collection and key.

    Args:
        sections: of a file, every item written out.
        api: what the API says of its own sections.
    """
    found = {
        section.name: _records(section, sections[section.name])
        for section in api
        if section.name in sections and section.name != ACCOUNTS
    }
    for path, items in sections.get("resources", {}).items():
        found[RESOURCE_PREFIX + path] = {key: {"item": item} for key, item in items.items()}
    return found


def _records(section: Section, content: Any) -> dict[str, Record]:
    """Return the records of one section of seed data by key: the item's key members joined by slashes."""
    if section.records is not None:
        return dict(section.records(content))
    found = {"/".join(str(item[name]) for name in section.key): section.record(item) for item in content}
    if section.numbered:
        found = {key: {**record, "number": number} for number, (key, record) in enumerate(found.items(), start=1)}
    return found
