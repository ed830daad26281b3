"""Faults of who may act on what: the level is right, and the object is somebody else's."""

from __future__ import annotations

from tests.faults.catalogue import Catalogue, Stub
from tests.faults.messages import ACCOUNTS, ADMIN, DOMAIN_ADMIN, SENDERS, Call, Reply, refusal

OBJECTS = Catalogue("credentials")
_LISTS = f"GET {SENDERS}{{domain}}/"


@OBJECTS.plant("foreign_objects_are_refused", at=[_LISTS])
def any_domain(call: Call, server: Stub) -> Reply:
    """A DomainAdmin reads the lists of any domain: the level is asked for, and not whose the domain is."""
    reply = server.send(call)
    foreign = call.label.startswith(f"GET {SENDERS}") and call.credentials[0] == DOMAIN_ADMIN and reply.status == 403
    return server.send(call.by(ADMIN)) if foreign else reply


@OBJECTS.plant("foreign_objects_are_admitted", "allowed_levels_are_admitted", at=[_LISTS], level="drift")
def master_confined(call: Call, server: Stub) -> Reply:
    """A MasterAdmin, who owns no domain, is refused the lists of all: what holds for DomainAdmins holds for it."""
    if call.label.startswith(f"GET {SENDERS}") and call.credentials[0] == ADMIN:
        return refusal(403, "Forbidden")
    return server.send(call)


@OBJECTS.plant("lists_tell_own_objects_alone", at=[ACCOUNTS])
def accounts_of_all(call: Call, server: Stub) -> Reply:
    """A DomainAdmin is told all accounts of the server: the filter is made for MailUsers alone."""
    return server.send(call.by(ADMIN) if call.label == ACCOUNTS and call.credentials[0] == DOMAIN_ADMIN else call)


@OBJECTS.plant("lists_tell_all_own_objects", at=[ACCOUNTS])
def accounts_left_out(call: Call, server: Stub) -> Reply:
    """A DomainAdmin is told its own account alone: the filter is made for MailUsers, and counts for it, too."""
    reply = server.send(call)
    if call.label != ACCOUNTS or call.credentials[0] != DOMAIN_ADMIN or not reply.ok:
        return reply
    return reply.with_json({"accounts": [one for one in reply.json["accounts"] if one["username"] == DOMAIN_ADMIN]})
