"""What the mail server of the built-in contract does: a module for each section of its documentation.

A contract names them in `x-mockserver-behaviour`, so that a changed copy of the built-in one keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.builtin.mailcheap import (
    accounts,
    addresses,
    antispam,
    domains,
    filtering,
    logins,
    migration,
    passkeys,
    settings,
    sharing,
    statistics,
    twofactor,
)
from mockserver.stub.behaviour.calls import Handler

#: By handler and role of `x-mockserver-behaviour`.
HANDLERS: Mapping[tuple[str, str], Handler] = {
    **settings.HANDLERS,
    **logins.HANDLERS,
    **twofactor.HANDLERS,
    **passkeys.HANDLERS,
    **accounts.HANDLERS,
    **domains.HANDLERS,
    **addresses.HANDLERS,
    **antispam.HANDLERS,
    **migration.HANDLERS,
    **sharing.HANDLERS,
    **filtering.HANDLERS,
    **statistics.HANDLERS,
}
