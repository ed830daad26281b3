"""The `Plugin` class: what a package defines under an entry point of the group `mockserver.apis`, and its parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from mockserver.http import json
from mockserver.plugins.calls import AccountRules, Handler
from mockserver.plugins.transactions import Record, Transaction

#: Names below `/__mock__/` that are the engine's own (DESIGN, section 5).
RESERVED = frozenset(
    {
        *("health", "state", "journal", "overrides", "clock", "world", "worlds", "examples", "contract"),
        *("contract.json", "reset", "docs", "coverage", "ui"),
    }
)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")

#: Sections of a seed data file by name, every item written out.
Sections = Mapping[str, Any]
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reference:
    """Rule for a member of seed data whose value must be the name of something else in the same file.

    Attributes:
        known: takes all sections of a file, and gives what tells whether a name leads somewhere there.
        remedy: what is wrong with a name that leads nowhere, and what to do; it follows the name in a message.
    """

    known: Callable[[Sections], Callable[[str], bool]]
    remedy: str


#: The name of an account of the file.
ACCOUNT = Reference(
    lambda sections: {item["username"] for item in sections.get("accounts", ())}.__contains__,
    "is not an account; add it to `accounts`, or correct the name",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of a seed data file: a list of items that become records of the store's collection of the same name.

    The section `accounts` is the engine's; an API may say there what members lead to (`references`).

    Attributes:
        name: of the section, and of the collection.
        key: members that say which item it is, and, with slashes between, make the record's key; none where the
            section is a mapping and not a list.
        references: what members have to name, single ones or all of a list.
        record: makes the record of an item.
        records: makes all records by key of a section that is a mapping.
        numbered: the record's member `number` counts the items, for a store may give records back in another order.
        public: nothing in it is secret, so `/__mock__/state` shows it.
    """

    name: str
    key: tuple[str, ...] = ()
    references: Mapping[str, Reference] = field(default_factory=dict)
    record: Callable[[Item], Record] = dict
    records: Callable[[Any], Mapping[str, Record]] | None = None
    numbered: bool = False
    public: bool = False


class ControlCall(NamedTuple):
    """One call of a control API route, authorised and decoded.

    Attributes:
        transaction: on the world that the request selects.
        world: its name.
        now: UNIX time in seconds on its clock.
        content: decoded JSON content of the request, `NO_CONTENT` without.
        query: parameters of the query.
        path: values of the path's parameters.
    """

    transaction: Transaction
    world: str
    now: float
    content: Any
    query: Mapping[str, str]
    path: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRoute:
    """A route that an API adds to the control API, below `/__mock__/NAME/`.

    Attributes:
        method: upper case.
        path: begins with a slash; `{name}` is a parameter.
        answer: gives the JSON value to answer with, 200; raises RequestRejected.
        formerly: path below `/__mock__/` at which the route was before, and still is, with a `Deprecation` field.
        deprecated: UNIX time in seconds since when that is so.
    """

    method: str
    path: str
    answer: Callable[[ControlCall], Any]
    formerly: str = ""
    deprecated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plugin:
    """An API that mockserver serves and checks by name: `--api NAME`, or `x-mockserver-api: NAME` in a contract.

    Attributes:
        name: that of its entry point; lower case letters, digits and dashes.
        contract: its OpenAPI file.
        seed_data: what a new store starts with (YAML), where the API is served by name.
        seed_schema: JSON Schema file whose `properties` are its sections of seed data, those of `overlays` left out.
            `accounts` names members that accounts have besides the engine's, `issue` limits secrets by purpose.
        sections: what becomes of its sections.
        behaviours: modules whose functions have `@behaviour`, or such functions.
        trusted: handlers of the engine whose answers are known to be what this contract says; see `@behaviour`.
        accounts: what is special about its accounts.
        routes: its own part of the control API.
        secret_names: members that journal, log and state mask, beside those whose names speak of a secret.
        checks: names of modules with checks of its own, as `--checks-from` takes them.
    """

    name: str
    contract: Path
    seed_data: Path | None = None
    seed_schema: Path | None = None
    sections: tuple[Section, ...] = ()
    behaviours: Iterable[ModuleType | Handler] = ()
    trusted: frozenset[str] = frozenset()
    accounts: AccountRules = field(default_factory=AccountRules)
    routes: tuple[ControlRoute, ...] = ()
    secret_names: frozenset[str] = frozenset()
    checks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in RESERVED:
            raise ValueError(
                f"{json.text(self.name)} cannot be the name of an API: use lower case letters, digits and dashes, "
                "and no reserved name"
            )
