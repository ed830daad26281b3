"""Ctrl-C and SIGTERM: the signal is noted, and KeyboardInterrupt is raised only where a run can handle it.

Python drops what is raised in a destructor or in the callback of a weak reference. jsonschema-rs drops what is raised
while it compiles a schema, and goes on without one of its formats. So a signal is noted, and is a KeyboardInterrupt

- before each request, in whatever thread, again and again until the run has acknowledged it (`raise_if_interrupted`);
- while the main thread waits for something (`interruptible`);
- wherever the main thread is, if it is not the first: a user who asks twice does not want to wait.

Signals that come together count as one: `timeout` sends its own to the process and then to its group, too.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: A signal within this time after another one is ignored.
TOGETHER_SECONDS = 0.5


class _Note:
    """State shared with the signal handler; a plain object, as a handler must not wait for a lock."""

    heard = 0
    last = -math.inf
    waiting = False
    at_once = False


_note = _Note()


@contextmanager
def terminable(*, at_once: bool = False) -> Iterator[None]:
    """Handle Ctrl-C and SIGTERM in the context: the run ends early, with a report and with changes undone.

    Args:
        at_once: whether the first signal is raised wherever the main thread is; for a run without a report.

    Raises:
        KeyboardInterrupt: at the end, if a signal was not acknowledged.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _note.at_once = at_once
    before = {number: signal.getsignal(number) for number in SIGNALS}
    if before[signal.SIGINT] is signal.SIG_IGN:
        del before[signal.SIGINT]  # a job in the background of a shell: Ctrl-C is not for it
    for number in before:
        signal.signal(number, _hear)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        _note.at_once, _note.last, unanswered = False, -math.inf, acknowledge_interrupt()
    if unanswered:
        raise KeyboardInterrupt


def _hear(_number: int, _frame: FrameType | None) -> None:
    now = time.monotonic()
    if now - _note.last < TOGETHER_SECONDS:
        return
    _note.last = now
    _note.heard += 1
    if _note.waiting or _note.at_once or _note.heard > 1:
        _note.waiting = False
        raise KeyboardInterrupt


def interrupted() -> bool:
    """Tell whether a signal arrived that was not acknowledged yet."""
    return _note.heard > 0


def acknowledge_interrupt() -> bool:
    """Tell whether a signal arrived, and acknowledge it, so that the next signal counts as the first."""
    heard, _note.heard = _note.heard, 0
    return heard > 0


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if a signal arrived and was not acknowledged yet.

    Raises:
        KeyboardInterrupt: there was such a signal.
    """
    if _note.heard:
        raise KeyboardInterrupt


class _Interruptible:
    """Context in which a signal raises KeyboardInterrupt at once in the main thread; one instance serves all."""

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            _note.waiting = True
            if _note.heard:  # asked last, so that one which comes in between is not waited out
                _note.waiting = False
                raise KeyboardInterrupt

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            _note.waiting = False


#: Context in which the main thread only waits, so that a signal may end it at once.
interruptible = _Interruptible()
