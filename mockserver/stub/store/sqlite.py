"""Store in a SQLite file (`sqlite:///FILE`), which survives the process and can be shared by several processes.

One table of records; a transaction takes the file's one write lock first (`BEGIN IMMEDIATE`), so that what it reads
stays true until it writes.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from mockserver.errors import StateError
from mockserver.http import json
from mockserver.plugins.transactions import Read, Record, Transaction
from mockserver.stub.store.state_files import check_state
from mockserver.stub.store.store import Fill

#: How long a writer waits for another process' lock before it gives up, in seconds.
LOCK_TIMEOUT_SECONDS = 30
_RETRY_SECONDS = 0.01

_TABLES = (
    "CREATE TABLE IF NOT EXISTS mockserver_worlds (name TEXT NOT NULL, PRIMARY KEY (name))",
    "CREATE TABLE IF NOT EXISTS mockserver_records (world TEXT NOT NULL, collection TEXT NOT NULL, key TEXT NOT NULL,"
    " record TEXT NOT NULL, PRIMARY KEY (world, collection, key))",
)
_GET = "SELECT record FROM mockserver_records WHERE world = ? AND collection = ? AND key = ?"
#: In the order in which they were first put, as in memory.
_ITEMS = "SELECT key, record FROM mockserver_records WHERE world = ? AND collection = ? ORDER BY rowid"
_PUT = (
    "INSERT INTO mockserver_records (world, collection, key, record) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (world, collection, key) DO UPDATE SET record = excluded.record"
)
_DELETE = "DELETE FROM mockserver_records WHERE world = ? AND collection = ? AND key = ?"
_CLEAR = "DELETE FROM mockserver_records WHERE world = ?"
_DUMP = "SELECT collection, key, record FROM mockserver_records WHERE world = ?"
_HAS_WORLD = "SELECT 1 FROM mockserver_worlds WHERE name = ?"
_ADD_WORLD = "INSERT INTO mockserver_worlds (name) VALUES (?)"
_WORLDS = "SELECT name FROM mockserver_worlds ORDER BY name"

_URL = re.compile(r"(?P<driver>[a-z0-9+]+)://(?P<host>[^/]*)(?:/(?P<file>.*))?", re.DOTALL)


class _SqliteTransaction:
    """Records of one world within a database transaction."""

    def __init__(self, connection: sqlite3.Connection, world: str) -> None:
        self._connection = connection
        self._world = world

    def get(self, collection: str, key: str) -> Record | None:
        row = self._connection.execute(_GET, (self._world, collection, key)).fetchone()
        return None if row is None else _record(row[0])

    def items(self, collection: str) -> Mapping[str, Record]:
        return {key: _record(text) for key, text in self._connection.execute(_ITEMS, (self._world, collection))}

    def put(self, collection: str, key: str, record: Record) -> None:
        self._connection.execute(_PUT, (self._world, collection, key, json.encode(record).decode()))

    def delete(self, collection: str, key: str) -> None:
        self._connection.execute(_DELETE, (self._world, collection, key))

    def clear(self) -> None:
        """Delete every record of the world within the database transaction."""
        self._connection.execute(_CLEAR, (self._world,))


class SqliteStore:
    """Store that keeps all state in a SQLite file, shared by several threads and processes."""

    def __init__(self, url: str, contract: str = "") -> None:
        """Open a SQLite file, creating the file and its tables if they are missing.

        Args:
            url: of the file.
            contract: title of the contract whose state the file keeps, "" for any.

        Raises:
            StateError: not a usable URL, no such folder, not a database, not writable, or not the state of this
                contract in the form that this version writes.
        """
        self._url = url
        self._connections = _Connections(_file(url))
        # Threads of this process queue here, fairly, instead of polling for SQLite's lock.
        self._writing = threading.Lock()
        try:
            with self._begin() as connection:
                for table in _TABLES:
                    connection.execute(table)
                check_state(connection, url, contract)
        except StateError:
            self.close()
            raise

    def open_world(self, world: str, fill: Fill) -> None:
        if self.has_world(world):
            return
        with self._begin() as connection:
            if connection.execute(_HAS_WORLD, (world,)).fetchone() is None:  # another process may have been faster
                connection.execute(_ADD_WORLD, (world,))
                fill(_SqliteTransaction(connection, world))

    def has_world(self, world: str) -> bool:
        return bool(self._query(_HAS_WORLD, world))

    def worlds(self) -> list[str]:
        return [name for (name,) in self._query(_WORLDS)]

    @contextmanager
    def transaction(self, world: str) -> Iterator[Transaction]:
        with self._begin() as connection:
            yield _SqliteTransaction(connection, world)

    def reader(self, world: str) -> Read:
        def read(collection: str, key: str) -> Record | None:
            rows = self._query(_GET, world, collection, key)
            return _record(rows[0][0]) if rows else None

        return read

    def dump(self, world: str) -> dict[str, dict[str, Record]]:
        found: dict[str, dict[str, Record]] = {}
        for collection, key, text in self._query(_DUMP, world):
            found.setdefault(collection, {})[key] = _record(text)
        return found

    def reset(self, world: str, fill: Fill) -> None:
        with self._begin() as connection:
            transaction = _SqliteTransaction(connection, world)
            transaction.clear()
            fill(transaction)

    def drop(self, world: str, fill: Fill) -> None:
        # Other processes that have it open do not ask for it again, and must not find it without its seed data.
        self.reset(world, fill)

    def close(self) -> None:
        self._connections.close()

    @contextmanager
    def _begin(self) -> Iterator[sqlite3.Connection]:
        """Yield a database connection within a transaction, which any exception rolls back."""
        with self._writing, self._translated(), self._connections.lent() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    def _query(self, statement: str, *values: str) -> list[Any]:
        """Return the rows of a single SQL query, which needs no transaction to see a consistent state."""
        with self._translated(), self._connections.lent() as connection:
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn exceptions of SQLite into StateError."""
        try:
            yield
        except sqlite3.Error as error:
            raise StateError(f"--state {self._url}: {error}; check that the file can be written") from error


class _Connections:
    """Pool of connections to a SQLite file, each used by one thread at a time."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._idle: list[sqlite3.Connection] = []
        self._inode = 0

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        if self._inode and self._inode != _inode(self._file):
            # SQLite would go on writing to a file that has no name any more, and every change would be lost.
            raise sqlite3.OperationalError("the file was taken away or replaced; put it back, or start again")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _connect(self._file)
        self._inode = self._inode or _inode(self._file)
        try:
            yield connection
        finally:
            self._idle.append(connection)

    def close(self) -> None:
        """Close all idle connections to the SQLite file."""
        while self._idle:
            self._idle.pop().close()


def _inode(file: str) -> int:
    try:
        return os.stat(file).st_ino  # noqa: PTH116 - a Path costs as much as the call
    except OSError:
        return -1


def _connect(file: str) -> sqlite3.Connection:
    # Without an isolation level transactions begin and end where this module says so, and nowhere else.
    connection = sqlite3.connect(file, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _use_write_ahead_log(connection)
        # With NORMAL an acknowledged write outlives the process, if not a power failure; that is what a stub needs, at
        # a tenth of the cost.
        connection.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the database to a write-ahead log, so that readers do not wait for the writer."""
    pause = threading.Event()
    for _ in range(int(LOCK_TIMEOUT_SECONDS / _RETRY_SECONDS)):
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            # SQLite gives this one statement no busy timeout when several processes start on a new file.
            if "locked" not in str(error):
                raise
            pause.wait(_RETRY_SECONDS)
        else:
            return
    raise sqlite3.OperationalError("database is locked by another process")


def _record(text: str) -> Record:
    try:
        record: Record = json.decode(text.encode())
    except ValueError as error:
        raise sqlite3.DatabaseError(f"a record cannot be read: {error}; restore the file, or delete it") from error
    return record


def _file(url: str) -> str:
    """Return the path of the file that a `sqlite:///` URL names.

    Raises:
        StateError: none, or the URL is not one of SQLite; the message does not show a password.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise StateError(f"--state {json.text(url)} is not a URL; use memory or sqlite:///FILE")
    if found["driver"] not in ("sqlite", "sqlite+pysqlite"):
        raise StateError(f"--state {found['driver']}: is not supported; use memory or sqlite:///FILE")
    file = unquote(found["file"] or "")
    if found["host"] or not file or file == ":memory:":
        raise StateError("--state sqlite: needs a file (sqlite:///FILE); for state in memory leave --state out")
    if "?" in (found["file"] or ""):
        raise StateError(f"--state {url}: options after ? are not supported; write sqlite:///FILE")
    return file
