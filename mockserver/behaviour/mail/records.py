"""Collections of the mail server's store, and words for what most of its handlers refuse."""

from __future__ import annotations

from mockserver.behaviour.store import Record
from mockserver.errors import RequestRejected
from mockserver.messages import Violation

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
#: By challenge in Base64url: `purpose`, `username` ("" where anybody may answer), `expires`, `number` in order.
WEBAUTHN_CHALLENGES = "webauthn_challenges"
#: "relying_party": its `id`; "users": number of each account by username, which stands for it on authenticators.
WEBAUTHN = "webauthn"

#: Collections without anything secret, which `/__mock__/state` shows whole.
PUBLIC = (DOMAINS, DOMAIN_ALIASES, RELAY_DOMAINS, ALIASES, SENDER_ADDRESSES)

#: Permission levels, mightiest first (accounts_post).
MASTER_ADMIN, DOMAIN_ADMIN, MAIL_USER = LEVELS = ("MasterAdmin", "DomainAdmin", "MailUser")


def not_found(detail: str) -> RequestRejected:
    """Return the refusal of a call about something that is not there."""
    return RequestRejected(404, "Not Found", detail)


def conflict(detail: str) -> RequestRejected:
    """Return the refusal of a call that the state of things does not allow."""
    return RequestRejected(409, "Conflict", detail)


def unprocessable(detail: str, pointer: str = "", expected: str = "") -> RequestRejected:
    """Return the refusal of well-formed content that the server cannot act on, as things are.

    Args:
        detail: what is wrong, for people.
        pointer: JSON pointer of the offending value in the content, "" for the content as a whole.
        expected: what would do, the detail itself where that says it.
    """
    # The rule stands in no schema: what the server holds decides. Every 422 names at least one violation, though.
    violation = Violation(
        place="body",
        pointer=pointer,
        keyword="x-mockserver-behaviour",
        expected=expected or detail,
        message=detail,
        has_value=False,
        value=None,
        provenance_kind="assumed",
        provenance_reason="no page says what a server refuses for the sake of what it holds",
        rule="",
    )
    return RequestRejected(422, "Unprocessable Content", detail, violations=(violation,))


def forbidden(detail: str) -> RequestRejected:
    """Return the refusal of what the caller may not do, whoever may."""
    return RequestRejected(403, "Forbidden", detail)


def number_of(record: Record) -> int:
    """Return the place of a record in the order of making."""
    return int(record["number"])
