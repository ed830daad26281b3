"""A store in a SQL database, over SQLAlchemy: `sqlite:///FILE` outlives `kill -9` of the stub.

One table of records; a transaction takes the world's write lock first, so that what it reads stays true until it
writes. For SQLite that is the file's one write lock (`BEGIN IMMEDIATE`).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from mockserver.errors import StateError
from mockserver.http import json as documents
from mockserver.plugins.transactions import Read, Record, Transaction
from mockserver.stub.store.store import Fill

#: How long a writer waits for another process' lock before it gives up, in seconds.
LOCK_TIMEOUT_SECONDS = 30
_RETRY_SECONDS = 0.01

_META = sa.MetaData()
_WORLDS = sa.Table("mockserver_worlds", _META, sa.Column("name", sa.Text, primary_key=True))
_RECORDS = sa.Table(
    "mockserver_records",
    _META,
    sa.Column("world", sa.Text, primary_key=True),
    sa.Column("collection", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)


def _of(world: str, collection: str, key: str | None = None) -> sa.ColumnElement[bool]:
    found = (_RECORDS.c.world == world) & (_RECORDS.c.collection == collection)
    return found if key is None else found & (_RECORDS.c.key == key)


class _SqlTransaction:
    """One world within a database transaction."""

    def __init__(self, connection: sa.Connection, world: str) -> None:
        self._connection = connection
        self._world = world

    def get(self, collection: str, key: str) -> Record | None:
        query = sa.select(_RECORDS.c.record).where(_of(self._world, collection, key))
        text = self._connection.execute(query).scalar()
        return None if text is None else _record(text)

    def items(self, collection: str) -> Mapping[str, Record]:
        query = sa.select(_RECORDS.c.key, _RECORDS.c.record).where(_of(self._world, collection))
        return {key: _record(text) for key, text in self._connection.execute(query)}

    def put(self, collection: str, key: str, record: Record) -> None:
        text = documents.encode(record).decode()
        changed = self._connection.execute(
            sa.update(_RECORDS).where(_of(self._world, collection, key)).values(record=text)
        )
        if changed.rowcount == 0:
            self._connection.execute(
                sa.insert(_RECORDS).values(world=self._world, collection=collection, key=key, record=text)
            )

    def delete(self, collection: str, key: str) -> None:
        self._connection.execute(sa.delete(_RECORDS).where(_of(self._world, collection, key)))

    def clear(self) -> None:
        """Remove every record of the world."""
        self._connection.execute(sa.delete(_RECORDS).where(_RECORDS.c.world == self._world))


class SqlStore:
    """Keeps state in a database that several threads and processes share."""

    def __init__(self, url: str) -> None:
        """Open the database, creating its tables where they are missing.

        Raises:
            StateError: not a usable URL, no such folder, not a database, or not writable.
        """
        self._engine = _engine(url)
        self._shown = self._engine.url.render_as_string(hide_password=True)
        # Threads of this process queue here, fairly, instead of polling for SQLite's lock.
        self._writing = threading.Lock()
        with self._translated(), self._engine.begin() as connection:
            _META.create_all(connection)

    def open_world(self, world: str, fill: Fill) -> None:
        if self.has_world(world):
            return
        with self._begin(world) as transaction:
            found = transaction._connection.execute(sa.select(_WORLDS).where(_WORLDS.c.name == world)).first()
            if found is None:  # another process may have been faster
                transaction._connection.execute(sa.insert(_WORLDS).values(name=world))
                fill(transaction)

    def has_world(self, world: str) -> bool:
        return self._query(sa.select(_WORLDS).where(_WORLDS.c.name == world), lambda rows: rows.first()) is not None

    def worlds(self) -> list[str]:
        names: list[str] = self._query(
            sa.select(_WORLDS.c.name).order_by(_WORLDS.c.name), lambda rows: list(rows.scalars())
        )
        return names

    @contextmanager
    def transaction(self, world: str) -> Iterator[Transaction]:
        with self._begin(world) as transaction:
            yield transaction

    def reader(self, world: str) -> Read:
        def read(collection: str, key: str) -> Record | None:
            query = sa.select(_RECORDS.c.record).where(_of(world, collection, key))
            text = self._query(query, lambda rows: rows.scalar())
            return None if text is None else _record(text)

        return read

    def dump(self, world: str) -> dict[str, dict[str, Record]]:
        query = sa.select(_RECORDS.c.collection, _RECORDS.c.key, _RECORDS.c.record).where(_RECORDS.c.world == world)
        found: dict[str, dict[str, Record]] = {}
        for collection, key, text in self._query(query, lambda rows: rows.all()):
            found.setdefault(collection, {})[key] = _record(text)
        return found

    def reset(self, world: str, fill: Fill) -> None:
        with self._begin(world) as transaction:
            transaction.clear()
            fill(transaction)

    def drop(self, world: str, fill: Fill) -> None:
        # Other processes that have it open do not ask for it again, and must not find it without its seed data.
        self.reset(world, fill)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _begin(self, world: str) -> Iterator[_SqlTransaction]:
        with self._writing, self._translated(), self._engine.begin() as connection:
            yield _SqlTransaction(connection, world)

    def _query(self, query: sa.Select[Any], take: Callable[[sa.Result[Any]], Any]) -> Any:
        with self._translated(), self._engine.connect() as connection:
            return take(connection.execution_options(mockserver_read_only=True).execute(query))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the database's exceptions into ours, so that no other module knows SQLAlchemy."""
        try:
            yield
        except SQLAlchemyError as error:
            reason = error.orig if isinstance(error, DBAPIError) and error.orig else error
            raise StateError(f"--state {self._shown}: {reason}; check that the file can be written") from error


def _record(text: str) -> Record:
    record: Record = documents.decode(text.encode())
    return record


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
    except SQLAlchemyError as error:
        raise StateError(f"--state {url!r} is not a URL; use memory or sqlite:///FILE") from error
    if parsed.get_backend_name() != "sqlite":
        raise StateError(f"--state {parsed.drivername}: is not supported; use memory or sqlite:///FILE")
    if not parsed.database or parsed.database == ":memory:":
        raise StateError("--state sqlite: needs a file (sqlite:///FILE); for state in memory leave --state out")
    engine = sa.create_engine(parsed, connect_args={"timeout": LOCK_TIMEOUT_SECONDS})
    sa.event.listen(engine, "connect", _on_connect)
    sa.event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    # SQLAlchemy shall emit BEGIN, not the driver (SQLAlchemy's SQLite page, "Serializable isolation").
    connection.isolation_level = None
    _use_write_ahead_log(connection)
    # With NORMAL an acknowledged write outlives the process, if not a power failure; that is what a stub needs, at a
    # tenth of the cost.
    connection.execute("PRAGMA synchronous=NORMAL")


def _use_write_ahead_log(connection: Any) -> None:
    """Let readers go on beside the writer; the file remembers it, so only its first connections change anything."""
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


def _on_begin(connection: sa.Connection) -> None:
    read_only = connection.get_execution_options().get("mockserver_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
