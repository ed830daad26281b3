"""What the event loop waits for: sockets that can be read or written, points in time, and threads that wake it."""

from __future__ import annotations

import heapq
import itertools
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from mockserver import sources
from mockserver.stub.serving.client_connections import Connection

READ, WRITE = select.POLLIN, select.POLLOUT
BROKEN = select.POLLHUP | select.POLLERR
_HAS_EPOLL = hasattr(select, "epoll")


class _Poller(Protocol):
    """What `select.epoll` and `select.poll` have in common."""

    def register(self, descriptor: int, events: int, /) -> None: ...
    def modify(self, descriptor: int, events: int, /) -> None: ...
    def unregister(self, descriptor: int, /) -> None: ...
    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]: ...


class Readiness:
    """Events of sockets and points in time that one thread waits for."""

    def __init__(self, listening: socket.socket) -> None:
        """Prepare to wait, for connections at a listening socket first."""
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._woken, self._waking = socket.socketpair()
        self._woken.setblocking(False)  # noqa: FBT003 - the socket API
        self._waking.setblocking(False)  # noqa: FBT003 - the socket API
        self._poller: _Poller
        if _HAS_EPOLL:
            self._poller, self._tick = select.epoll(), 1.0
        else:
            self._poller, self._tick = select.poll(), 1000.0
        self._listening = listening.fileno()
        #: The descriptor at which `wake` shows.
        self.woken = self._woken.fileno()
        self._poller.register(self.woken, READ)
        self.accept()

    def accept(self) -> None:
        """Wait for connections."""
        self._poller.register(self._listening, READ)

    def accept_no_more(self) -> None:
        """Wait for connections no more."""
        self._poller.unregister(self._listening)

    def expect(self, connection: Connection, interest: int) -> None:
        """Wait for events of a connection, 0 for none."""
        if interest == connection.interest:
            return
        descriptor = connection.fileno()
        if not connection.interest:
            self._poller.register(descriptor, interest)
        elif interest:
            self._poller.modify(descriptor, interest)
        else:
            self._poller.unregister(descriptor)
        connection.interest = interest

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Call a function when its time has come."""
        heapq.heappush(self._timers, (sources.stopwatch() + seconds, next(self._number), action))

    def wait(self, until: float | None) -> list[tuple[int, int]]:
        """Return descriptors with their events, none at the next point in time or at `until` on the stopwatch."""
        if self._timers:
            until = self._timers[0][0] if until is None else min(until, self._timers[0][0])
        return self._poller.poll(None if until is None else max(until - sources.stopwatch(), 0.0) * self._tick)

    def call_due(self) -> None:
        """Call the functions whose time has come."""
        while self._timers and self._timers[0][0] <= sources.stopwatch():
            heapq.heappop(self._timers)[2]()

    def wake(self) -> None:
        """End the waiting, from whatever thread."""
        with suppress(OSError):  # it is awake, or over
            self._waking.send(b".")

    def sleep_again(self) -> None:
        """Forget that it was woken."""
        with suppress(BlockingIOError):
            self._woken.recv(4096)

    def close(self) -> None:
        """Give back what the system lent."""
        self._woken.close()
        self._waking.close()
        if _HAS_EPOLL and isinstance(self._poller, select.epoll):
            self._poller.close()
