"""Schema of seed data files: the engine's sections, and those that an API adds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jsonschema_rs

from mockserver.http import json
from mockserver.plugins.account_records import ACCOUNTS
from mockserver.plugins.plugin import Plugin, Section

SCHEMA_FILE = Path(__file__).parent / "seed.schema.json"
_ISSUE, _RESOURCES, _OVERLAYS = "issue", "resources", "overlays"


class SeedFormat:
    """Sections, keys, defaults and JSON Schema of the seed data of one API, or of contracts without one.

    Attributes:
        sections: those of the API, `accounts` among them where it says more of accounts.
        keys: for each section that is a list, the members that identify an item; no two items have the same.
        schema: of a whole file.
    """

    def __init__(self, api: Plugin | None = None) -> None:
        self.sections: tuple[Section, ...] = () if api is None else api.sections
        self.keys: Mapping[str, tuple[str, ...]] = {
            ACCOUNTS: ("username",),
            **{section.name: section.key for section in self.sections if section.key},
        }
        self.schema = _with_api(json.decode(SCHEMA_FILE.read_bytes()), api)
        #: Names of all sections.
        self.names = self.schema["properties"].keys() - {_OVERLAYS}

    @cached_property
    def validator(self) -> Any:
        """Validator of seed data files against their JSON Schema."""
        return jsonschema_rs.validator_for(self.schema)

    @cached_property
    def defaults(self) -> Mapping[str, Mapping[str, Any]]:
        """Default values of the members of seed data items, for each section.

        Accounts have none: for some contracts it matters that a member is absent, and its reader knows the default.
        """
        found: dict[str, Mapping[str, Any]] = {ACCOUNTS: {}}
        return found | {
            section: {
                name: member["default"]
                for name, member in self.schema["$defs"][section]["items"]["properties"].items()
                if "default" in member
            }
            for section in self.keys
            if section != ACCOUNTS
        }

    @property
    def account_references(self) -> frozenset[str]:
        """Names of account members in seed data whose values must name something else in the file."""
        found = (section.references for section in self.sections if section.name == ACCOUNTS)
        return frozenset({"owns"}.union(*found))


@cache
def format_of(api: Plugin | None) -> SeedFormat:
    """Return the format of seed data (SeedFormat) of an API, or of contracts without one."""
    return SeedFormat(api)


def _with_api(schema: dict[str, Any], api: Plugin | None) -> dict[str, Any]:
    """Return the engine's JSON Schema of seed data extended by the sections of an API."""
    if api is None or api.seed_schema is None:
        return schema
    added: dict[str, Any] = json.decode(api.seed_schema.read_bytes())["properties"]
    definitions = schema["$defs"]
    if ACCOUNTS in added:
        definitions[ACCOUNTS]["items"]["properties"] |= added.pop(ACCOUNTS)["items"]["properties"]
    definitions[_ISSUE] |= added.pop(_ISSUE, {})
    definitions |= added
    overlays = schema["properties"][_OVERLAYS]
    names = (ACCOUNTS, _ISSUE, *added, _RESOURCES)
    references = {name: {"$ref": f"#/$defs/{name}"} for name in names}
    overlays["additionalProperties"]["properties"] = references
    schema["properties"] = {**references, _OVERLAYS: overlays}
    return schema
