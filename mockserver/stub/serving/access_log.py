"""Access log of the stub: one line for each request, as text or JSON, written by a background thread.

Writing a line costs more than answering a request: lines are gathered and written together, a tenth of a second later.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from typing import TextIO

from mockserver.http import json

_DELAY_SECONDS = 0.1


class AccessLog:
    """Access log: writes one line for each request to a text stream."""

    def __init__(self, stream: TextIO, *, as_json: bool = False) -> None:
        self._stream = stream
        self._as_json = as_json
        self._lines: deque[str] = deque()
        self._waiting = threading.Event()
        self._writing = threading.Lock()
        self._second = (0, "")
        threading.Thread(target=self._run, name="mockserver-log", daemon=True).start()
        atexit.register(self.flush)

    def write(
        self,
        at: float,
        method: str,
        path: str,
        status: int,
        operation: str,
        note: str,
        duration_seconds: float,
    ) -> None:
        """Queue the log line of a request: `at` is UNIX time in seconds, `note` the reason for the response."""
        second = int(at)
        if second != self._second[0]:
            self._second = (second, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)))
        stamp = self._second[1]
        milliseconds = duration_seconds * 1000
        if self._as_json:
            line = json.encode(
                {
                    "at": stamp,
                    "method": method,
                    "path": path,
                    "status": status,
                    "operation": operation,
                    "note": note,
                    "duration_ms": round(milliseconds, 3),
                }
            ).decode()
        else:
            line = f"{stamp} {status} {method} {path} {operation or '-'} {milliseconds:.2f}ms {note}"
        self._lines.append(line)
        if not self._waiting.is_set():
            self._waiting.set()

    def flush(self) -> None:
        """Write the queued log lines."""
        with self._writing:
            self._waiting.clear()
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if not self._as_json and not "".join(lines).isprintable():
                # A path or value with a line break must not be able to forge a line.
                lines = [_printable(line) for line in lines]
            if lines:
                try:
                    self._stream.write("\n".join(lines) + "\n")
                    self._stream.flush()
                except (OSError, ValueError):
                    pass  # a closed pipe or a full disk must not take the stub down

    def _run(self) -> None:
        while True:
            self._waiting.wait()
            time.sleep(_DELAY_SECONDS)
            self.flush()


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)
