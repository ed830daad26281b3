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

#: Names below `/__mock__/` that are the engine's own (docs/stub.md, `Control API`).
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
        known: takes all sections of a file, and returns a function that tells whether a name exists there.
        remedy: message about a name that does not exist, without the name itself, which precedes it.
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

    The section `accounts` is the engine's; an API may add references for its members (`references`).

    Attributes:
        name: name of the section and of the collection.
        key: members that identify an item; their values, joined by slashes, are the record's key. Empty if the
            section is a mapping and not a list.
        references: rules for members whose values, or items of a list, must be names in the file.
        record: returns the record of an item.
        records: returns all records, by key, of a section that is a mapping.
        numbered: the record gets a member `number`, its position in the list, since stores do not keep the order.
        public: `/__mock__/state` shows the records, as nothing in them is secret.
    """

    name: str
    key: tuple[str, ...] = ()
    references: Mapping[str, Reference] = field(default_factory=dict)
    record: Callable[[Item], Record] = dict
    records: Callable[[Any], Mapping[str, Record]] | None = None
    numbered: bool = False
    public: bool = False


class ControlCall(NamedTuple):
    """One call of a control API route, with its transaction, decoded content, query and path values.

    Attributes:
        transaction: transaction on the world that the request selects.
        world: name of that world.
        now: UNIX time in seconds on the world's clock.
        content: decoded JSON content of the request, `NO_CONTENT` if there is none.
        query: query parameters by name.
        path: path values by parameter name.
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
        method: the HTTP method in upper case.
        path: path below `/__mock__/NAME`, with a leading slash; `{name}` is a parameter.
        answer: returns the JSON content of the response, 200; raises RequestRejected.
        formerly: former path below `/__mock__/`, which still works, with a `Deprecation` field.
        deprecated: UNIX time in seconds since when the former path is deprecated.
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
        name: the name of its entry point; lower case letters, digits and dashes.
        contract: path of its OpenAPI file.
        seed_data: YAML file of the seed data for a stub that serves the API by its name.
        seed_schema: JSON Schema file whose `properties` are its sections of seed data, without `overlays`. `accounts`
            adds members of accounts to those of the engine, `issue` limits the secrets of each purpose.
        sections: how items of its sections become records.
        behaviours: functions registered by `@behaviour`, or modules that contain them.
        trusted: handlers of the engine whose responses need no validation with this contract; see `@behaviour`.
        accounts: rules for its accounts.
        routes: its own routes of the control API.
        secret_names: members that journal, log and state mask, besides those with usual names of secrets.
        checks: names of modules with checks for this API, as `--checks-from` takes them.
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
