"""How fast, and what at all: the limits that protect a server that is not ours."""

from __future__ import annotations

import fnmatch
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mockserver.contract.model import SAFE_METHODS, Operation
from mockserver.errors import UsageError

#: The documentation of the built-in contract's API allows 15 to 20 requests a second, and bans above it.
FOREIGN_RATE = 10.0
#: The word that allows unsafe probes of what no contract names (DESIGN, section 6).
PROBES = "probes"


def parse_rate(text: str) -> float:
    """Return the requests a second of a `--rate` value such as `5/s` or `0.5/s`.

    Raises:
        UsageError: another form, or not above 0.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/s)?", text)
    if match is None or float(match[1]) <= 0:
        raise UsageError(f"--rate {text!r} is not a rate; write requests a second as 5/s or 0.5/s")
    return float(match[1])


def matches(operation: Operation, patterns: Sequence[str]) -> bool:
    """Tell whether one of the globs matches an operation's `operationId` or its `METHOD /path`."""
    return any(
        fnmatch.fnmatchcase(operation.id, _literal_braces(pattern))
        or fnmatch.fnmatchcase(operation.label, _literal_braces(pattern))
        for pattern in patterns
    )


@dataclass(frozen=True, slots=True)
class WritePolicy:
    """Which operations with unsafe methods may be sent.

    Attributes:
        foreign: whether the target is another machine; on loopback everything is allowed.
        patterns: the `--allow-writes` globs; `probes` stands for undocumented methods and paths.
    """

    foreign: bool
    patterns: tuple[str, ...] = ()

    def refusal(self, method: str, operation: Operation | None, *, login: bool = False) -> str | None:
        """Return why a request must not be sent, or None if it may.

        Args:
            method: the request's method.
            operation: what it is for, None for a probe of what no contract defines.
            login: whether it logs an identity in, with that identity's own password.
        """
        if not self.foreign or method in SAFE_METHODS:
            return None
        if operation is None:
            if PROBES in self.patterns:
                return None
            return "it probes with an unsafe method, and --allow-writes probes was not given"
        # The one exception: nothing can be tested without a token, and logging in is what clients do all day.
        if login or matches(operation, self.patterns):
            return None
        return f"{method} is not a safe method, and no --allow-writes names this operation"


def is_login(operation: Operation) -> bool:
    """Tell whether an operation exchanges a password for a token."""
    behaviour = operation.behaviour
    return behaviour is not None and behaviour.handler == "auth" and behaviour.role == "issue"


class Governor:
    """Spaces requests out, whoever sends them, and counts them. Safe to use from several threads."""

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1.0 / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0
        self.requests = 0

    def admit(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            self.requests += 1
            if not self._interval:
                return
            now = self._clock()
            wait = self._next - now
            self._next = max(self._next, now) + self._interval
        if wait > 0:
            self._sleep(wait)


def _literal_braces(pattern: str) -> str:
    """Return a glob in which `[` is literal: path templates have braces, and nobody wants character sets."""
    return pattern.replace("[", "[[]")
