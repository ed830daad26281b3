"""Quotas of DomainAdmins, and how much of each is used (accounts_get, account_patch).

No page says what counts. Here all objects in the domains that the DomainAdmin administers count, whoever created them,
pending names included, as the quota would have no effect otherwise; storage counts as soon as it is given to a mailbox.
Only calls of the DomainAdmin itself are limited by its quotas: a MasterAdmin sets them.
"""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.builtin.mailcheap.records import (
    ALIASES,
    DOMAIN_ADMIN,
    DOMAIN_ALIASES,
    DOMAINS,
    MAIL_USER,
    account_value,
    conflict,
    is_live,
)
from mockserver.plugins import ACCOUNTS, Call, Record, domain_of

#: Storage in MB.
STORAGE = "storagequota_total"
#: In the order in which an account shows them.
DOMAIN_ADMIN_QUOTAS = ("quota_aliases", "quota_domainaliases", "quota_domains", "quota_mailboxes", STORAGE)
MAIL_USER_QUOTAS = (STORAGE,)


def used_name(quota: str) -> str:
    """Return the name of the account member that shows how much of a quota is used."""
    return "storagequota_used" if quota == STORAGE else f"{quota}_used"


def used(call: Call, record: Record) -> Mapping[str, int]:
    """Return how much of each quota of an account is used, by the name of the quota."""
    if record["level"] != DOMAIN_ADMIN:
        return {STORAGE: account_value(record, "storagequota_used")}
    transaction, owned = call.transaction, set(record.get("owns", ()))
    mailboxes = [
        account
        for username, account in transaction.items(ACCOUNTS).items()
        if account["level"] == MAIL_USER and domain_of(username) in owned
    ]
    return {
        "quota_aliases": sum(domain_of(address) in owned for address in transaction.items(ALIASES)),
        "quota_domainaliases": sum(
            alias["rcpt_domain"] in owned and is_live(alias, call.now)
            for alias in transaction.items(DOMAIN_ALIASES).values()
        ),
        "quota_domains": sum(
            name in owned and is_live(domain, call.now) for name, domain in transaction.items(DOMAINS).items()
        ),
        "quota_mailboxes": len(mailboxes),
        STORAGE: sum(account_value(account, STORAGE) for account in mailboxes),
    }


def require_room(call: Call, quota: str, more: int = 1) -> None:
    """Raise RequestRejected (409) if a call would exceed a quota of the DomainAdmin that makes it.

    Raises:
        RequestRejected: 409, the quota is used up.
    """
    record = call.transaction.get(ACCOUNTS, call.caller.username)
    if call.caller.level != DOMAIN_ADMIN or record is None or more <= 0:
        return
    limit, taken = account_value(record, quota), used(call, record)[quota]
    if taken + more > limit:
        raise conflict(
            f"{call.caller.username} has {taken} of at most {limit} ({quota}), which leaves less than {more}"
        )
