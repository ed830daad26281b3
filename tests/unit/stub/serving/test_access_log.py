"""The log's thread: what is written is written once, in order, and a broken stream stops nobody."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from mockserver.stub.serving.access_log import AccessLog

if TYPE_CHECKING:
    from tests.conftest import Log


def _write(log: AccessLog, path: str, note: str = "why") -> None:
    log.write(1582536047.9, "GET", path, 200, "read", note, 0.00123)


def test_a_line_of_text(log: Log) -> None:
    access = AccessLog(log)
    _write(access, "/a")
    access.write(0, "GET", "/b", 404, "", "nothing", 1)
    access.flush()
    assert log.getvalue() == (
        "2020-02-24T09:20:47Z 200 GET /a read 1.23ms why\n1970-01-01T00:00:00Z 404 GET /b - 1000.00ms nothing\n"
    )


def test_a_line_of_json(log: Log) -> None:
    access = AccessLog(log, as_json=True)
    _write(access, '/"\\\n\u2028')
    access.flush()
    (line,) = log.getvalue().rstrip("\n").split("\n")
    assert json.loads(line) == {
        "at": "2020-02-24T09:20:47Z",
        "method": "GET",
        "path": '/"\\\n\u2028',
        "status": 200,
        "operation": "read",
        "note": "why",
        "duration_ms": 1.23,
    }


def test_lines_are_written_without_being_asked(log: Log) -> None:
    _write(AccessLog(log), "/a")
    assert log.wait_for("/a")


@given(path=st.text(st.characters(exclude_categories=["Cs"])), note=st.text(st.characters(exclude_categories=["Cs"])))
def test_one_call_is_one_printable_line(path: str, note: str) -> None:
    written: list[str] = []

    class Stream:
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

        def flush(self) -> None:
            pass

    stream: Any = Stream()
    access = AccessLog(stream)
    _write(access, path, note)
    access.flush()
    text = "".join(written)
    assert text.endswith("\n")
    assert text[:-1].isprintable()


def test_many_threads_write_whole_lines_and_each_in_its_order(log: Log) -> None:
    access = AccessLog(log)
    together = threading.Barrier(8)

    def work(number: int) -> None:
        together.wait()
        for step in range(100):
            _write(access, f"/{number}/{step:03}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    access.flush()
    paths = [line.split(" ")[3] for line in log.getvalue().splitlines()]
    assert len(paths) == 800
    for number in range(8):
        own = [path for path in paths if path.startswith(f"/{number}/")]
        assert own == sorted(own)


def test_a_stream_that_fails_stops_nobody() -> None:
    class Broken:
        def write(self, _text: str) -> int:
            raise OSError("disk full")

        def flush(self) -> None:
            raise OSError("disk full")

    stream: Any = Broken()
    access = AccessLog(stream)
    for _ in range(3):
        _write(access, "/a")
        access.flush()
