"""Behaviours of antispam settings: score thresholds, and whitelists and blacklists of senders.

Both exist for the whole server and for single domains. What exists is created by POST, replaced by PUT and cleared by
DELETE, and each change takes its time on the world's clock; the server's own thresholds alone are there from the start.

Pages: global_antispam_thresh_get, global_antispam_thresh_put, perdomain_antispam_thresh_post,
perdomain_antispam_thresh_put, perdomain_antispam_thresh_delete, global_wlbl_get, global_wlbl_post, global_wlbl_put,
perdomain_wlbl_get, perdomain_wlbl_post, perdomain_wlbl_put, perdomain_wlbl_delete. What they leave open is decided in
docs/decisions/0041-thresholds-and-lists-are-created-then-replaced.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.builtin.mailcheap.records import LISTS, THRESHOLDS, conflict, live_domain, not_found
from mockserver.plugins import Call, Outcome, Record, behaviour, content_of, kept, success, under_way

#: Stands for the whole server where others have the name of a domain; no domain is called so, for it lacks a dot.
GLOBAL = "global"
#: What a server comes with, as the example of global_antispam_thresh_get shows it.
DEFAULT_SCORES: Mapping[str, int] = {"add_header": 4, "greylist": 3, "reject": 10}
_KINDS = ("sender_domains", "sender_emails", "sender_ips")
#: How a read names the members of each list: `blacklist_status`, `blacklisted_sender_domains`.
_ACTIONS = ("blacklist", "whitelist")


# ---- thresholds: {scores, phase, since}


@behaviour("thresholds", "read", trusted=True)
def read_thresholds(call: Call) -> Outcome:
    """Return the antispam score thresholds of the whole server, and whether their last change is applied."""
    record = call.transaction.get(THRESHOLDS, GLOBAL) or {"scores": dict(DEFAULT_SCORES)}
    return success({"scores": record["scores"], "status": _phase(record, call)}, "stored scores")


@behaviour("thresholds", "write", trusted=True)
def write_thresholds(call: Call) -> Outcome:
    """Set the antispam score thresholds of the whole server."""
    return _put_scores(call, GLOBAL, {}, "set")


@behaviour("thresholds", "create", trusted=True)
def create_thresholds(call: Call) -> Outcome:
    """Create antispam score thresholds for a domain; 409 if the domain has some already."""
    domain = _domain(call)
    if _standing(call, THRESHOLDS, domain) is not None:
        raise conflict(f"{domain} has thresholds of its own already; PUT changes them")
    return _put_scores(call, domain, {"domain": domain}, "created")


@behaviour("thresholds", "replace", trusted=True)
def replace_thresholds(call: Call) -> Outcome:
    """Change the antispam score thresholds of a domain; 404 if the domain has none."""
    domain = _domain(call)
    if _standing(call, THRESHOLDS, domain) is None:
        raise not_found(f"{domain} has no thresholds of its own; POST creates them")
    return _put_scores(call, domain, {"domain": domain}, "changed")


@behaviour("thresholds", "clear", trusted=True)
def clear_thresholds(call: Call) -> Outcome:
    """Delete the antispam score thresholds of a domain; not an error if the domain has none."""
    domain = _domain(call)
    why = _clear(call, THRESHOLDS, domain)
    return success({"domain": domain, "status": "deleting"}, why)


def _put_scores(call: Call, scope: str, named: Record, why: str) -> Outcome:
    sent = content_of(call)
    scores = {name: sent[name] for name in DEFAULT_SCORES}
    call.transaction.put(THRESHOLDS, scope, {"scores": scores, "phase": "applying", "since": call.now})
    return success({**named, "scores": scores, "status": "applying"}, why)


# ---- lists: {sender_domains, sender_emails, sender_ips, phase, since}, one for each scope and action


@behaviour("wlbl", "read", trusted=True)
def read_lists(call: Call) -> Outcome:
    """Return the whitelist and blacklist of senders of the server or of a domain; a missing list is shown empty."""
    scope = _scope(call)
    return success(dict(_shown(call, scope)), f"stored lists of {scope}")


@behaviour("wlbl", "create", trusted=True)
def create_list(call: Call) -> Outcome:
    """Create a whitelist or blacklist of senders; 409 if the list exists."""
    scope, action = _scope(call), content_of(call)["action"]
    if _standing(call, LISTS, _key(scope, action)) is not None:
        raise conflict(f"there is a {action} already; PUT replaces it")
    return _put_list(call, scope, action, "created")


@behaviour("wlbl", "replace", trusted=True)
def replace_list(call: Call) -> Outcome:
    """Replace a whitelist or blacklist of senders; 404 if the list does not exist."""
    scope, action = _scope(call), content_of(call)["action"]
    if _standing(call, LISTS, _key(scope, action)) is None:
        raise not_found(f"there is no {action}; POST creates it")
    return _put_list(call, scope, action, "replaced")


@behaviour("wlbl", "clear", trusted=True)
def clear_list(call: Call) -> Outcome:
    """Delete the whitelist or blacklist of a domain; not an error if the list does not exist."""
    domain, action = _domain(call), content_of(call)["action"]
    why = _clear(call, LISTS, _key(domain, action))
    return success({"action": action, "domain": domain, "status": "deleting"}, why)


def _put_list(call: Call, scope: str, action: str, why: str) -> Outcome:
    sent = content_of(call)
    senders = {kind: sent.get(kind, []) for kind in _KINDS}
    call.transaction.put(LISTS, _key(scope, action), {**senders, "phase": "applying", "since": call.now})
    named = {} if scope == GLOBAL else {"domain": scope}
    return success({"action": action, **named, **senders, "status": "applying"}, why)


def _shown(call: Call, scope: str) -> Iterator[tuple[str, Any]]:
    for action in _ACTIONS:
        record = kept(call, LISTS, _key(scope, action)) or {}
        yield f"{action}_status", _phase(record, call)
        for kind in _KINDS:
            yield f"{action}ed_{kind}", record.get(kind, [])


def _key(scope: str, action: str) -> str:
    return f"{scope}/{action}"


# ---- scopes and phases


def _scope(call: Call) -> str:
    """Return what an antispam call applies to: the domain in its path, or "global" for the whole server."""
    return _domain(call) if "domain" in call.arguments.path else GLOBAL


def _domain(call: Call) -> str:
    """Return the domain in the path of a call; raise RequestRejected (404) if the server does not have that domain."""
    # Domain names are the same in either case (RFC 4343).
    name = str(call.arguments.path["domain"]).lower()
    live_domain(call, name)
    return name


def _phase(record: Record, call: Call) -> str:
    """Return the status of a record's last change: `applying`, `applied` or `deleting`."""
    phase: str = record.get("phase", "applied")
    return "applied" if phase == "applying" and not under_way(call, record["since"]) else phase


def _standing(call: Call, collection: str, key: str) -> Record | None:
    """Return a stored record, None if there is none or the record is being deleted."""
    record = kept(call, collection, key)
    return None if record is not None and _phase(record, call) == "deleting" else record


def _clear(call: Call, collection: str, key: str) -> str:
    """Delete a record once the transition `deleting` is over; return the journal's reason."""
    record = kept(call, collection, key)
    if record is None:
        return "there was nothing to clear"
    if call.rules.transition_seconds <= 0:
        call.transaction.delete(collection, key)
    elif _phase(record, call) != "deleting":
        call.transaction.put(collection, key, {**record, "phase": "deleting", "since": call.now})
    return "cleared"
