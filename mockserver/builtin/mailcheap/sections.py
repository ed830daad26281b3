"""Sections of the mail server's seed data, and how their items become records (docs/seed-data.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockserver.builtin.mailcheap.records import (
    ADDRESS_BOOKS,
    ALIASES,
    AUTOREPLIES,
    CALENDARS,
    DEVICE_PASSWORDS,
    DOMAIN_ALIASES,
    DOMAINS,
    LISTS,
    MIGRATIONS,
    PASSKEYS,
    RELAY_DOMAINS,
    SENDER_ADDRESSES,
    SIEVE_FILTERS,
    THRESHOLDS,
    TWO_FACTOR,
    WEBAUTHN,
    WEBMAIL_PASSWORDS,
)
from mockserver.plugins import ACCOUNT, ACCOUNTS, Record, Reference, Section, domain_of, password_hash

Item = Mapping[str, Any]
Sections = Mapping[str, Any]


def _names(sections: Sections, *kinds: tuple[str, str]) -> frozenset[str]:
    return frozenset(item[member] for section, member in kinds for item in sections.get(section, ()))


def _of_mail(sections: Sections, *others: str) -> Callable[[str], bool]:
    """Return a function that tells whether a name is in section `domains` or among some other names.

    Seed data of other contracts have accounts, too, and those own other things than domains.
    """
    if DOMAINS not in sections:
        return lambda _name: True
    return (_names(sections, (DOMAINS, "domain")) | set(others)).__contains__


def _owned(sections: Sections) -> Callable[[str], bool]:
    others = _names(sections, (DOMAIN_ALIASES, "domain_alias"), (RELAY_DOMAINS, "relay_domain"))
    return _of_mail(sections, *others)


def _recipients(sections: Sections) -> Callable[[str], bool]:
    ours = _names(sections, (DOMAINS, "domain"))
    known = _names(sections, (ACCOUNTS, "username"), (ALIASES, "alias"))
    return lambda name: domain_of(name) not in ours or name in known


OWNED = Reference(_owned, "is not a domain, domain alias or relay domain; add it to `domains`, or correct the name")
DOMAIN = Reference(_of_mail, "is not in `domains`; add it there, or correct the name")
SCOPE = Reference(
    lambda sections: _of_mail(sections, "global"),
    "is neither `global` nor in `domains`; add it to `domains`, or correct the name",
)
RECIPIENT = Reference(
    _recipients,
    "is in one of `domains`, but is not an account or alias; add it to `accounts`, or correct the name",
)


def _without(*names: str) -> Callable[[Item], Record]:
    return lambda item: {name: value for name, value in item.items() if name not in names}


def _digested(item: Item) -> Record:
    """Return the record of a seed data item with its password replaced by a digest."""
    hashed = password_hash(item["username"], item["password"])
    return {**{name: value for name, value in item.items() if name != "password"}, "hash": hashed}


def _second_factor(item: Item) -> Record:
    """Return the record of a seeded two-factor key, under a member name that dumps mask."""
    return {"status": item["status"], "totp_secret": item["key"], "used": []}


def _webauthn(item: Item) -> dict[str, Record]:
    party = {"relying_party": {"id": item["relying_party"]}} if "relying_party" in item else {}
    return {**party, "users": dict(item.get("users", {}))}


_ADDED = {"added_by": ACCOUNT}
_SHARED = {"owner": ACCOUNT, "recipients": ACCOUNT}
_USER = {"username": ACCOUNT}
_OWN = ("username", "friendly_name")

#: In the order in which their mistakes are reported.
SECTIONS = (
    Section(name=ACCOUNTS, references={"owns": OWNED, **_ADDED}),
    Section(name=DOMAINS, key=("domain",), references=_ADDED, record=_without("domain"), public=True),
    Section(
        name=DOMAIN_ALIASES,
        key=("domain_alias",),
        references={"rcpt_domain": DOMAIN, **_ADDED},
        record=_without("domain_alias"),
        public=True,
    ),
    Section(name=RELAY_DOMAINS, key=("relay_domain",), references=_ADDED, record=_without("relay_domain"), public=True),
    Section(
        name=ALIASES,
        key=("alias",),
        references={"recipients": RECIPIENT, **_ADDED},
        record=_without("alias"),
        public=True,
    ),
    Section(
        name=SENDER_ADDRESSES,
        key=("sender_address",),
        references={"usernames": ACCOUNT, **_ADDED},
        record=_without("sender_address"),
        public=True,
    ),
    Section(name=THRESHOLDS, key=("domain",), references={"domain": SCOPE}, record=_without("domain"), public=True),
    Section(
        name=LISTS,
        key=("domain", "action"),
        references={"domain": SCOPE},
        record=_without("domain", "action"),
        public=True,
    ),
    Section(name=ADDRESS_BOOKS, key=("owner", "friendly_name"), references=_SHARED),
    Section(name=CALENDARS, key=("owner", "friendly_name"), references=_SHARED),
    Section(name=SIEVE_FILTERS, key=("username", "filter_position"), references=_USER),
    Section(name=AUTOREPLIES, key=("username",), references=_USER, record=_without("username")),
    Section(name=MIGRATIONS, key=("username",), references={**_USER, **_ADDED}, record=_without("username")),
    Section(name=TWO_FACTOR, key=("username",), references=_USER, record=_second_factor),
    Section(name=DEVICE_PASSWORDS, key=_OWN, references=_USER, record=_digested, numbered=True),
    Section(name=PASSKEYS, key=_OWN, references=_USER, numbered=True),
    Section(name=WEBAUTHN, records=_webauthn),
    Section(name=WEBMAIL_PASSWORDS, key=("username", "webmail_id"), references=_USER, record=_digested),
)
