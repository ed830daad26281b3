"""Whether a SQLite file holds the state of a contract in the form that this version reads and writes.

A file says so itself: `PRAGMA user_version` is the version of the form, and the table `mockserver_about` has the title
of the contract. A file without both was written before they were introduced; its form is the first.
"""

from __future__ import annotations

import sqlite3

from mockserver.errors import StateError
from mockserver.http import json

#: Version of the form of the state; another one is refused, because nobody would notice what it means.
VERSION = 1

_ABOUT = "CREATE TABLE IF NOT EXISTS mockserver_about (name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name))"
_COLUMNS = {
    "mockserver_worlds": ("name",),
    "mockserver_records": ("world", "collection", "key", "record"),
    "mockserver_about": ("name", "value"),
}
_CONTRACT = "contract"
#: A record that is no JSON object, or an item's that has none of the members by which it is read.
_BROKEN = (
    "SELECT world, collection, key FROM mockserver_records WHERE CASE WHEN NOT json_valid(record) THEN 1"
    " WHEN json_type(record) <> 'object' THEN 1 WHEN collection NOT LIKE 'resource:%' THEN 0"
    " ELSE coalesce(json_type(record, '$.item'), json_type(record, '$.gone'), json_type(record, '$.at'),"
    " json_type(record, '$.value')) IS NULL END LIMIT 1"
)


def check_state(connection: sqlite3.Connection, url: str, contract: str) -> None:
    """Raise StateError if a file is not the state of a contract in this version's form; a new file is marked so.

    Args:
        connection: to the file, in a transaction, with the tables of records and worlds.
        url: of the file, for messages.
        contract: title of the contract, "" for any.

    Raises:
        StateError: it is the state of another version or contract, or broken; the message has a remedy.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, VERSION):
        raise StateError(
            f"--state {url}: the state has version {version}, and this mockserver reads version {VERSION}; "
            "use the mockserver that wrote it, another file, or delete this one"
        )
    connection.execute(_ABOUT)
    for table, columns in _COLUMNS.items():
        found = tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
        if found != columns:
            raise StateError(
                f"--state {url}: the table {table} has the columns {', '.join(found)}, not {', '.join(columns)}: "
                "it was written by another version or program; use another file, or delete this one"
            )
    known = connection.execute("SELECT value FROM mockserver_about WHERE name = ?", (_CONTRACT,)).fetchone()
    if known is not None and contract and known[0] != contract:
        raise StateError(
            f"--state {url}: it is the state of the contract {json.text(known[0])}, not of {json.text(contract)}; "
            "use another file, or delete this one"
        )
    broken = connection.execute(_BROKEN).fetchone()
    if broken is not None:
        world, collection, key = broken
        raise StateError(
            f"--state {url}: the record {json.text(key)} of {json.text(collection)} in the world {json.text(world)} "
            "cannot be read; restore the file from a copy, or delete it"
        )
    if version != VERSION:
        connection.execute(f"PRAGMA user_version = {VERSION}")
    if known is None and contract:
        connection.execute("INSERT INTO mockserver_about (name, value) VALUES (?, ?)", (_CONTRACT, contract))
