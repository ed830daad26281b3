"""Collections of the mail server's store, and functions that its handlers share: rejections, numbering, paging."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from mockserver.plugins import LATEST, Call, Record, RequestRejected, Violation, is_open, owns_account

#: By domain, domain alias or relay domain: `verified`, `expire_time`, `verification_code`, `added_by` ...
DOMAINS = "domains"
DOMAIN_ALIASES = "domain_aliases"
RELAY_DOMAINS = "relay_domains"
#: By address: `recipients` or `usernames` as lists, `added_by`.
ALIASES = "aliases"
SENDER_ADDRESSES = "sender_addresses"
#: By "global" or a domain: `scores`, `phase`, `since`.
THRESHOLDS = "thresholds"
#: By "global/whitelist", "vonmail.com/blacklist" ...: `sender_domains`, `sender_emails`, `sender_ips`, phase.
LISTS = "wlbl"
#: By "owner/friendly_name": `owner`, `friendly_name`, `url`, `recipients`, `phase`, `since`.
ADDRESS_BOOKS = "addressbooks"
CALENDARS = "calendars"
#: By "username/position": the filter, and `username`.
SIEVE_FILTERS = "sieve_filters"
#: By username: `subject`, `body`, `start_time`, `end_time`.
AUTOREPLIES = "autoreplies"
#: By username: `status`, `message`, `expire_time`, `added_by`.
MIGRATIONS = "automigration_users"
#: By username: `status`, `totp_secret`, `used` (time steps whose codes were accepted).
TWO_FACTOR = "twofa"
#: By "username/friendly_name": `username`, `friendly_name`, `hash`, `number` in the order of making.
DEVICE_PASSWORDS = "device_passwords"
#: By "username/friendly_name": both, `credential_id` and `public_key` (COSE) in Base64url, `sign_count`, `device_type`,
#: `backed_up`, `transports`, `number` in the order of registering.
PASSKEYS = "webauthn_credentials"
#: By challenge in Base64url: `purpose`, `username` ("" for any account), `expires`, `number` in order.
WEBAUTHN_CHALLENGES = "webauthn_challenges"
#: "relying_party": its `id`; "users": number of each account by username: its user handle on authenticators.
WEBAUTHN = "webauthn"
#: By "username/1": digest of the password.
WEBMAIL_PASSWORDS = "webmail_passwords"

#: Collections without anything secret, which `/__mock__/state` shows whole.
PUBLIC = (DOMAINS, DOMAIN_ALIASES, RELAY_DOMAINS, ALIASES, SENDER_ADDRESSES, THRESHOLDS, LISTS)

#: Most records in one response, also the default of `limit` (accounts_get, aliases_get, stats_quota_get).
MAX_RECORDS = 50
_Item = TypeVar("_Item")

#: Permission levels, highest first (accounts_post).
MASTER_ADMIN, DOMAIN_ADMIN, MAIL_USER = LEVELS = ("MasterAdmin", "DomainAdmin", "MailUser")
#: Members of an account's record that seed data may leave out; storage is in MB, quotas are those of a DomainAdmin.
_ACCOUNT_DEFAULTS: Mapping[str, Any] = {
    "api_access": 1,
    "enabled": 1,
    "recovery_email": "recovery@domain.tld",
    "language": "en",
    "last_login": 0,
    "storagequota_used": 0,
    "quota_aliases": 1000,
    "quota_domainaliases": 100,
    "quota_domains": 100,
    "quota_mailboxes": 1000,
}
#: The same of `storagequota_total`, which a DomainAdmin shares out among its mailboxes.
_STORAGE_DEFAULTS = {DOMAIN_ADMIN: 100_000, MAIL_USER: 1_000}


#: When a pending name of the seed data expires that says nothing of it: at the end of the calendar.
NEVER = LATEST


def is_live(record: Record, now: float) -> bool:
    """Tell whether a domain, domain alias or relay domain is verified, or pending and not expired."""
    return bool(record["verified"]) or now < record.get("expire_time", NEVER)


def live_domain(call: Call, name: str) -> Record:
    """Return the record of a domain that is verified or pending; raise RequestRejected (404) if there is none.

    Raises:
        RequestRejected: 404, there is none.
    """
    record = call.transaction.get(DOMAINS, name)
    if record is None or not is_live(record, call.now):
        raise not_found(f"there is no domain {name}")
    return record


def account_value(record: Record, name: str) -> Any:
    """Return a member of an account's record, or its default if the record lacks the member."""
    value = record.get(name)
    if value is not None:
        return value
    return _STORAGE_DEFAULTS.get(record["level"], 0) if name == "storagequota_total" else _ACCOUNT_DEFAULTS[name]


def may_use_api(record: Record) -> bool:
    """Tell whether an account may log in: it is enabled and has API access (accounts_post)."""
    return bool(account_value(record, "enabled")) and bool(account_value(record, "api_access"))


def is_administrator_of(call: Call, username: str) -> bool:
    """Tell whether the caller administers an account: a DomainAdmin administers the MailUsers of its domains.

    Levels that the contract lets act on everybody's objects administer all.
    """
    if is_open(call.operation.objects, call.caller):
        return True
    if username == call.caller.username:
        return False
    return owns_account(LEVELS, call.transaction.get, call.caller, username)


def not_found(detail: str) -> RequestRejected:
    """Return the rejection (404) of a call that names something which does not exist."""
    return RequestRejected(404, "Not Found", detail)


def conflict(detail: str) -> RequestRejected:
    """Return the rejection (409) of a call that the present state does not allow."""
    return RequestRejected(409, "Conflict", detail)


def unprocessable(detail: str, pointer: str = "", expected: str = "") -> RequestRejected:
    """Return the rejection (422) of content that fits the schema but not the state of the server.

    Args:
        detail: what is wrong, for people.
        pointer: JSON pointer of the offending value in the content, "" for the content as a whole.
        expected: what would do, the detail itself where that says it.
    """
    # No schema has this rule, which depends on the state. Yet every 422 lists at least one violation.
    violation = Violation(
        place="body",
        pointer=pointer,
        keyword="x-mockserver-behaviour",
        expected=expected or detail,
        message=detail,
        has_value=False,
        value=None,
        provenance_kind="assumed",
        provenance_reason="no page says which valid content a server refuses because of its state",
        rule="",
    )
    return RequestRejected(422, "Unprocessable Content", detail, violations=(violation,))


def forbidden(detail: str) -> RequestRejected:
    """Return the rejection (403) of a call that the caller has no permission for."""
    return RequestRejected(403, "Forbidden", detail)


def own_in_order(call: Call, collection: str, username: str) -> list[Record]:
    """Return the records of a collection that belong to an account, in the order of their creation."""
    own = (record for record in call.transaction.items(collection).values() if record["username"] == username)
    return sorted(own, key=_number)


def next_number(records: Iterable[Record]) -> int:
    """Return the sequence number for a new record: one more than the highest of the given records."""
    return max(map(_number, records), default=0) + 1


def _number(record: Record) -> int:
    return int(record["number"])


def page(query: Mapping[str, Any], items: Sequence[_Item]) -> Sequence[_Item]:
    """Return the page of a list that a query selects: `limit` items from offset `start`."""
    start = query.get("start", 0)
    return items[start : start + query.get("limit", MAX_RECORDS)]
