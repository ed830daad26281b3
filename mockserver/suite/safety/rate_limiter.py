"""The rate limiter: how fast and how many requests are sent, and when a run stops, to protect foreign servers."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mockserver.errors import MockServerError, UsageError
from mockserver.suite.run.interrupts import interruptible, raise_if_interrupted
from mockserver.suite.verdicts.failures import NotRun

#: The documentation of the built-in contract's API allows 15 to 20 requests a second, and bans above it. On loopback it
#: this rate holds from the first response on that says "too many requests".
FOREIGN_RATE = 10.0
#: No rate is halved below this: a server that still says "later" is not to be tested now, or says so of one operation.
LOWEST_RATE = 1.0
#: Requests for one operation of a server that is not ours; what `check` sends of one is below it.
FOREIGN_BUDGET = 300
#: A server that asks for a longer pause than this does not want to be tested now.
MAX_PAUSE_SECONDS = 60.0
#: After so many other responses in a row a local server is taken to have recovered.
CALM_RESPONSES = 20
#: Where only so many operations said that requests are too many, the limit is theirs and not that of the server.
_FEW_OPERATIONS = 2
#: How often a request that was answered with "later" is asked again.
MAX_REPEATS = 3
#: Pause before the first repeat where the server names none; doubled for each further one.
PAUSE_SECONDS = 1.0


class Stopped(MockServerError):  # noqa: N818 - named after the event
    """Error: no more requests are sent to the target in this run."""


class LeftAlone(NotRun):
    """Error: no more requests are sent for one operation, while other operations go on."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for the number of requests and failures, after which an operation or the run is stopped.

    Attributes:
        budget: requests for one operation at most, None for no limit.
        failures: number of 5xx or lost connections in a row after which an operation is left alone, or, over
            several operations, the run ends; None for no limit, since a local target may be crashed.
        patient: whether repeated "later" responses (429, 503) end the run.
        slows: whether a "later" response limits a run without a rate; not for our own stub, whose 429 is an example.
    """

    budget: int | None = None
    failures: int | None = None
    patient: bool = False
    slows: bool = True


#: A server on this machine: crashing it is what a fuzz run is for.
OURS = Limits()
#: A stub that was started for the run: its 429 is an example of the contract.
OWN_STUB = Limits(slows=False)
FOREIGN = Limits(budget=FOREIGN_BUDGET, failures=5, patient=True)


def parse_rate(text: str) -> float:
    """Return the requests per second of a `--rate` value such as `5/s` or `0.5/s`.

    Raises:
        UsageError: another form, or not above 0.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/s)?", text)
    if match is None or float(match[1]) <= 0:
        raise UsageError(f"--rate {text!r} is not a rate; write requests a second as 5/s or 0.5/s")
    return float(match[1])


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds a client is asked to wait, at least 0, or None for a past date.

    Takes a `Retry-After` field value: seconds or an HTTP-date (RFC 9110, section 10.2.3).

    Raises:
        ValueError: neither form; the message shows the value.
    """
    text = value.strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError) as error:
        raise ValueError(f"Retry-After: {value!r} is neither seconds nor an HTTP-date") from error
    seconds = (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    return seconds if seconds >= 0 else None


class RateLimiter:
    """Spaces and counts the requests of a run, and stops a run that harms the server; safe to use from threads.

    A sender calls `admit` right before each request, and `observe` with its result::

        while True:
            rate_limiter.admit(label)
            response = send()
            if not rate_limiter.observe(label, response.status, response.retry_after):
                return response

    The token bucket holds one token: requests are spaced evenly, and a pause is not followed by a burst. In any second
    there are at most as many requests as the rate, plus one.

    Attributes:
        requests: number of admitted requests.
        stopped: why no more requests are sent, "" while requests are sent.
        rate: current requests per second, None for no limit; halved at each response that says they are too many,
            and at most `slow_rate` from the first such response on. On a local server it comes back: as it was where
            one or two operations have a limit of their own (logins, say), else up to `slow_rate`.
        slow_rate: highest rate after such a response.
        limits: limits of requests and failures.
    """

    def __init__(
        self,
        rate: float | None,
        limits: Limits = OURS,
        *,
        slow_rate: float = FOREIGN_RATE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.rate = rate
        self._given_rate = rate
        self.slow_rate = slow_rate
        self.limits = limits
        self.requests = 0
        self.stopped = ""
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._lock = threading.Lock()
        self._next = 0.0
        self._sent: Counter[str] = Counter()
        self._repeats: Counter[str] = Counter()
        self._row: Counter[str] = Counter()  # failures in a row by operation
        self._failing: list[str] = []  # labels of the failures in a row over all operations
        self._limited: set[str] = set()
        self._slowing: set[str] = set()  # labels whose "later" slowed the run down
        self._calm = 0  # responses of other operations since the last "later"
        self._asked: Counter[str] = Counter()  # seconds of pauses by operation that asked for them
        self._banned: set[str] = set()  # labels that got a long Retry-After since the last other response

    def admit(self, label: str = "") -> None:
        """Wait until the next request may be sent.

        Args:
            label: label of the operation in reports, "" if there is none.

        Raises:
            Stopped: nothing may be sent any more.
            LeftAlone: nothing may be sent for this operation.
            KeyboardInterrupt: the user ended the run.
        """
        raise_if_interrupted()
        with self._lock:
            if self.stopped:
                raise Stopped(self.stopped)
            self._refuse(label)
            self.requests += 1
            self._sent[label] += 1
            now = self._clock()
            wait = self._next - now
            self._next = max(self._next, now) + (1.0 / self.rate if self.rate else 0.0)
        if wait > 0:
            with interruptible:
                self._sleep(wait)

    def observe(self, label: str, status: int | None, retry_after: str | None = None) -> bool:
        """Record the result of a request; return whether to send it again after another `admit`.

        Args:
            label: the operation that it was for, as told to `admit`.
            status: status code of the response, None if the connection was lost or no response came in time.
            retry_after: `Retry-After` field of the response.
        """
        with self._lock:
            if status == 429 or (status == 503 and retry_after is not None):
                return self._later(label, status, retry_after)
            self._repeats.pop(label, None)
            self._banned.clear()
            self._recover(label)
            if status is None or status >= 500:
                self._failed(label, status)
            else:
                self._row.pop(label, None)
                self._failing.clear()
            return False

    def stop(self, why: str) -> None:
        """Refuse all further requests, with a reason that completes "the run ended, because"."""
        with self._lock:
            self._stop(why)

    def reopen(self) -> None:
        """Allow requests again, at the same rate and without limits, to restore what the run changed."""
        with self._lock:
            self.stopped = ""
            self.limits = replace(self.limits, budget=None, failures=None)
            self._row.clear()
            self._failing.clear()
            self._repeats.clear()
            self._banned.clear()

    def _stop(self, why: str) -> None:
        self.stopped = self.stopped or why

    def _refuse(self, label: str) -> None:
        budget, failures = self.limits.budget, self.limits.failures
        if budget is not None and label and self._sent[label] >= budget:
            raise LeftAlone(f"its budget of {budget} requests is spent (--budget)")
        if failures is not None and self._row[label] >= failures:
            raise LeftAlone(f"it failed {failures} times in a row, and a foreign server must not be brought down")
        if label and self._asked[label] > MAX_PAUSE_SECONDS:
            seconds = self._asked[label]
            raise LeftAlone(f"its responses 429 or 503 asked for pauses of {seconds} seconds in all; raise its limit")

    def _later(self, label: str, status: int, retry_after: str | None) -> bool:
        """Record a 429, or a 503 with `Retry-After`; return whether to send the request again."""
        patient = self.limits.patient
        asked = self._pause(1, retry_after)
        if label not in self._limited and not self._repeats[label]:
            self._slow_down(label)
        if asked > MAX_PAUSE_SECONDS:
            # One operation may be an odd response of a local server; two in a row are a ban of the caller.
            self._banned.add(label)
            if patient or len(self._banned) > 1:
                said = f"{status} with Retry-After: {retry_after}"
                self._stop(f"the server asks for a pause of {asked:.0f} seconds ({said}); try later or slower (--rate)")
            self._limited.add(label)
            return False
        if label in self._limited or (retry_after is None and not self.limits.slows):
            return False
        self._repeats[label] += 1
        times = self._repeats[label]
        pause = self._pause(times, retry_after)
        if times > MAX_REPEATS:
            said = f"{status}" + (f" with Retry-After: {retry_after}" if retry_after is not None else "")
            if patient:
                self._stop(f"{label or 'a request'} was answered with {said} {times} times in a row")
            self._limited.add(label)
            return False
        if retry_after is not None and not patient:
            # A limit of one operation (of logins, say) must not hold up the others each time that it is called.
            self._asked[label] += round(pause)
            if self._asked[label] > MAX_PAUSE_SECONDS:
                self._limited.add(label)
                return False
        self._next = max(self._next, self._clock() + pause)
        return True

    def _slow_down(self, label: str) -> None:
        """Reduce the rate of requests, after a response that said they were too many."""
        self._calm = 0
        if not self.limits.patient and label in self._slowing and self.rate == self._given_rate:
            return  # its own limit is known
        self._slowing.add(label)
        if self.rate is None:
            self.rate = self.slow_rate if self.limits.slows else None
            return
        halved = max(self.rate / 2, min(self.rate, LOWEST_RATE))
        self.rate = halved if self.limits.patient else min(halved, self.slow_rate)

    def _recover(self, label: str) -> None:
        """Raise the rate of requests to a local server again, after a response that is none of those."""
        if self.limits.patient or self.rate == self._given_rate or label in self._slowing or self.rate is None:
            return
        self._calm += 1
        if self._calm < CALM_RESPONSES:
            return
        self._calm = 0
        if len(self._slowing) <= _FEW_OPERATIONS:
            self.rate = self._given_rate
        else:
            self.rate = min(self.rate * 2, self.slow_rate, self._given_rate or self.slow_rate)

    def _pause(self, times: int, retry_after: str | None) -> float:
        """Return the seconds to wait before a request is repeated for the `times`-th time."""
        try:
            asked = parse_retry_after(retry_after, self._now()) if retry_after is not None else None
        except ValueError:
            asked = None
        return float(PAUSE_SECONDS * 2 ** (times - 1)) if asked is None else asked

    def _failed(self, label: str, status: int | None) -> None:
        failures = self.limits.failures
        if failures is None:
            return
        self._row[label] += 1
        self._failing.append(label)
        if len(self._failing) >= failures and len(set(self._failing)) > 1:
            what = "lost connections" if status is None else f"failures (the last one {status})"
            operations = len(set(self._failing))
            self._stop(f"{len(self._failing)} {what} in a row on {operations} operations: the server is in trouble")
