"""Behaviours of accounts (accounts_get, accounts_post, account_patch) and webmail passwords (wp_post).

What an account shows, by level; all of it is a member of its record except what is counted::

    MasterAdmin   api_access, enabled, recovery_email, language
    DomainAdmin   these, its domains, and a quota of each kind with how much of it is used
    MailUser      these, and its storage quota with how much of it is used
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mockserver.builtin.mailcheap import passwords, quotas
from mockserver.builtin.mailcheap.records import (
    ALIASES,
    DOMAIN_ADMIN,
    DOMAINS,
    MAIL_USER,
    WEBMAIL_PASSWORDS,
    account_value,
    conflict,
    forbidden,
    is_administrator_of,
    is_live,
    live_domain,
    not_found,
    page,
)
from mockserver.plugins import (
    ACCOUNTS,
    TOKENS,
    Call,
    Outcome,
    Record,
    Transaction,
    behaviour,
    content_of,
    domain_of,
    issue,
    password_hash,
    success,
    whole,
)

#: What every level may change of its own account (account_patch).
OWN_MEMBERS = frozenset({"password", "recovery_email", "language"})
_COMMON = ("api_access", "enabled", "recovery_email", "language")
_QUOTAS = {DOMAIN_ADMIN: quotas.DOMAIN_ADMIN_QUOTAS, MAIL_USER: quotas.MAIL_USER_QUOTAS}
#: Length of the documented webmail password (wp_post).
_WEBMAIL_PASSWORD_LENGTH = 50


@behaviour("accounts", "list", trusted=True)
def list_accounts(call: Call) -> Outcome:
    """List the accounts that the caller may see, its own included, in the order of their names."""
    query = call.arguments.query
    wanted = {name: query[name] for name in ("enabled", "api_access") if query.get(name) is not None}
    level, search = query.get("perm_level"), query.get("search", "").casefold()
    found = [
        (username, record)
        for username, record in sorted(call.transaction.items(ACCOUNTS).items())
        if search in username.casefold()
        and level in (None, record["level"])
        and all(account_value(record, name) == value for name, value in wanted.items())
        and (username == call.caller.username or is_administrator_of(call, username))
    ]
    return success({"accounts": [_listed(call, *one) for one in page(query, found)]}, f"{len(found)} accounts")


@behaviour("accounts", "create", trusted=True)
def create_account(call: Call) -> Outcome:
    """Create an account, which can log in at once (accounts_post)."""
    content = whole(content_of(call))
    level = content["perm_level"]
    if call.caller.level == DOMAIN_ADMIN and level != MAIL_USER:
        raise forbidden(f"a {DOMAIN_ADMIN} may create {MAIL_USER}s only, not a {level}")
    record = add_account(call, content, level)
    shown = {"username": content["username"], "perm_level": level}
    shown |= {name: record[name] for name in _COMMON}
    if level == DOMAIN_ADMIN:
        shown["domains"] = _domains(call, record)
    shown |= {quota: record[quota] for quota in _QUOTAS.get(level, ())}
    return success(shown, "account created")


def add_account(call: Call, content: Mapping[str, Any], level: str) -> Record:
    """Store a new account from a request's content, and return its record.

    Raises:
        RequestRejected: the name is taken (409), its domain is not there (404) or not verified (409), the quota of the
            DomainAdmin that creates it is used up (409).
    """
    username = content["username"]
    transaction = call.transaction
    if level == MAIL_USER:
        _require_domain(call, domain_of(username))
    if transaction.get(ACCOUNTS, username) is not None:
        raise conflict(f"there is an account {username} already")
    if transaction.get(ALIASES, username) is not None:
        raise conflict(f"there is an alias {username} already")
    record: Record = {"level": level, "tokens": [], "last_login": 0, "added_by": call.caller.username}
    record |= {name: content[name] for name in _COMMON if name in content}
    record |= _password(username, content["password"])
    if level == DOMAIN_ADMIN:
        record["owns"] = _names(call, content["domains"])
    if level == MAIL_USER:
        quotas.require_room(call, "quota_mailboxes", 1)
        quotas.require_room(call, quotas.STORAGE, content[quotas.STORAGE])
    record |= {quota: content[quota] for quota in _QUOTAS.get(level, ())}
    transaction.put(ACCOUNTS, username, record)
    return record


@behaviour("accounts", "update", trusted=True)
def update_account(call: Call) -> Outcome:
    """Change some members of an account; the response shows the changed members except the password."""
    content = whole(content_of(call))
    username = call.arguments.path["username"]
    record = call.transaction.get(ACCOUNTS, username)
    if record is None:
        raise not_found(f"there is no account {username}")
    if username == call.caller.username:
        beyond = sorted(content.keys() - OWN_MEMBERS)
        if beyond:
            raise forbidden(f"an account may not change its own {', '.join(beyond)}")
    changed = {name: value for name, value in content.items() if name not in ("password", "domains")}
    shown = dict(changed)
    _require_members(content, record["level"])
    if "domains" in content:
        names = _names(call, content["domains"])
        others = [name for name in record.get("owns", ()) if not _is_domain(call, name)]
        changed["owns"] = names + others
        shown["domains"] = ",".join(names)
    updated = {**record, **changed}
    _require_enough(call, username, record, updated, content.keys())
    if "password" in content:
        updated |= _password(username, content["password"])
    if content.get("enabled") == 0 or content.get("api_access") == 0:
        _end_tokens(call.transaction, username)
        updated["tokens"] = []
    call.transaction.put(ACCOUNTS, username, updated)
    return success({name: shown[name] for name in content if name in shown}, "account updated")


@behaviour("accounts", "webmail_password", trusted=True)
def create_webmail_password(call: Call) -> Outcome:
    """Issue a disposable webmail password, which replaces the former one of the same number (wp_post)."""
    password = issue(call, "webmail_password", length=_WEBMAIL_PASSWORD_LENGTH)
    key = f"{call.caller.username}/{call.arguments.path['webmail_id']}"
    call.transaction.put(WEBMAIL_PASSWORDS, key, {"hash": password_hash(call.caller.username, password)})
    return success({"webmail_password": password}, "webmail password made")


def _listed(call: Call, username: str, record: Record) -> dict[str, Any]:
    """Return an account in the form in which the list of accounts shows it."""
    level = record["level"]
    shown = {"username": username, "perm_level": level}
    shown |= {name: account_value(record, name) for name in (*_COMMON, "last_login")}
    shown["password_hash"] = _shown_hash(call, username, record)
    if level == DOMAIN_ADMIN:
        shown["domains"] = _domains(call, record)
    if level in _QUOTAS:
        used = quotas.used(call, record)
        for quota in _QUOTAS[level]:
            shown[quota] = account_value(record, quota)
            shown[quotas.used_name(quota)] = used[quota]
    return shown


def _shown_hash(call: Call, username: str, record: Record) -> str:
    """Return the SHA512-Crypt hash of an account's password, computed on first use for seeded accounts.

    A password of which nothing but our digest is known has none, nor has an account without one: what is shown then
    belongs to no password that anybody knows.
    """
    known: str | None = record.get("password_crypt")
    if known is not None:
        return known
    seeded = call.rules.seed.password_of(call.transaction, username)
    return _seeded_hash(username, seeded, record["password_hash"])


@lru_cache(maxsize=4096)
def _seeded_hash(username: str, password: str | None, digest: str | None) -> str:
    """Return the SHA512-Crypt hash of a seeded password, or of its stored digest if the password was changed.

    Of the seed data alone: passwords that clients send are hashed once and not kept.
    """
    if password is not None and password_hash(username, password) == digest:
        return passwords.make_hash(username, password)
    # No password has a control character, so this is the hash of none.
    return passwords.make_hash(username, f"\x7f{digest}")


def _password(username: str, password: str) -> Record:
    """Return the record members that store a password, which was sent as plain text or as a SHA512-Crypt hash."""
    if password.startswith(passwords.PREFIX):
        return {"password_hash": None, "password_crypt": password}
    return {
        "password_hash": password_hash(username, password),
        "password_crypt": passwords.make_hash(username, password),
    }


def _require_domain(call: Call, name: str) -> None:
    if not live_domain(call, name)["verified"]:
        raise conflict(f"the domain {name} is pending verification")


def _names(call: Call, domains: str) -> list[str]:
    """Return the names in a comma separated list of domains; raise RequestRejected (404) if a domain does not exist."""
    names = list(dict.fromkeys(name for name in domains.split(",") if name))
    for name in names:
        if not _is_domain(call, name):
            raise not_found(f"there is no domain {name}")
    return names


def _domains(call: Call, record: Record) -> str:
    """Return the domains that a DomainAdmin administers, as a comma separated list.

    It also owns what it added besides: domain aliases, relay domains.
    """
    return ",".join(name for name in record.get("owns", ()) if _is_domain(call, name))


def _is_domain(call: Call, name: str) -> bool:
    domain = call.transaction.get(DOMAINS, name)
    return domain is not None and is_live(domain, call.now)


def _require_members(content: Mapping[str, Any], level: str) -> None:
    """Raise RequestRejected (409) if a request sets members that accounts of this level do not have."""
    had = {"password", *_COMMON, *_QUOTAS.get(level, ())} | ({"domains"} if level == DOMAIN_ADMIN else set())
    beyond = sorted(content.keys() - had)
    if beyond:
        raise conflict(f"a {level} has no {', '.join(beyond)}")


def _require_enough(call: Call, username: str, record: Record, updated: Record, names: Any) -> None:
    """Raise RequestRejected (409) if a quota is set below its use, or storage beyond what the DomainAdmin has left."""
    used = quotas.used(call, updated)
    for quota in _QUOTAS.get(record["level"], ()):
        if quota in names and updated[quota] < used[quota]:
            raise conflict(f"{username} uses {used[quota]} of {quota} already, which is more than {updated[quota]}")
    if record["level"] == MAIL_USER and quotas.STORAGE in names:
        more = updated[quotas.STORAGE] - account_value(record, quotas.STORAGE)
        quotas.require_room(call, quotas.STORAGE, more)


def _end_tokens(transaction: Transaction, username: str) -> None:
    """Revoke all tokens of an account, seeded ones included."""
    for key, token in transaction.items(TOKENS).items():
        if token["username"] == username:
            transaction.delete(TOKENS, key)
