"""Whose an object is: what `x-mockserver-objects` of an operation lets a caller act on (docs/contract.md, "Objects").

An account owns itself and the names in its record's `owns`; with a domain, every address in it. Domains are compared
without regard to case (RFC 4343), the part before the @ as it is (RFC 5321, section 2.4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mockserver.contract.model import Objects
from mockserver.messages import Caller
from mockserver.stub.behaviour.calls import Call
from mockserver.stub.store.account_records import ACCOUNTS
from mockserver.stub.store.store import Read

#: Tells whether a caller owns the object of a name.
Owns = Callable[[Read, Caller, str], bool]


def owns_account(levels: Sequence[str], read: Read, caller: Caller, name: str) -> bool:
    """Tell whether an account is the caller's own, or one of a lower level with an address in a domain of the caller's.

    Args:
        levels: all levels of the contract, mightiest first.
        read: of the world or of a transaction on it.
        caller: who asks.
        name: of the account; one that does not exist belongs to the domain's owner, who may be told so.
    """
    if name == caller.username:
        return True
    if not owns_name(read, caller, name):
        return False
    account = read(ACCOUNTS, name)
    if account is None:
        return True
    rank = {level: number for number, level in enumerate(levels)}
    return rank.get(account["level"], len(rank)) > rank.get(caller.level, len(rank))


def owns_name(read: Read, caller: Caller, name: str) -> bool:
    """Tell whether a domain or address is the caller's: itself, a name of its record's `owns`, or an address there."""
    if name == caller.username:
        return True
    record = read(ACCOUNTS, caller.username)
    owned = record.get("owns", ()) if record is not None else ()
    return name in owned or domain_of(name) in owned


def is_open(objects: Objects | None, caller: Caller) -> bool:
    """Tell whether whose an object is does not matter to a caller: it may act on everybody's.

    A caller without level comes from a stub without accounts, where nobody owns anything.
    """
    return objects is None or not caller.level or caller.level in objects.foreign


def may_see(call: Call, name: str) -> bool:
    """Tell whether a caller may be told of a domain or address: its own, or anybody's where the contract says so.

    For the handlers of lists, whose `x-mockserver-objects` names no object in the request.
    """
    return is_open(call.operation.objects, call.caller) or owns_name(call.transaction.get, call.caller, name)


def domain_of(name: str) -> str:
    """Return the domain of an address, or a domain itself, in lower case."""
    return name.rpartition("@")[2].lower()


def compile_owns(objects: Objects, levels: Sequence[str]) -> Owns:
    """Return the function that tells whether a caller owns an object, by what the contract calls own."""
    if objects.own == "self":
        return lambda _read, caller, name: name == caller.username
    if objects.own == "name":
        return owns_name
    return lambda read, caller, name: owns_account(levels, read, caller, name)
