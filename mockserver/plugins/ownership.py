"""Owners of objects: which objects `x-mockserver-objects` of an operation lets a caller act on (docs/contract.md).

An account owns itself and the names in its record's `owns`, with all that belongs to them: as long as an API says
nothing else (`AccountRules.belongs_to`), an address belongs to its domain. A domain is compared without regard to case
(RFC 4343), the part before the @ as it is (RFC 5321, section 2.4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mockserver.contract.model import Objects
from mockserver.messages import Caller
from mockserver.plugins.account_records import ACCOUNTS
from mockserver.plugins.calls import Call, domain_of
from mockserver.plugins.transactions import Read

#: Tells whether a caller owns the object of a name.
Owns = Callable[[Read, Caller, str], bool]
#: Returns the name whose owner also owns the given name.
BelongsTo = Callable[[str], str]


def owns_account(
    levels: Sequence[str], read: Read, caller: Caller, name: str, belongs_to: BelongsTo = domain_of
) -> bool:
    """Tell whether a caller owns an account: its own one, or one of a lower level whose name the caller owns.

    Args:
        levels: all levels of the contract, highest first.
        read: reads a record of the world, or of a transaction on it.
        caller: the caller of the operation.
        name: user name of the account; if there is none, the owner of the name may learn that.
        belongs_to: returns the name that another name belongs to (`AccountRules`).
    """
    if name == caller.username:
        return True
    if not owns_name(read, caller, name, belongs_to):
        return False
    account = read(ACCOUNTS, name)
    if account is None:
        return True
    rank = {level: number for number, level in enumerate(levels)}
    return rank.get(account["level"], len(rank)) > rank.get(caller.level, len(rank))


def owns_name(read: Read, caller: Caller, name: str, belongs_to: BelongsTo = domain_of) -> bool:
    """Tell whether a caller owns a name: its user name, a name in its record's `owns`, or one below such a name."""
    if name == caller.username:
        return True
    record = read(ACCOUNTS, caller.username)
    owned = record.get("owns", ()) if record is not None else ()
    return name in owned or belongs_to(name) in owned


def is_open(objects: Objects | None, caller: Caller) -> bool:
    """Tell whether a caller may act on objects of any owner.

    A caller without level comes from a stub without accounts, where nobody owns anything.
    """
    return objects is None or not caller.level or caller.level in objects.foreign


def may_see(call: Call, name: str) -> bool:
    """Tell whether a caller may learn that a name exists: the caller owns the name, or the operation is open to all.

    For the handlers of lists, whose `x-mockserver-objects` names no object in the request.
    """
    if is_open(call.operation.objects, call.caller):
        return True
    return owns_name(call.transaction.get, call.caller, name, call.rules.accounts.belongs_to)


def compile_owns(objects: Objects, levels: Sequence[str], belongs_to: BelongsTo = domain_of) -> Owns:
    """Return the function that tells whether a caller owns an object, by `own` of `x-mockserver-objects`."""
    if objects.own == "self":
        return lambda _read, caller, name: name == caller.username
    if objects.own == "name":
        return lambda read, caller, name: owns_name(read, caller, name, belongs_to)
    return lambda read, caller, name: owns_account(levels, read, caller, name, belongs_to)
