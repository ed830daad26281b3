"""Registry of all classes of mutants, and the mutants that no client can distinguish from the clean stub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockserver.contract.model import Contract
from mockserver.contract.roles import ISSUE
from mockserver.selftest.catalogue import Mutant, MutantClass, mutants_of
from mockserver.selftest.mutants.access.open_doors import DOORS
from mockserver.selftest.mutants.broken_logins import LOGINS
from mockserver.selftest.mutants.crashes import CRASHES
from mockserver.selftest.mutants.foreign_objects import OBJECTS
from mockserver.selftest.mutants.leaked_secrets import LEAKS
from mockserver.selftest.mutants.lost_writes import MEMORY
from mockserver.selftest.mutants.state.lost_items import ITEMS
from mockserver.selftest.mutants.state.written_items import WRITES
from mockserver.selftest.mutants.stray_effects import TRACES
from mockserver.selftest.mutants.wrong_bounds import BOUNDS
from mockserver.selftest.mutants.wrong_content import CONTENT
from mockserver.selftest.mutants.wrong_credentials import CREDENTIALS
from mockserver.selftest.mutants.wrong_requests import REQUESTS
from mockserver.selftest.mutants.wrong_routes import ROUTES
from mockserver.selftest.mutants.wrong_shapes import SHAPE
from mockserver.selftest.mutants.wrong_statuses import STATUSES
from mockserver.selftest.mutants.wrong_values import VALUES
from mockserver.selftest.mutated_operation import subjects
from mockserver.stub.store.seed import Account

_THEMES = (
    SHAPE,
    CONTENT,
    STATUSES,
    VALUES,
    MEMORY,
    TRACES,
    ITEMS,
    WRITES,
    CREDENTIALS,
    DOORS,
    OBJECTS,
    LOGINS,
    LEAKS,
    REQUESTS,
    BOUNDS,
    CRASHES,
    ROUTES,
)

CLASSES: Mapping[str, MutantClass] = {name: kind for theme in _THEMES for name, kind in theme.classes.items()}


def all_mutants(contract: Contract, accounts: Mapping[str, Account]) -> Iterator[Mutant]:
    """Yield the mutants of all classes at all operations to which they apply."""
    found = subjects(contract, accounts)
    for kind in CLASSES.values():
        yield from mutants_of(kind, found)


_NOBODY = (
    "no account has a name or password of that length, so the login is refused either way: with 422 by the limit, "
    "with 401 without it"
)
#: Class and role of the operation to the reason.
EQUIVALENT: Mapping[tuple[str, str], str] = {
    ("upper_bound_off_by_one", ISSUE): _NOBODY,
    ("lower_bound_off_by_one", ISSUE): _NOBODY,
}
