"""The store as behaviours see it: records by collection and key, read and written within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

#: A JSON value; never changed in place, a change puts a new one.
Record = dict[str, Any]
#: Collection and key to record, or None.
Read = Callable[[str, str], Record | None]

#: The engine's own collections beside those of accounts and tokens (account_records.py): settings by their `resource`,
#: and clock and counters of a world.
SETTINGS = "settings"
WORLD = "world"


class Transaction(Protocol):
    """Reads and writes on the records of one world that take effect together or not at all."""

    def get(self, collection: str, key: str) -> Record | None:
        """Return the record of a collection under a key, None if there is none."""

    def items(self, collection: str) -> Mapping[str, Record]:
        """Return all records of a collection by key, in the present state of the transaction."""

    def put(self, collection: str, key: str, record: Record) -> None:
        """Create or replace a record, which the caller must not change afterwards."""

    def delete(self, collection: str, key: str) -> None:
        """Delete a record; do nothing if there is none."""
