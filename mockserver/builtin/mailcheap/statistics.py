"""Behaviours of statistics: counts of objects, and storage used by accounts (stats_mail_get, stats_quota_get).

All figures are counted from the state of the world at the time of the call, so they agree with all other responses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mockserver.builtin.mailcheap import quotas, sharing
from mockserver.builtin.mailcheap.records import (
    ADDRESS_BOOKS,
    ALIASES,
    CALENDARS,
    DOMAIN_ADMIN,
    DOMAIN_ALIASES,
    DOMAINS,
    MAIL_USER,
    MASTER_ADMIN,
    RELAY_DOMAINS,
    SENDER_ADDRESSES,
    SIEVE_FILTERS,
    account_value,
    forbidden,
    is_administrator_of,
    page,
)
from mockserver.plugins import ACCOUNTS, Call, Outcome, Record, behaviour, success

#: Collection by the member that counts it; mailboxes are among the accounts, and have an address book and a calendar.
_COUNTED = {
    "aliases": ALIASES,
    "domain_aliases": DOMAIN_ALIASES,
    "domains": DOMAINS,
    "relay_domains": RELAY_DOMAINS,
    "sender_addresses": SENDER_ADDRESSES,
    "sieve_filters": SIEVE_FILTERS,
}
#: What is a property of the DomainAdmin that added it (stats_mail_get), with the mailboxes.
_PROPERTIES = ("aliases", "domain_aliases", "domains", "relay_domains", "sender_addresses")


@behaviour("statistics", "mail", trusted=True)
def count_mail(call: Call) -> Outcome:
    """Count the server's objects of each kind, and those that each DomainAdmin added, highest count first."""
    records = {name: list(call.transaction.items(kind).values()) for name, kind in _COUNTED.items()}
    accounts = call.transaction.items(ACCOUNTS)
    mailboxes = [record for record in accounts.values() if record["level"] == MAIL_USER]
    added = Counter(record.get("added_by") for record in mailboxes)
    for name in _PROPERTIES:
        added.update(record.get("added_by") for record in records[name])
    administrators = [username for username, record in accounts.items() if record["level"] == DOMAIN_ADMIN]
    usage = sorted(((added[name], name) for name in administrators), key=lambda one: (-one[0], one[1]))
    counts = {name: _count(found) for name, found in records.items()}
    counts |= {kind: sharing.count_shared(call.transaction, kind) for kind in (ADDRESS_BOOKS, CALENDARS)}
    shown = {**counts, "mailboxes": len(mailboxes), "domainadmin_usage": [{name: count} for count, name in usage]}
    return success(dict(sorted(shown.items())), "counted")


@behaviour("statistics", "quota", trusted=True)
def list_quota_usage(call: Call) -> Outcome:
    """List how much storage is used by each account that the caller administers, fullest first."""
    query = call.arguments.query
    level, search = query.get("perm_level"), query.get("search", "").casefold()
    if level == DOMAIN_ADMIN and call.caller.level == DOMAIN_ADMIN:
        raise forbidden(f"a {DOMAIN_ADMIN} administers {MAIL_USER}s only")
    found = []
    for username, record in call.transaction.items(ACCOUNTS).items():
        if record["level"] == MASTER_ADMIN or level not in (None, record["level"]) or username == call.caller.username:
            continue
        if search in username.casefold() and is_administrator_of(call, username):
            total, used = account_value(record, quotas.STORAGE), quotas.used(call, record)[quotas.STORAGE]
            # The documented figures are rounded down: 403 of 500 is 80 %.
            percent = 100 * used // total if total else 0
            found.append((-percent, username, total, used))
    shown = [
        {"storagequota_total": total, "storagequota_used": used, "use_percent": -percent, "username": username}
        for percent, username, total, used in page(query, sorted(found))
    ]
    return success(shown, f"{len(found)} accounts")


def _count(records: Iterable[Record]) -> int:
    """Return how many records there are, without domains that are pending verification."""
    return sum(record.get("verified", True) for record in records)
