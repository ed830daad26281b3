"""Behaviours of address books and calendars that MailUsers share (conshare_get, conshare_put, calshare_get).

Only what is shared is listed. No documented operation creates an address book or calendar, so each account has one
named `default`, created when it is first needed; others come from the seed data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from mockserver.builtin.mailcheap.records import ADDRESS_BOOKS, CALENDARS, MAIL_USER, not_found, unprocessable
from mockserver.plugins import (
    ACCOUNTS,
    Call,
    Outcome,
    Record,
    Transaction,
    behaviour,
    content_of,
    make_uuid,
    success,
    under_way,
)

#: Name of the address book and calendar that every account has.
DEFAULT = "default"
#: Where CardDAV and CalDAV are; the host is the documentation's placeholder for the server's own name.
_DAV = "https://example.domain.tld/radicale/"
#: What a segment of a path may have unescaped, letters and digits apart (RFC 3986, section 3.3).
_SEGMENT = "-._~!$&'()*+,;=:@"


@behaviour("sharing", "list_addressbooks", trusted=True)
def list_addressbooks(call: Call) -> Outcome:
    """List the address books that the caller shares, and those shared with the caller (conshare_get)."""
    return _list(call, ADDRESS_BOOKS)


@behaviour("sharing", "list_calendars", trusted=True)
def list_calendars(call: Call) -> Outcome:
    """List the calendars that the caller shares, and those shared with the caller (calshare_get)."""
    return _list(call, CALENDARS)


@behaviour("sharing", "share_addressbook", trusted=True)
def share_addressbook(call: Call) -> Outcome:
    """Set whom an address book of the caller is shared with; nobody if the list is empty (conshare_put).

    Raises:
        RequestRejected: 404, the caller has no such address book; 422, a recipient is no MailUser or the caller.
    """
    content = content_of(call)
    owner, friendly_name, recipients = call.caller.username, content["friendly_name"], content["recipients"]
    key = f"{owner}/{friendly_name}"
    record = call.transaction.get(ADDRESS_BOOKS, key)
    if record is None and friendly_name != DEFAULT:
        raise not_found(f"{owner} has no address book {json.dumps(friendly_name, ensure_ascii=False)}")
    record = record or _default(call, ADDRESS_BOOKS, owner)
    for index, recipient in enumerate(recipients):
        _check_recipient(call, recipient, f"/recipients/{index}")
    record = {**record, "recipients": list(recipients), "phase": "applying", "since": call.now}
    call.transaction.put(ADDRESS_BOOKS, key, record)
    # The response to a write always says `applying`, however short that lasts.
    return success({**_shown_to_owner(call, record), "status": "applying"}, f"shared with {len(recipients)}")


def count_shared(transaction: Transaction, collection: str) -> int:
    """Return the number of address books or calendars, counting the default one of each MailUser."""
    owned = {(record["owner"], record["friendly_name"]) for record in transaction.items(collection).values()}
    accounts = transaction.items(ACCOUNTS).items()
    return len(owned | {(username, DEFAULT) for username, account in accounts if account["level"] == MAIL_USER})


def _list(call: Call, collection: str) -> Outcome:
    name = call.caller.username
    records = call.transaction.items(collection).values()
    own = [_shown_to_owner(call, record) for record in records if record["owner"] == name]
    content = {
        "shared_by_me": _sorted(share for share in own if share["recipients"] or share["status"] == "applying"),
        "shared_with_me": _sorted(
            _shown_to_recipient(call, record) for record in records if name in record["recipients"]
        ),
    }
    return success(content, f"{len(content['shared_by_me'])} shared, {len(content['shared_with_me'])} received")


def _sorted(shares: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(shares, key=lambda share: (share.get("from", ""), share["friendly_name"]))


def _shown_to_owner(call: Call, record: Record) -> dict[str, Any]:
    return {
        "friendly_name": record["friendly_name"],
        "recipients": record["recipients"],
        "status": _status(call, record),
        "url": record["url"],
    }


def _shown_to_recipient(call: Call, record: Record) -> dict[str, Any]:
    return {
        "friendly_name": record["friendly_name"],
        "from": record["owner"],
        "status": _status(call, record),
        "url": _seen_by(call.caller.username, record["url"]),
    }


def _status(call: Call, record: Record) -> str:
    return "applying" if record["phase"] == "applying" and under_way(call, record["since"]) else "applied"


def _seen_by(username: str, url: str) -> str:
    """Return the URL under which an account finds an address book or calendar shared with it.

    By the documentation that is below its own name: `.../radicale/RECIPIENT/IDENTIFIER/`.
    """
    owned, _, identifier = url.rstrip("/").rpartition("/")
    return f"{owned.rpartition('/')[0]}/{_segment(username)}/{identifier}/"


def _default(call: Call, collection: str, owner: str) -> Record:
    """Return the record of an account's default address book or calendar, before its first use."""
    identifier = make_uuid(call.rules.seed_number, call.world, collection, owner, DEFAULT)
    url = f"{_DAV}{_segment(owner)}/{identifier}/"
    return {"owner": owner, "friendly_name": DEFAULT, "url": url, "recipients": []}


def _segment(text: str) -> str:
    return quote(text, safe=_SEGMENT)


def _check_recipient(call: Call, recipient: str, pointer: str) -> None:
    if recipient == call.caller.username:
        raise unprocessable(f"{recipient} is the owner, who needs no share", pointer, "another account")
    account = call.transaction.get(ACCOUNTS, recipient)
    if account is None:
        raise unprocessable(f"there is no account {recipient}", pointer, "the name of a MailUser")
    if account["level"] != MAIL_USER:
        raise unprocessable(f"{recipient} is a {account['level']}", pointer, "the name of a MailUser")
