"""Turns of threads at leading the event loop: whoever is late with a response is followed by another thread.

A thread that leads makes responses itself. A watchman looks, while there are requests, whether one takes long, and
then begins the next term with another thread; the one that was late learns of it when its response is made.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from mockserver import sources

#: Threads that may be late at a time; with one more all requests wait.
MAX_THREADS = 256
#: A response that takes longer gets the loop another leader.
LATE_SECONDS = 0.02
_IDLE_SECONDS = 30.0


class Term:
    """The time for which one thread leads the loop."""


class Turns:
    """Threads that lead an event loop, one at a time."""

    def __init__(self, lead: Callable[[Term], None]) -> None:
        """Prepare to lead a loop by a function, which returns when its term is over, or the loop."""
        self._lead = lead
        self._lock = threading.Lock()
        self._term = Term()
        self._busy_since = 0.0
        #: Terms for threads without one; None tells one of them to end.
        self._terms: queue.SimpleQueue[Term | None] = queue.SimpleQueue()
        self._idle = 0
        self._threads = 0
        self._is_watched = False
        self._watching = threading.Event()
        #: Set when the loop is over.
        self.ended = threading.Event()

    def start(self) -> None:
        """Begin the first term."""
        threading.Thread(target=self._watch, name="mockserver-watchman", daemon=True).start()
        self._begin(self._term)

    def end(self) -> None:
        """Let all threads end; one that is late ends when its response is made."""
        with self._lock:
            self.ended.set()
            for _ in range(self._idle):
                self._terms.put(None)
        self._watching.set()

    def work_begins(self) -> float:
        """Note that the leader begins to make a response; return the time, on the stopwatch."""
        now = self._busy_since = sources.stopwatch()
        if not self._is_watched:
            self._is_watched = True
            self._watching.set()
        return now

    def work_ends(self, term: Term) -> bool:
        """Note that a response is made; tell whether the thread whose term is given still leads."""
        with self._lock:
            leads = term is self._term
            if leads:
                self._busy_since = 0.0
        return leads

    def _begin(self, term: Term) -> None:
        if self._idle:
            self._idle -= 1
            self._terms.put(term)
        else:
            self._threads += 1
            threading.Thread(target=self._take, args=(term,), name="mockserver-loop", daemon=True).start()

    def _take(self, term: Term | None) -> None:
        """Lead for a term, and again whenever there is another one, until there is none for long."""
        while term is not None and not self.ended.is_set():
            self._lead(term)
            with self._lock:
                if self.ended.is_set():
                    return
                self._idle += 1
            try:
                term = self._terms.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                term = self._retire()

    def _retire(self) -> Term | None:
        with self._lock:
            try:
                return self._terms.get_nowait()  # it came just now
            except queue.Empty:
                self._idle -= 1
                self._threads -= 1
                return None

    def _watch(self) -> None:
        """Begin another term whenever the leader is late; sleep while there are no requests."""
        while not self.ended.is_set():
            self._watching.wait()
            self._watching.clear()
            quiet = 0
            while quiet < 2:
                sources.pause(LATE_SECONDS / 2)
                with self._lock:
                    since = self._busy_since
                    if (
                        since
                        and sources.stopwatch() - since > LATE_SECONDS
                        and self._threads - self._idle < MAX_THREADS
                    ):
                        self._busy_since = 0.0
                        self._term = Term()
                        self._begin(self._term)
                quiet = 0 if since or self._is_watched else quiet + 1
                # From here on the next request says that it began; if it did so just now, `_watching` is set again.
                self._is_watched = bool(since)
