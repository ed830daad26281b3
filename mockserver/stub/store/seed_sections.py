"""The sections of seed data as the records that behaviours find in the store (docs/seed-data.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockserver.stub.store.account_records import password_hash
from mockserver.stub.store.seed_files import KEYS
from mockserver.stub.store.store import Record

Item = Mapping[str, Any]
#: Collections of the items of any contract's resources (resources.py).
RESOURCE_PREFIX = "resource:"


def records(sections: Mapping[str, Any]) -> dict[str, dict[str, Record]]:
    """Return the records of all sections but those of accounts and secrets, by collection and key.

    A collection is called like its section, and a record's key is what names the item: its one member, or several
    with slashes between.
    """
    found: dict[str, dict[str, Record]] = {}
    for section, make in _RECORDS.items():
        if section in sections:
            found[section] = {_key(section, item): make(item) for item in sections[section]}
    for section in _IN_ORDER & found.keys():
        for number, record in enumerate(found[section].values(), start=1):
            record["number"] = number
    if "webauthn" in sections:
        found["webauthn"] = _webauthn(sections["webauthn"])
    for path, items in sections.get("resources", {}).items():
        found[RESOURCE_PREFIX + path] = {key: {"item": item} for key, item in items.items()}
    return found


def _key(section: str, item: Item) -> str:
    return "/".join(str(item[name]) for name in KEYS[section])


def _whole(item: Item) -> Record:
    return dict(item)


def _without(*names: str) -> Callable[[Item], Record]:
    return lambda item: {name: value for name, value in item.items() if name not in names}


def _digested(item: Item) -> Record:
    """Return an item whose password stands as its digest: no operation gives it back a second time."""
    hashed = password_hash(item["username"], item["password"])
    return {**{name: value for name, value in item.items() if name != "password"}, "hash": hashed}


def _second_factor(item: Item) -> Record:
    """Return a second factor whose key has a name that every dump masks."""
    return {"status": item["status"], "totp_secret": item["key"], "used": []}


def _webauthn(item: Item) -> dict[str, Record]:
    party = {"relying_party": {"id": item["relying_party"]}} if "relying_party" in item else {}
    return {**party, "users": dict(item.get("users", {}))}


#: Sections whose items are told in the order of their making: a store may give records back in another.
_IN_ORDER = {"device_passwords", "webauthn_credentials"}
_RECORDS: Mapping[str, Callable[[Item], Record]] = {
    "domains": _without("domain"),
    "domain_aliases": _without("domain_alias"),
    "relay_domains": _without("relay_domain"),
    "aliases": _without("alias"),
    "sender_addresses": _without("sender_address"),
    "thresholds": _without("domain"),
    "wlbl": _without("domain", "action"),
    "addressbooks": _whole,
    "calendars": _whole,
    "sieve_filters": _whole,
    "autoreplies": _without("username"),
    "automigration_users": _without("username"),
    "twofa": _second_factor,
    "device_passwords": _digested,
    "webauthn_credentials": _whole,
    "webmail_passwords": _digested,
}
