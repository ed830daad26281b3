"""The sections of seed data as the records that behaviours find in the store (docs/seed-data.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mockserver.plugins.account_records import ACCOUNTS
from mockserver.plugins.plugin import Section
from mockserver.plugins.transactions import Record

#: Collections of the items of any contract's resources (resources.py).
RESOURCE_PREFIX = "resource:"


def records(sections: Mapping[str, Any], api: Iterable[Section]) -> dict[str, dict[str, Record]]:
    """Return the records of all sections but those of accounts and secrets, by collection and key.

    Args:
        sections: of a file, every item written out.
        api: what the API says of its own sections.
    """
    found = {
        section.name: _records(section, sections[section.name])
        for section in api
        if section.name in sections and section.name != ACCOUNTS
    }
    for path, items in sections.get("resources", {}).items():
        found[RESOURCE_PREFIX + path] = {key: {"item": item} for key, item in items.items()}
    return found


def _records(section: Section, content: Any) -> dict[str, Record]:
    """Return the records of one section by key: a record's key is what names the item, with slashes between."""
    if section.records is not None:
        return dict(section.records(content))
    found = {"/".join(str(item[name]) for name in section.key): section.record(item) for item in content}
    if section.numbered:
        found = {key: {**record, "number": number} for number, (key, record) in enumerate(found.items(), start=1)}
    return found
