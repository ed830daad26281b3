"""Aliases and sender addresses (pages aliases_get, sa_put); nothing documented creates either, so seed data does."""

from __future__ import annotations

from mockserver.builtin.mailcheap.records import ALIASES, MAIL_USER, SENDER_ADDRESSES, not_found, page
from mockserver.plugins import ACCOUNTS, Call, Outcome, behaviour, content_of, domain_of, may_see, success


@behaviour("addresses", "list_aliases", trusted=True)
def list_aliases(call: Call) -> Outcome:
    """List the aliases that the caller may see, by address, as `search`, `start` and `limit` say."""
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
    """Let the MailUsers of a list, and nobody else, send from an address; 404 names what is not there."""
    content = content_of(call)
    address = _canonical(content["sender_address"])
    record = call.transaction.get(SENDER_ADDRESSES, address)
    if record is None:
        raise not_found(f"there is no sender address {address}")
    usernames = list(dict.fromkeys(_canonical(name.strip()) for name in content["usernames"].split(",")))
    for username in usernames:
        account = call.transaction.get(ACCOUNTS, username)
        # Of foreign accounts a caller is not told whether they exist.
        if account is None or account["level"] != MAIL_USER or not may_see(call, username):
            raise not_found(f"there is no MailUser {username!r}")
    call.transaction.put(SENDER_ADDRESSES, address, {**record, "usernames": usernames})
    return success({"sender_address": address, "usernames": ",".join(usernames)}, "updated")


def _canonical(address: str) -> str:
    """Return an address with its domain in lower case; what is before the @ stays (RFC 5321, section 2.4)."""
    local, at, _ = address.rpartition("@")
    return f"{local}{at}{domain_of(address)}" if at else address
