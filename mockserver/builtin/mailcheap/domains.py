"""Behaviours of domains, domain aliases and relay domains, which are pending until verified or expired.

::

    absent ── POST ──> pending ── verified (control API) ──> verified
       ^                  │ 7 days on the world's clock         │
       └──────────────────┴──── DELETE (relay domains) ─────────┘

Pages: domains_get, domains_post, domainalias_get, domainalias_post, relaydomain_get, relaydomain_post,
relaydomain_delete. What they leave open is decided in docs/decisions/0040-a-name-is-pending-until-verified.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.builtin.mailcheap import quotas
from mockserver.builtin.mailcheap.records import (
    DOMAIN_ADMIN,
    DOMAIN_ALIASES,
    DOMAINS,
    NEVER,
    RELAY_DOMAINS,
    conflict,
    is_live,
    live_domain,
    not_found,
)
from mockserver.plugins import (
    ACCOUNTS,
    NO_CONTENT,
    Call,
    ControlCall,
    ControlRoute,
    Outcome,
    Read,
    Record,
    RequestRejected,
    Transaction,
    behaviour,
    chance,
    content_of,
    issue,
    may_see,
    no_content,
    success,
    whole,
)

#: How long a name can be verified, in seconds; not documented, so a week.
VERIFICATION_SECONDS = 7 * 86_400
VERIFICATION_TYPE = "DNS TXT"
_CODE_PREFIX = "nms-domain-verification="
_CODE_NUMBERS = 10**12
#: 2026-11-30, 00:00 UTC: since then the route has its present path.
_MOVED = 1_795_996_800


@dataclass(frozen=True, slots=True)
class DomainKind:
    """One of three kinds of domain names: domain, domain alias or relay domain.

    Attributes:
        collection: the store's collection, also the member of a list's response that has the verified names.
        member: the member of requests and responses that has the name.
        others: other members of a request, stored unchanged.
        purpose: purpose of its verification codes (`issue` of the seed data).
        quota: the account member with the quota of a DomainAdmin, "" if there is no quota.
    """

    collection: str
    member: str
    others: tuple[str, ...]
    purpose: str
    quota: str

    @property
    def words(self) -> str:
        """Name of this kind of domain in messages: `domain`, `domain alias` or `relay domain`."""
        return self.member.replace("_", " ")


DOMAIN = DomainKind(DOMAINS, "domain", (), "domain_verification", "quota_domains")
DOMAIN_ALIAS = DomainKind(
    DOMAIN_ALIASES, "domain_alias", ("rcpt_domain",), "domain_alias_verification", "quota_domainaliases"
)
RELAY_DOMAIN = DomainKind(
    RELAY_DOMAINS, "relay_domain", ("destination_hostname", "destination_port"), "relay_domain_verification", ""
)
#: By collection, as `resource` of `x-mockserver-behaviour` names them.
KINDS: Mapping[str, DomainKind] = {kind.collection: kind for kind in (DOMAIN, DOMAIN_ALIAS, RELAY_DOMAIN)}


@behaviour("domains", "list", trusted=True)
def list_names(call: Call) -> Outcome:
    """List the domains, domain aliases or relay domains that the caller may see: verified ones, then pending ones."""
    kind = KINDS[call.behaviour.resource]
    verified: list[Any] = []
    pending: list[Any] = []
    for name, record in sorted(call.transaction.items(kind.collection).items()):
        if not may_see(call, _belongs_to(kind, name, record)):
            continue
        shown = {kind.member: name, **{member: record[member] for member in kind.others}}
        if record["verified"]:
            verified.append(shown if kind.others else name)
        elif is_live(record, call.now):
            pending.append({**shown, **_verification(name, record)})
    content = {kind.collection: verified, f"{kind.collection}_pending_verification": pending}
    return success(content, f"{len(verified)} verified, {len(pending)} pending")


@behaviour("domains", "create", trusted=True)
def add_name(call: Call) -> Outcome:
    """Add a domain, domain alias or relay domain, pending verification; 409 if it exists or the quota is used up."""
    kind = KINDS[call.behaviour.resource]
    content = whole(content_of(call))
    name = content[kind.member].lower()
    others = {member: content[member] for member in kind.others}
    if kind is DOMAIN_ALIAS:
        others["rcpt_domain"] = _recipient(call, others["rcpt_domain"].lower())
    taken = find_name(call.transaction.get, name, call.now)
    if taken is not None:
        state = "verified" if taken[1]["verified"] else "pending verification"
        raise conflict(f"{name} is a {taken[0].words} already, {state}")
    if kind.quota:
        quotas.require_room(call, kind.quota)
    record: Record = {
        **others,
        "verified": False,
        "expire_time": int(call.now) + VERIFICATION_SECONDS,
        "verification_code": _code(call, kind),
        "added_by": call.caller.username,
    }
    call.transaction.put(kind.collection, name, record)
    _hand_over(call.transaction, name, call.caller.username if call.caller.level == DOMAIN_ADMIN else "")
    content = {
        kind.member: name,
        **others,
        **_verification(name, record),
        "status": "pending_verification",
        "verification_type": VERIFICATION_TYPE,
    }
    return success(content, f"added, pending until {record['expire_time']}")


@behaviour("domains", "delete", trusted=True)
def delete_name(call: Call) -> Outcome:
    """Delete a domain, domain alias or relay domain, verified or pending; 404 if there is none."""
    kind = KINDS[call.behaviour.resource]
    name = content_of(call)[kind.member].lower()
    record = call.transaction.get(kind.collection, name)
    if record is None or not is_live(record, call.now):
        raise not_found(f"there is no {kind.words} {name}")
    call.transaction.delete(kind.collection, name)
    _hand_over(call.transaction, name, "")
    return no_content(204, "deleted")


def verify_name(transaction: Transaction, name: str, now: float) -> DomainKind:
    """Mark a pending domain, domain alias or relay domain as verified, and return its kind.

    Raises:
        LookupError: there is no such name, or its time is over; the message says which names are pending.
    """
    name = name.lower()
    found = find_name(transaction.get, name, now)
    if found is None:
        pending = sorted(
            name
            for kind in KINDS.values()
            for name, record in transaction.items(kind.collection).items()
            if not record["verified"] and is_live(record, now)
        )
        raise LookupError(
            f"there is no domain, domain alias or relay domain {name[:253]}, or the time to verify it is over; "
            f"pending are {', '.join(pending[:10]) or 'none'}"
        )
    kind, record = found
    kept = {member: value for member, value in record.items() if member not in {"expire_time", "verification_code"}}
    transaction.put(kind.collection, name, {**kept, "verified": True})
    return kind


def find_name(read: Read, name: str, now: float) -> tuple[DomainKind, Record] | None:
    """Return the kind and record of a domain name that is verified or pending, None if there is none."""
    for kind in KINDS.values():
        record = read(kind.collection, name)
        if record is not None and is_live(record, now):
            return kind, record
    return None


def _belongs_to(kind: DomainKind, name: str, record: Record) -> str:
    """Return the domain whose owner may see an entry: of a domain alias the target domain, else its own name."""
    return str(record["rcpt_domain"]) if kind is DOMAIN_ALIAS else name


def _verification(name: str, record: Record) -> dict[str, Any]:
    """Return the expiry time and verification code that responses show for a pending domain."""
    return {
        "expire_time": record.get("expire_time", NEVER),
        "verification_code": record.get("verification_code") or _made_up(name),
    }


def _recipient(call: Call, domain: str) -> str:
    """Return the target domain of a new domain alias; raise RequestRejected unless that domain is verified."""
    if not live_domain(call, domain)["verified"]:
        raise conflict(f"the domain {domain} is pending verification, so it cannot have an alias")
    return domain


def _hand_over(transaction: Transaction, name: str, owner: str) -> None:
    """Make an account the only owner of a domain name, so that no former owner keeps access to it."""
    for username, account in transaction.items(ACCOUNTS).items():
        owned = account.get("owns", [])
        kept = [one for one in owned if one != name]
        if username == owner:
            kept.append(name)
        if kept != owned:
            transaction.put(ACCOUNTS, username, {**account, "owns": kept})


def _code(call: Call, kind: DomainKind) -> str:
    """Return the next verification code for a domain: those of the seed data first, then made-up ones."""
    code = issue(call, kind.purpose)
    return code if code.startswith(_CODE_PREFIX) else _made_up(code)


def _made_up(cause: str) -> str:
    """Return a made-up verification code in the documented form; the same input gives the same code."""
    return f"{_CODE_PREFIX}{chance(cause).randrange(_CODE_NUMBERS):012d}"


def verify_by_route(call: ControlCall) -> Any:
    """Mark a domain as verified: the control API route that replaces the DNS record which a client would set.

    Raises:
        RequestRejected: 422 for content of another form, 404 for a name that is not there.
    """
    content = call.content
    if content is NO_CONTENT:
        raise RequestRejected(400, "Bad Request", "the content is not JSON: there is none")
    if not isinstance(content, dict) or content.keys() != {"domain"}:
        raise _unprocessable("the content must be an object with the member domain")
    domain = content["domain"]
    if not isinstance(domain, str):
        raise _unprocessable("domain must be the name of a domain, domain alias or relay domain")
    try:
        kind = verify_name(call.transaction, domain, call.now)
    except LookupError as error:
        raise RequestRejected(404, "Not Found", str(error.args[0])) from error
    return {"domain": domain.lower(), "kind": kind.member, "status": "verified"}


def _unprocessable(detail: str) -> RequestRejected:
    return RequestRejected(422, "Unprocessable Content", detail)


#: The mail server's part of the control API, described by control.yaml.
ROUTES = (
    ControlRoute(
        method="POST",
        path="/domains/verify",
        answer=verify_by_route,
        formerly="/domains/verify",
        deprecated=_MOVED,
    ),
)
