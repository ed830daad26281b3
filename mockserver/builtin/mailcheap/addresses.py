"""Behaviours of aliases and sender addresses (aliases_get, sa_put); both are created by seed data only."""

from __future__ import annotations

import json

from mockserver.builtin.mailcheap.records import ALIASES, MAIL_USER, SENDER_ADDRESSES, not_found, page
from mockserver.plugins import ACCOUNTS, Call, Outcome, behaviour, content_of, domain_of, may_see, success


@behaviour("addresses", "list_aliases", trusted=True)
def list_aliases(call: Call) -> Outcome:
    """List the e-mail aliases that the caller may see, by address, filtered and paged by the query."""
    query = call.arguments.query
    term = query.get("search", "").casefold()
    found = []
    for address, record in sorted(call.transaction.items(ALIASES).items()):
        recipients = ",".join(record["recipients"])
        if may_see(call, address) and (term in address.casefold() or term in recipients.casefold()):
            found.append({"alias": address, "recipients": recipients})
    shown = page(query, found)
    return success({"aliases": shown}, f"{len(shown)} of {len(found)} aliases")


@behaviour("addresses", "update_sender_address", trusted=True)
def update_sender_address(call: Call) -> Outcome:
    """Set which MailUsers may send from a sender address; 404 if the address or a user does not exist."""
    content = content_of(call)
    address = _canonical(content["sender_address"])
    record = call.transaction.get(SENDER_ADDRESSES, address)
    if record is None:
        raise not_found(f"there is no sender address {address}")
    usernames = list(dict.fromkeys(_canonical(name.strip()) for name in content["usernames"].split(",")))
    for username in usernames:
        account = call.transaction.get(ACCOUNTS, username)
        # A caller must not learn whether accounts of others exist.
        if account is None or account["level"] != MAIL_USER or not may_see(call, username):
            raise not_found(f"there is no MailUser {json.dumps(username, ensure_ascii=False)}")
    call.transaction.put(SENDER_ADDRESSES, address, {**record, "usernames": usernames})
    return success({"sender_address": address, "usernames": ",".join(usernames)}, "updated")


def _canonical(address: str) -> str:
    """Return an e-mail address with its domain in lower case (the local part keeps its case, RFC 5321, section 2.4)."""
    local, at, _ = address.rpartition("@")
    return f"{local}{at}{domain_of(address)}" if at else address
