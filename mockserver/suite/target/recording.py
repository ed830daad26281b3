"""Every exchange of a run, kept on disk until the report is written; only where one asks for it."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

from mockserver.suite.target.exchange import Exchange

#: So many bytes of exchanges are kept; a run of an hour must not fill the disk.
MAX_BYTES = 64 * 1024 * 1024


class Recorder(Protocol):
    """Takes each exchange when it is over, whoever made it."""

    def __call__(self, label: str, exchange: Exchange, seconds: float) -> None:
        """Take an exchange.

        Args:
            label: the operation that it was for, as reports name it; "" where there is none.
            exchange: what was sent, and what came back; the path is that of the request line, the base URL's included.
            seconds: how long that took.
        """
        ...


class Recording:
    """Keeps exchanges as somebody's `show` writes them: one JSON text a line, in a file that has no name.

    Attributes:
        count: how many exchanges there were.
        kept: how many of them are kept.
    """

    def __init__(self, show: Callable[[str, Exchange], dict[str, Any]]) -> None:
        self.count = 0
        self.kept = 0
        self._show = show
        self._bytes = 0
        self._lock = threading.Lock()
        # Gone with the process, however that ends.
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 - closed below

    def __call__(self, label: str, exchange: Exchange, seconds: float) -> None:
        """Keep an exchange, masked, while there is room."""
        with self._lock:
            self.count += 1
            if self._bytes > MAX_BYTES:
                return
            started = datetime.now(UTC).timestamp() - seconds
            shown = self._show(label, exchange)
            line = json.dumps({**shown, "started": started, "seconds": round(seconds, 6)}, ensure_ascii=False) + "\n"
            self._file.write(line)
            self._bytes += len(line)
            self.kept += 1

    def exchanges(self) -> Iterator[dict[str, Any]]:
        """Yield what is kept, in order: `{label, request, response, started, seconds}`."""
        with self._lock:
            self._file.seek(0)
            for line in self._file:
                yield json.loads(line)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
