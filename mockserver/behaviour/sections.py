"""The sections of seed data as the records that behaviours find in the store (docs/seed-data.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockserver.behaviour.seedfiles import KEYS
from mockserver.behaviour.store import Record
from mockserver.credentials import password_hash

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
    for path, items in sections.get("resources", {}).items():
        found[RESOURCE_PREFIX + path] = {key: {"item": item} for key, item in items.items()}
    for collection, more in sections.get("records", {}).items():
        found[collection] = {**found.get(collection, {}), **more}
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
    "twofa": _without("username"),
    "device_passwords": _digested,
    "webauthn_credentials": _whole,
    "webmail_passwords": _digested,
}
