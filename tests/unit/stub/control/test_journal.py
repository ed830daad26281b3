from __future__ import annotations

import threading
from typing import Any

from mockserver.stub.control.journal import MAX_CONTENT_BYTES, Journal, kept_content


def _append(journal: Journal, **changed: Any) -> None:
    entry: dict[str, Any] = {
        "at": 0.0,
        "method": "GET",
        "path": "/a",
        "query": "",
        "authorization": None,
        "content_type": None,
        "content": b"",
        "operation": "read",
        "status": 200,
        "response": b"{}",
        "why": "why",
        "violations": (),
        "secret_names": frozenset(),
        "duration_seconds": 0.001,
    }
    journal.append(tuple((entry | changed).values()))


def test_the_newest_stay_and_numbers_go_on() -> None:
    journal = Journal(3)
    for number in range(5):
        _append(journal, path=f"/{number}")
    assert [(entry.number, entry.path) for entry in journal.query()] == [(3, "/2"), (4, "/3"), (5, "/4")]
    journal.clear()
    assert list(journal.query()) == []
    _append(journal)
    assert [entry.number for entry in journal.query()] == [1]


def test_all_conditions_must_hold() -> None:
    journal = Journal()
    _append(journal, operation="a", status=200, method="GET", path="/1")
    _append(journal, operation="a", status=401, method="GET", path="/2")
    _append(journal, operation="b", status=200, method="POST", path="/1")
    assert [entry.number for entry in journal.query(operation="a", status=200)] == [1]
    assert [entry.number for entry in journal.query(path="/1")] == [1, 3]
    assert [entry.number for entry in journal.query(method="POST", path="/2")] == []


def test_content_is_shown_masked_or_in_words() -> None:
    journal = Journal()
    for content in (b"", b'{"pin": "canary", "a": 1}', b"not JSON canary", 5):
        _append(journal, content=content, secret_names=frozenset({"pin"}))
    shown = [entry.as_json()["request"]["content"] for entry in journal.query()]
    assert shown == [None, {"pin": "********", "a": 1}, "15 bytes that are not JSON", "5 bytes, too long to keep"]


def test_long_content_is_kept_as_its_length() -> None:
    assert kept_content(b"x" * MAX_CONTENT_BYTES) == b"x" * MAX_CONTENT_BYTES
    assert kept_content(b"x" * (MAX_CONTENT_BYTES + 1)) == MAX_CONTENT_BYTES + 1


def test_no_entry_is_lost_or_numbered_twice_and_readers_never_break() -> None:
    journal = Journal(100_000)
    together = threading.Barrier(5)
    done = threading.Event()
    failed: list[BaseException] = []

    def write() -> None:
        together.wait()
        for _ in range(2000):
            _append(journal)

    def read() -> None:
        together.wait()
        try:
            while not done.is_set():
                for entry in journal.query(operation="read"):
                    assert entry.number > 0
        except BaseException as error:  # noqa: BLE001 - told to the test's thread
            failed.append(error)

    writers = [threading.Thread(target=write) for _ in range(4)]
    reader = threading.Thread(target=read)
    for thread in [*writers, reader]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert failed == []
    assert sorted(entry.number for entry in journal.query()) == list(range(1, 8001))
