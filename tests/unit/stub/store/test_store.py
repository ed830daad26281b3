"""One test suite for all stores."""

from __future__ import annotations

import gc
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mockserver.errors import StateError, UsageError
from mockserver.plugins.transactions import Transaction
from mockserver.stub.store.memory import MemoryStore
from mockserver.stub.store.sqlite import SqliteStore
from mockserver.stub.store.store import Store
from mockserver.stub.store.worlds import open_store

OpenStore = Callable[[], Store]


def _fill(transaction: Transaction) -> None:
    transaction.put("accounts", "admin", {"level": "MasterAdmin"})


def _fill_nothing(_transaction: Transaction) -> None:
    pass


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = MemoryStore() if request.param == "memory" else SqliteStore(f"sqlite:///{tmp_path / 'state.db'}")
    opened.open_world("w", _fill)
    yield opened
    opened.close()


def _run(*works: Callable[[], None]) -> None:
    """Run all at once, each in a thread; what any raises is raised here."""
    raised: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the test's thread
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "a deadlock"
    if raised:
        raise raised[0]


def test_a_new_world_is_filled_once(store: Store) -> None:
    calls: list[int] = []

    def fill(transaction: Transaction) -> None:
        calls.append(1)
        _fill(transaction)

    for _ in range(3):
        store.open_world("new", fill)
    assert calls == [1]
    assert store.has_world("new")
    assert not store.has_world("other")
    assert store.worlds() == ["new", "w"]
    assert store.dump("new") == {"accounts": {"admin": {"level": "MasterAdmin"}}}


def test_a_world_whose_filling_fails_does_not_exist(store: Store) -> None:
    def fill(transaction: Transaction) -> None:
        _fill(transaction)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.open_world("new", fill)
    assert not store.has_world("new")
    store.open_world("new", _fill_nothing)
    assert store.dump("new") == {}


def test_put_get_delete(store: Store) -> None:
    with store.transaction("w") as transaction:
        assert transaction.get("settings", "a") is None
        transaction.delete("settings", "a")
        transaction.put("settings", "a", {"n": 1})
        assert transaction.get("settings", "a") == {"n": 1}
        transaction.put("settings", "a", {"n": 2})
        transaction.put("settings", "b", {"n": 3})
        assert transaction.items("settings") == {"a": {"n": 2}, "b": {"n": 3}}
    assert store.reader("w")("settings", "a") == {"n": 2}
    with store.transaction("w") as transaction:
        transaction.delete("settings", "a")
        assert transaction.get("settings", "a") is None
    assert store.reader("w")("settings", "a") is None
    assert store.reader("w")("nothing", "a") is None


@pytest.mark.parametrize(
    "key", ["", " ", "ä", "😀", "a/b", "'; DROP TABLE mockserver_records; --", "%", "A", "a\0b", "x" * 5000]
)
def test_any_text_is_a_key(store: Store, key: str) -> None:
    with store.transaction("w") as transaction:
        transaction.put("settings", key, {"key": key})
        transaction.put("settings", "other", {})
    assert store.reader("w")("settings", key) == {"key": key}
    assert store.dump("w")["settings"] == {key: {"key": key}, "other": {}}
    with store.transaction("w") as transaction:
        transaction.delete("settings", key)
    assert store.dump("w")["settings"] == {"other": {}}


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        2**64,
        10**300,
        0.1,
        5e-324,
        1e308,
        "",
        "\0",
        "\u2028😀",
        [],
        {},
        [[{"a": [None]}]],
        "x" * 100_000,
    ],
)
def test_any_value_comes_back_as_it_was(store: Store, value: Any) -> None:
    with store.transaction("w") as transaction:
        transaction.put("settings", "a", {"value": value})
    found = store.reader("w")("settings", "a")
    assert found == {"value": value}
    assert repr(found) == repr({"value": value})


def test_an_exception_undoes_everything(store: Store) -> None:
    with store.transaction("w") as transaction:
        transaction.put("settings", "kept", {"n": 1})
        transaction.put("settings", "replaced", {"n": 1})
    before = store.dump("w")
    with pytest.raises(KeyError, match="fault"), store.transaction("w") as transaction:  # noqa: PT012 - what leads to it is the point
        transaction.put("settings", "new", {"n": 2})
        transaction.put("settings", "new", {"n": 3})
        transaction.put("settings", "replaced", {"n": 2})
        transaction.delete("settings", "replaced")
        transaction.put("settings", "replaced", {"n": 4})
        transaction.delete("settings", "kept")
        transaction.delete("accounts", "admin")
        transaction.put("other", "x", {})
        raise KeyError("fault")
    after = store.dump("w")
    assert {name: records for name, records in after.items() if records} == before
    # And the store goes on.
    with store.transaction("w") as transaction:
        transaction.put("settings", "kept", {"n": 5})
    assert store.reader("w")("settings", "kept") == {"n": 5}


def test_even_an_exit_undoes_everything(store: Store) -> None:
    with pytest.raises(SystemExit), store.transaction("w") as transaction:  # noqa: PT012 - what leads to it is the point
        transaction.put("settings", "a", {})
        raise SystemExit
    assert store.reader("w")("settings", "a") is None


def test_worlds_do_not_see_each_other(store: Store) -> None:
    store.open_world("v", _fill)
    with store.transaction("w") as transaction:
        transaction.put("settings", "a", {"n": 1})
        transaction.delete("accounts", "admin")
    assert store.dump("v") == {"accounts": {"admin": {"level": "MasterAdmin"}}}
    with store.transaction("v") as transaction:
        assert transaction.get("settings", "a") is None
        assert transaction.items("settings") == {}
    store.reset("v", _fill_nothing)
    assert store.reader("w")("settings", "a") == {"n": 1}


def test_reset_puts_back_the_start(store: Store) -> None:
    with store.transaction("w") as transaction:
        transaction.put("settings", "a", {"n": 1})
        transaction.put("accounts", "admin", {"level": "none"})
    store.reset("w", _fill)
    dumped = {name: records for name, records in store.dump("w").items() if records}
    assert dumped == {"accounts": {"admin": {"level": "MasterAdmin"}}}


def test_a_world_that_is_dropped_starts_anew(store: Store) -> None:
    with store.transaction("w") as transaction:
        transaction.put("settings", "a", {"n": 1})
    store.drop("w", _fill)
    store.open_world("w", _fill)
    dumped = {name: records for name, records in store.dump("w").items() if records}
    assert dumped == {"accounts": {"admin": {"level": "MasterAdmin"}}}


def test_a_world_can_be_dropped_during_a_transaction_on_it(store: Store) -> None:
    reader = store.reader("w")
    store.drop("w", _fill)
    with store.transaction("w") as transaction:
        transaction.put("settings", "a", {"n": 1})
    assert reader("settings", "b") is None


def test_a_reset_whose_filling_fails_changes_nothing(store: Store) -> None:
    def fill(_transaction: Transaction) -> None:
        raise ValueError("no")

    before = store.dump("w")
    with pytest.raises(ValueError, match="no"):
        store.reset("w", fill)
    assert store.dump("w") == before


def test_what_was_given_out_does_not_change(store: Store) -> None:
    with store.transaction("w") as transaction:
        transaction.put("settings", "a", {"n": 1})
        held = transaction.get("settings", "a")
        listed = transaction.items("settings")
    read = store.reader("w")("settings", "a")
    dumped = store.dump("w")
    with store.transaction("w") as transaction:
        transaction.put("settings", "a", {"n": 2})
        transaction.put("settings", "b", {})
    assert held == read == {"n": 1}
    assert listed == {"a": {"n": 1}}
    assert dumped["settings"] == {"a": {"n": 1}}


def test_no_update_is_lost(store: Store) -> None:
    threads, steps = 8, 25
    together = threading.Barrier(threads)

    def count() -> None:
        together.wait()
        for _ in range(steps):
            with store.transaction("w") as transaction:
                record = transaction.get("settings", "counter") or {"n": 0}
                transaction.put("settings", "counter", {"n": record["n"] + 1})

    _run(*[count] * threads)
    assert store.reader("w")("settings", "counter") == {"n": threads * steps}


def test_no_reader_sees_half_of_a_transaction(store: Store) -> None:
    """Two records always change together; a dump, a transaction and two reads in one must find them alike."""
    done = threading.Event()
    together = threading.Barrier(3)
    with store.transaction("w") as transaction:
        transaction.put("settings", "a", {"n": 0})
        transaction.put("settings", "b", {"n": 0})

    def write() -> None:
        together.wait()
        for number in range(100):
            with store.transaction("w") as transaction:
                transaction.put("settings", "a", {"n": number})
                transaction.put("settings", "b", {"n": number})
        done.set()

    def read_dumps() -> None:
        together.wait()
        while not done.is_set():
            settings = store.dump("w")["settings"]
            assert settings["a"] == settings["b"]

    def read_transactions() -> None:
        together.wait()
        while not done.is_set():
            with store.transaction("w") as transaction:
                assert transaction.get("settings", "a") == transaction.get("settings", "b")

    _run(write, read_dumps, read_transactions)


def test_read_does_not_see_an_open_transaction(store: Store) -> None:
    """What may still be undone has not happened, for any other thread."""
    inside, seen = threading.Event(), threading.Event()
    found: list[Any] = []

    def write() -> None:
        with pytest.raises(KeyError), store.transaction("w") as transaction:  # noqa: PT012 - what leads to it is the point
            transaction.put("settings", "a", {"n": 1})
            transaction.delete("accounts", "admin")
            inside.set()
            seen.wait(120)
            raise KeyError

    def read() -> None:
        inside.wait(120)
        try:
            found.append(store.reader("w")("settings", "a"))
            found.append(store.reader("w")("accounts", "admin"))
        finally:
            seen.set()

    _run(write, read)
    assert found == [None, {"level": "MasterAdmin"}]


def test_read_during_a_reset_finds_the_old_or_the_new(store: Store) -> None:
    """A request in flight must not get 401 because its token is gone for a moment."""
    inside, seen = threading.Event(), threading.Event()
    found: list[Any] = []

    def fill(transaction: Transaction) -> None:
        inside.set()
        seen.wait(120)
        _fill(transaction)

    def read() -> None:
        inside.wait(120)
        try:
            found.append(store.reader("w")("accounts", "admin"))
        finally:
            seen.set()

    _run(lambda: store.reset("w", fill), read)
    assert found == [{"level": "MasterAdmin"}]


def test_a_transaction_in_one_world_does_not_stop_reads_in_another(store: Store) -> None:
    store.open_world("v", _fill)
    with store.transaction("w") as transaction:
        transaction.put("settings", "a", {})
        results: list[Any] = []
        _run(lambda: results.append(store.reader("v")("accounts", "admin")))
        assert results == [{"level": "MasterAdmin"}]


def test_one_world_opened_by_many_at_once_is_filled_once(store: Store) -> None:
    numbers = itertools.count()
    together = threading.Barrier(8)

    def open_world() -> None:
        together.wait()
        store.open_world("new", lambda transaction: transaction.put("n", str(next(numbers)), {}))

    _run(*[open_world] * 8)
    assert store.dump("new") == {"n": {"0": {}}}


class TestSqlite:
    """What only the file can show."""

    def test_everything_is_there_after_reopening(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'state.db'}"
        first = SqliteStore(url)
        first.open_world("w", _fill)
        with first.transaction("w") as transaction:
            transaction.put("settings", "a", {"n": 2**70})
        first.close()
        second = SqliteStore(url)
        second.open_world("w", _fill_nothing)
        assert second.worlds() == ["w"]
        assert second.dump("w") == {
            "accounts": {"admin": {"level": "MasterAdmin"}},
            "settings": {"a": {"n": 2**70}},
        }
        second.close()

    def test_an_acknowledged_write_is_seen_by_another_process_at_once(self, tmp_path: Path) -> None:
        """Two stores on one file stand for two processes."""
        url = f"sqlite:///{tmp_path / 'state.db'}"
        one, two = SqliteStore(url), SqliteStore(url)
        one.open_world("w", _fill)
        two.open_world("w", _fill_nothing)
        for number in range(20):
            with (one, two)[number % 2].transaction("w") as transaction:
                record = transaction.get("settings", "counter") or {"n": 0}
                assert record["n"] == number
                transaction.put("settings", "counter", {"n": number + 1})
            assert two.reader("w")("settings", "counter") == {"n": number + 1}
        one.close()
        two.close()

    def test_no_update_is_lost_between_processes(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'state.db'}"
        stores = [SqliteStore(url) for _ in range(4)]
        together = threading.Barrier(4)

        def count(store: SqliteStore) -> None:
            together.wait()
            store.open_world("w", _fill)
            for _ in range(20):
                with store.transaction("w") as transaction:
                    record = transaction.get("settings", "counter") or {"n": 0}
                    transaction.put("settings", "counter", {"n": record["n"] + 1})

        _run(*[lambda store=store: count(store) for store in stores])
        assert stores[0].reader("w")("settings", "counter") == {"n": 80}
        for store in stores:
            store.close()

    def test_many_open_a_new_file_at_once(self, tmp_path: Path) -> None:
        """Workers start together: none may fail on the others' locks."""
        for attempt in range(5):
            url = f"sqlite:///{tmp_path / f'state-{attempt}.db'}"
            together = threading.Barrier(8)
            opened: list[SqliteStore] = []

            def open_store(url: str = url, together: threading.Barrier = together, into: Any = opened) -> None:
                together.wait()
                store = SqliteStore(url)
                store.open_world("w", _fill)
                into.append(store)

            _run(*[open_store] * 8)
            assert [store.worlds() for store in opened] == [["w"]] * 8
            for store in opened:
                store.close()

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("sqlite:///{folder}/none/state.db", "unable to open"),
            ("sqlite:///{folder}", "unable to open"),
            ("sqlite:///{folder}/text.txt", "not a database"),
            ("sqlite:////dev/full", "/dev/full"),
            ("sqlite:///{folder}/sealed.db", "readonly|read-only|unable"),
            ("sqlite://", "needs a file"),
            ("sqlite:///:memory:", "needs a file"),
            ("sqlite:///", "needs a file"),
            ("sqlite://host/state.db", "needs a file"),
            ("sqlite:///{folder}/state.db?mode=ro", "options"),
            ("sqlite+aiosqlite:///{folder}/state.db", "not supported"),
            ("postgresql://u:hidden-pw@localhost/x", "not supported"),
            ("nonsense", "not a URL"),
            ("", "not a URL"),
            ("memory:", "not a URL"),
            ("sqlite:/x", "URL|file"),
        ],
    )
    def test_what_cannot_be_used_is_told_in_one_line(self, tmp_path: Path, url: str, told: str) -> None:
        (tmp_path / "text.txt").write_text("no database at all\n" * 100)
        sealed = tmp_path / "sealed.db"
        with_tables = SqliteStore(f"sqlite:///{sealed}")
        with_tables.close()
        if "sealed" in url:
            _make_unusable(sealed)
        with pytest.raises(UsageError, match=told) as caught:
            open_store(url.format(folder=tmp_path))
        gc.collect()  # what was left open would be a warning here, and an error
        assert "\n" not in str(caught.value)
        assert "hidden-pw" not in str(caught.value)
        assert "--state" in str(caught.value)

    def test_a_file_that_is_gone_is_an_error_of_state(self, tmp_path: Path) -> None:
        store = SqliteStore(f"sqlite:///{tmp_path / 'state.db'}")
        store.open_world("w", _fill)
        store.close()
        for file in tmp_path.iterdir():
            file.write_bytes(b"garbage, not a database" * 1000)
        with pytest.raises(StateError), store.transaction("w") as transaction:
            transaction.put("settings", "a", {})
        with pytest.raises(StateError):
            store.reader("w")("settings", "a")
        with pytest.raises(StateError):
            store.dump("w")
        store.close()


def _make_unusable(path: Path) -> None:
    """Take the rights away; root, who keeps them all, gets a folder of the same name instead."""
    path.chmod(0o400)
    if path.stat().st_uid == 0:
        path.unlink()
        path.mkdir()


class StoresAgree(RuleBasedStateMachine):
    """Whatever is done to both, the database answers as the memory does."""

    keys = st.sampled_from(["a", "b", "ü"])
    collections = st.sampled_from(["settings", "tokens"])
    worlds = st.sampled_from(["one", "two"])
    records = st.dictionaries(st.text(max_size=2), st.integers() | st.text(max_size=3) | st.none(), max_size=2)
    steps = st.lists(
        st.tuples(st.sampled_from(["put", "delete", "get", "items"]), collections, keys, records), max_size=5
    )

    @initialize(folder=st.uuids())
    def open(self, folder: Any) -> None:
        path = self.root / str(folder)
        path.mkdir(exist_ok=True)
        self.url = f"sqlite:///{path / f'{next(self.numbers)}.db'}"
        self.memory: Store = MemoryStore()
        self.sql: Store = SqliteStore(self.url)
        for world in ("one", "two"):
            for store in (self.memory, self.sql):
                store.open_world(world, _fill)

    @rule(world=worlds, steps=steps, fails=st.booleans())
    def transact(self, world: str, steps: Any, *, fails: bool) -> None:
        found: list[list[Any]] = []
        for store in (self.memory, self.sql):
            seen: list[Any] = []
            try:
                with store.transaction(world) as transaction:
                    for action, collection, key, record in steps:
                        if action == "put":
                            transaction.put(collection, key, dict(record))
                        elif action == "delete":
                            transaction.delete(collection, key)
                        elif action == "get":
                            seen.append(transaction.get(collection, key))
                        else:
                            seen.append(dict(transaction.items(collection)))
                    if fails:
                        raise KeyError  # noqa: TRY301 - as a handler would
            except KeyError:
                seen.append("undone")
            found.append(seen)
        assert found[0] == found[1]

    @rule(world=worlds)
    def reset(self, world: str) -> None:
        for store in (self.memory, self.sql):
            store.reset(world, _fill)

    @rule()
    def reopen(self) -> None:
        self.sql.close()
        self.sql = SqliteStore(self.url)

    @invariant()
    def alike(self) -> None:
        if not hasattr(self, "sql"):
            return
        assert self.memory.worlds() == self.sql.worlds()
        for world in self.memory.worlds():
            dumps = [
                {name: records for name, records in store.dump(world).items() if records}
                for store in (self.memory, self.sql)
            ]
            assert dumps[0] == dumps[1]
            for collection, records in dumps[0].items():
                for key, record in records.items():
                    assert self.sql.reader(world)(collection, key) == record

    def teardown(self) -> None:
        if hasattr(self, "sql"):
            self.sql.close()

    root: Path
    numbers = itertools.count()


def test_the_database_behaves_as_the_memory(tmp_path: Path) -> None:
    from hypothesis import settings
    from hypothesis.stateful import run_state_machine_as_test

    StoresAgree.root = tmp_path
    run_state_machine_as_test(StoresAgree, settings=settings(max_examples=25, stateful_step_count=15))
