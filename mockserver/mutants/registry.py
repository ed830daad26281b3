"""All classes by name, and all mutants of a contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockserver.behaviour.seeding import Account
from mockserver.contract.model import Contract
from mockserver.mutants.bounds import BOUNDS
from mockserver.mutants.catalogue import Mutant, MutantClass, mutants_of
from mockserver.mutants.content import CONTENT
from mockserver.mutants.crashes import CRASHES
from mockserver.mutants.credentials import CREDENTIALS
from mockserver.mutants.leaks import LEAKS
from mockserver.mutants.logins import LOGINS
from mockserver.mutants.memory import MEMORY
from mockserver.mutants.objects import OBJECTS
from mockserver.mutants.requests import REQUESTS
from mockserver.mutants.routes import ROUTES
from mockserver.mutants.shape import SHAPE
from mockserver.mutants.statuses import STATUSES
from mockserver.mutants.subject import subjects
from mockserver.mutants.traces import TRACES
from mockserver.mutants.values import VALUES

_THEMES = (
    SHAPE,
    CONTENT,
    STATUSES,
    VALUES,
    MEMORY,
    TRACES,
    CREDENTIALS,
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
    """Yield every class at every operation that it applies to, in the order of the classes."""
    found = subjects(contract, accounts)
    for kind in CLASSES.values():
        yield from mutants_of(kind, found)
