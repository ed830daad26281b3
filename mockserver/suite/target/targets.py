"""Targets: the API under test, over HTTP or as a WSGI application in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urlsplit

import urllib3

from mockserver.errors import UsageError
from mockserver.suite.safety.rate_limiter import RateLimiter
from mockserver.suite.secrets.encoded_secrets import as_bytes
from mockserver.suite.target.connections import Connection, TargetLost, check_files, govern, is_this_machine
from mockserver.suite.target.exchange import Exchange, Fields, WireRequest, WireResponse, with_fields
from mockserver.suite.target.framing import BROKEN_OFF
from mockserver.suite.target.sender import Recorder, Sender, Transport, response_of
from mockserver.suite.target.wire import NoResponse, RawResponse

TIMEOUT_SECONDS = 10.0
LOOPBACK_TIMEOUT_SECONDS = 3.0
#: After dropped connections for so many operations in a row it is asked whether the server still responds at all.
_DROPPED = 3
#: Timeout for requests that timed out before and are repeated at the end of a run: at least so many seconds, and so
#: many times the usual timeout.
LATE_SECONDS, LATE_TIMES = 10.0, 4.0


class Renewal(Protocol):
    """Keeps the credentials in requests up to date, and renews them when the server does not take them any more."""

    def current(self, message: WireRequest) -> WireRequest:
        """Return a message with the newest credentials in place of those that were issued earlier."""
        ...

    def again(self, message: WireRequest, status: int | None, fields: Fields) -> WireRequest | None:
        """Return the message to send again after its credentials were renewed, None to leave it at the response.

        Args:
            message: what was sent.
            status: that of the response, None if there was none.
            fields: those of the response, none of them joined.
        """
        ...

    def sent_again(self, message: WireRequest, status: int | None, fields: Fields) -> None:
        """Take notice of the response to a message that was sent again."""
        ...


class Target(Protocol):
    """API under test, to which requests can be sent.

    Attributes:
        base_url: what request paths are appended to, without a trailing slash.
        foreign: whether it is on another machine, so that its owner's limits hold.
        rate_limiter: spaces and counts the requests.
        always: header fields that every request has.
        renewal: keeps the credentials in requests up to date, None where none were issued in this run.
        base_of: returns the base path of a request where it is not that of `base_url`; None without such operations.
    """

    base_url: str
    foreign: bool
    rate_limiter: RateLimiter
    always: Fields
    renewal: Renewal | None
    base_of: Callable[[WireRequest], str | None] | None

    def send(self, request: WireRequest, label: str = "") -> Exchange:
        """Send a request, retrying once; the exchange has no response if the target stays silent.

        Args:
            request: what to send.
            label: label of the operation, as in reports, by which requests are counted.

        Raises:
            TargetLost: nothing accepts connections.
            Stopped: the rate limiter ended the run.
            LeftAlone: the rate limiter lets nothing more through for this operation.
        """
        ...

    def send_as_it_is(self, message: WireRequest) -> Exchange:
        """Send a message without changes, its path that of the request line; fields of the response are not joined.

        Raises:
            TargetLost: nothing accepts connections.
            Stopped: the rate limiter ended the run.
        """
        ...

    def patient(self) -> AbstractContextManager[float]:
        """Use a longer timeout and no retry within the context; yields the timeout in seconds."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """Outcome of sending a message: the response, or why there is none.

    Attributes:
        head: the response as it was read, None where there was none, not even when asked again.
        problem: why there is none.
        dropped: whether the connection was closed before it.
        slow: whether it did not come in time.
        repeated: whether it came only when it was asked again.
    """

    head: RawResponse | None
    problem: str = ""
    dropped: bool = False
    slow: bool = False
    repeated: bool = False


class HttpTarget:
    """Target at a base URL; redirects are not followed, so that credentials go only where they belong.

    Attributes:
        name: how reports call it: its base URL, or the name of an application in this process.
        serve: shell command that serves it for other clients, if it is an application in this process; else "".
    """

    def __init__(
        self,
        base_url: str,
        connection: Connection | None = None,
        *,
        rate: float | None = None,
        timeout_seconds: float | None = None,
        own_stub: bool = False,
        rate_limiter: RateLimiter | None = None,
        transport: Transport | None = None,
        name: str = "",
    ) -> None:
        """Create a target from a base URL and connection options, or from `rate` and `timeout_seconds` alone.

        With a `transport` it is an application in this process, of that name. A `rate_limiter` may be shared with
        another target. An `own_stub` was started for the run: a 429 of it is an example of the contract, and slows
        nothing down.

        Raises:
            UsageError: not a base URL, or one with credentials; a certificate or proxy that cannot be used.
        """
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(
                f"{base_url!r} is not a base URL; write it as http://127.0.0.1:8080, "
                "or package.module:app for an application"
            )
        if parts.username or parts.password:
            raise UsageError("credentials do not belong in a URL; put them in an identities file (--identities)")
        if parts.query or parts.fragment:
            raise UsageError(f"{base_url!r} has a query or a fragment; a base URL has none")
        self.base_url = base_url.rstrip("/")
        self.name = name or self.base_url
        self.serve = ""
        self.host = parts.hostname
        self._path = parts.path.rstrip("/")
        self.connection = connection or Connection(rate=rate, timeout_seconds=timeout_seconds)
        self.foreign = self.connection.treat_as_remote or not is_this_machine(parts.hostname)
        default_seconds = TIMEOUT_SECONDS if self.foreign else LOOPBACK_TIMEOUT_SECONDS
        self.timeout_seconds = self.connection.timeout_seconds or default_seconds
        self.late_seconds = max(LATE_SECONDS, LATE_TIMES * self.timeout_seconds)
        self._tries = 2
        self._answered: WireRequest | None = None  # a read that got a response
        self._dropped: dict[str, None] = {}  # operations without any response since, in order
        self.always: Fields = ()
        self.renewal: Renewal | None = None
        self.base_of: Callable[[WireRequest], str | None] | None = None
        self.rate_limiter = rate_limiter or govern(self.connection, foreign=self.foreign, own_stub=own_stub)
        check_files(self.connection)
        if self.connection.insecure:
            # Said once and loudly by the command; urllib3 would say it with each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._sender = Sender(
            self.base_url, self.connection, self.rate_limiter, foreign=self.foreign, transport=transport
        )

    def send(self, request: WireRequest, label: str = "") -> Exchange:
        """Send a request, retrying once; the exchange has no response if the server stays silent.

        Raises:
            TargetLost: nothing accepts connections.
            Stopped: the rate limiter ended the run.
            LeftAlone: the rate limiter lets nothing more through for this operation.
        """
        # Latin-1 is what HTTP/1.1 puts on the wire (RFC 9110, section 5.5); UTF-8 bytes pass as they are.
        fields = tuple((name, as_bytes(value).decode("latin-1")) for name, value in request.fields)
        if request.field("user-agent") is None:
            fields = (*fields, ("User-Agent", "mockserver"))
        if request.base is None and self.base_of is not None:
            request = replace(request, base=self.base_of(request))
        base = self._path if request.base is None else request.base
        made = self.deliver(WireRequest(request.method, base + request.path, fields, request.body), label)
        response = response_of(made.head) if made.head is not None else None
        return Exchange(request, response, made.problem, dropped=made.dropped, slow=made.slow, repeated=made.repeated)

    def deliver(self, message: WireRequest, label: str) -> Delivery:
        """Send a message as given, retrying once if there is no response; see `Sender.send`.

        Added are the fields that every request has; credentials that were issued in this run are kept up to date.
        """
        message = with_fields(message, self.always)
        renewal = self.renewal
        if renewal is None:
            return self._deliver(message, label)
        message = renewal.current(message)
        made = self._deliver(message, label)
        again = renewal.again(message, *_head(made.head))
        if again is not None:
            made = self._deliver(again, label)
            renewal.sent_again(again, *_head(made.head))
        return made

    def send_as_it_is(self, message: WireRequest) -> Exchange:
        """Send a message without changes, its path that of the request line; fields of the response are not joined.

        Raises:
            TargetLost: nothing accepts connections.
            Stopped: the rate limiter ended the run.
        """
        made = self._deliver(message.with_field("User-Agent", "mockserver"), "")
        head = made.head
        response = (
            None if head is None else WireResponse(head.status, head.fields, head.body, head.seconds, head.unread)
        )
        return Exchange(message, response, made.problem)

    def _deliver(self, message: WireRequest, label: str) -> Delivery:
        lost = NoResponse()
        for number in range(self._tries):
            try:
                head = self._sender.send(message, label, self.timeout_seconds)
            except NoResponse as error:
                lost = error
                continue
            if head.flaw != BROKEN_OFF or number + 1 == self._tries:  # a stream may break off once
                self._dropped.clear()
                if message.method == "GET":
                    self._answered = message
                return Delivery(head, repeated=number > 0 or head.repeated)
        dropped = not (lost.slow or lost.unreadable)
        if dropped:
            self._require_life(message, label)
        return Delivery(None, self._problem(lost), dropped=dropped, slow=lost.slow)

    def _require_life(self, message: WireRequest, label: str) -> None:
        """Make sure, after connections for several operations were dropped, that the server responds to anything.

        What stands before it (a proxy, a port that is forwarded) may take connections that it can hand to nobody.

        Raises:
            TargetLost: it does not respond to what it responded to before.
        """
        name = label or f"{message.method} {message.path.partition('?')[0]}"
        self._dropped.setdefault(name)
        if len(self._dropped) < _DROPPED or self._answered is None:
            return
        for _ in range(self._tries):
            with suppress(NoResponse):
                self._sender.send(self._answered, "", self.timeout_seconds)
                self._dropped.clear()
                return
        since, asked = next(iter(self._dropped)), self._answered.path.partition("?")[0]
        raise TargetLost(
            f"{self.base_url} drops every connection since {since}, also for GET {asked}, to which it responded before"
        )

    @contextmanager
    def patient(self) -> Iterator[float]:
        """Use a longer timeout and no retry within the context; yields the timeout in seconds."""
        seconds, tries = self.timeout_seconds, self._tries
        self.timeout_seconds, self._tries = self.late_seconds, 1
        try:
            yield self.late_seconds
        finally:
            self.timeout_seconds, self._tries = seconds, tries

    def record(self, recorder: Recorder) -> None:
        """Pass every exchange from now on to a recorder."""
        self._sender.recorder = recorder

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()

    def _problem(self, lost: NoResponse) -> str:
        times = ", twice" if self._tries > 1 else ", when asked again"
        if lost.unreadable:
            return f"the response cannot be read as HTTP{times}: {lost.unreadable}"
        part = f": {lost.part}" if lost.part else ""
        if lost.slow:
            return f"no response within {self.timeout_seconds:g} seconds{times}{part}"
        return f"the connection was dropped before the response was complete{times}{part}"


def _head(head: RawResponse | None) -> tuple[int | None, Fields]:
    return (None, ()) if head is None else (head.status, head.fields)
