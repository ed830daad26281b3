"""Event loop of the HTTP server: one thread leads it, and answers requests itself; no client that waits holds a thread.

::

    wait for events ── receive ── head ── content ── respond ── send ── piece, pause, piece ...
         │                                              │
         └── time for the next piece                    └── late? another thread leads, and sends what this one makes

A request is answered where it is read, without a change of threads, which would cost as much as a small request. A
response that takes long (a first call to a large operation, a behaviour that sleeps) is noticed by a watchman, who
makes another thread the leader; the one that was late hands over its response and waits for its next turn.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any

from mockserver import sources
from mockserver.errors import RequestRejected
from mockserver.http.problem import MEDIA_TYPE as PROBLEM
from mockserver.http.problem import of as problem_of
from mockserver.messages import Response
from mockserver.stub.serving.client_connections import Connection, SecureConnection, Stage
from mockserver.stub.serving.readiness import BROKEN, READ, WRITE, Readiness
from mockserver.stub.serving.request_contents import ChunkedContent, SizedContent
from mockserver.stub.serving.request_heads import CHUNKED, MAX_HEAD_BYTES, Head, HeadReader, too_long
from mockserver.stub.serving.response_heads import HeadWriter
from mockserver.stub.serving.turns import Term, Turns
from mockserver.stub.statuses import WITHOUT_CONTENT

_LINGER_SECONDS = 2.0
#: So long a server that is told to end waits for responses that are being made or sent.
_END_SECONDS = 1.0
_FULL_SECONDS = 0.05
_NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_LINE_ENDS = b"\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LOG = logging.getLogger("mockserver")

#: Makes the response to a request from its WSGI variables; raises nothing.
Respond = Callable[[dict[str, Any]], Response]


class EventLoop:
    """Event loop: accepts connections at a listening socket, reads requests and sends the responses to them."""

    def __init__(
        self, respond: Respond, listening: socket.socket, max_content: int, certificate: ssl.SSLContext | None
    ) -> None:
        """Prepare to serve.

        Args:
            respond: makes the responses.
            listening: a socket that does not block.
            max_content: no content of a request is received beyond so many bytes.
            certificate: what to serve https with, None for http.
        """
        self._respond = respond
        self._listening = listening
        self._max_content = max_content
        self._certificate = certificate
        host, port = listening.getsockname()[:2]
        scheme = "http" if certificate is None else "https"
        self._heads = HeadReader({"wsgi.url_scheme": scheme, "SERVER_NAME": host, "SERVER_PORT": str(port)})
        self._writer = HeadWriter()
        self._connections: dict[int, Connection] = {}
        self._readiness = Readiness(listening)
        self._ends_at: float | None = None
        self._turns = Turns(self._lead)
        #: Responses that late threads have made, and connections on which a request waits.
        self._made: deque[tuple[Connection, Head | None, Response | None]] = deque()

    def start(self) -> None:
        """Accept connections from now on, in threads of the loop's own."""
        self._turns.start()

    def stop(self) -> None:
        """Accept no more connections, give responses that are on their way a second, and end."""
        self._ends_at = sources.stopwatch() + _END_SECONDS
        self._readiness.wake()
        self._turns.ended.wait(2 * _END_SECONDS)

    # -- leading ------------------------------------------------------------------------------------------------------

    def _lead(self, term: Term) -> None:
        """Wait for events and deal with them, until another thread leads or the server ends."""
        readiness, listening = self._readiness, self._listening.fileno()
        while not self._is_over():
            for descriptor, events in readiness.wait(self._ends_at):
                connection = self._connections.get(descriptor)
                if connection is not None:
                    if not self._attend(connection, events, term):
                        return
                elif descriptor == readiness.woken:
                    if not self._send_made(term):
                        return
                elif descriptor == listening:
                    if self._ends_at is None:
                        self._accept()
                    else:
                        readiness.accept_no_more()
            readiness.call_due()
        for connection in list(self._connections.values()):
            self._drop(connection)
        readiness.close()
        self._turns.end()

    def _is_over(self) -> bool:
        if self._ends_at is None:
            return False
        pending = any(one.stage is Stage.WORKING or one.unsent is not None for one in self._connections.values())
        return not pending or sources.stopwatch() >= self._ends_at

    def _accept(self) -> None:
        for _ in range(64):  # of a crowd; then those that are connected have their turn
            try:
                connected, address = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_DESCRIPTORS:
                    self._make_room()
                return  # else the client has gone again
            connected.setblocking(False)  # noqa: FBT003 - the socket API
            with suppress(OSError):
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                if self._certificate is None:
                    connection = Connection(connected, address[0])
                else:
                    connection = SecureConnection(connected, address[0], self._certificate)
            except OSError:
                connected.close()
                continue
            connection.used = sources.stopwatch()
            self._connections[connection.fileno()] = connection
            self._readiness.expect(connection, READ)

    def _make_room(self) -> None:
        """Close the connection that was not used for longest, if the system allows no more of them."""
        idle = [one for one in self._connections.values() if one.stage is Stage.READING and one.content is None]
        if idle:
            self._drop(min(idle, key=lambda one: one.used))
            return
        self._readiness.accept_no_more()
        self._readiness.later(_FULL_SECONDS, self._readiness.accept)

    def _drop(self, connection: Connection) -> None:
        descriptor = connection.fileno()
        if descriptor >= 0:
            self._readiness.expect(connection, 0)
            self._connections.pop(descriptor, None)
        connection.close()

    # -- requests -----------------------------------------------------------------------------------------------------

    def _attend(self, connection: Connection, events: int, term: Term) -> bool:
        """Deal with the events of a connection; tell whether this thread still leads."""
        try:
            if events & WRITE and connection.unsent is not None:
                if connection.send(connection.unsent):
                    self._sent(connection)
                return connection.stage is not Stage.READING or self._read(connection, term)
            if connection.stage is Stage.READING:
                data = connection.receive()
                if data:
                    if connection.content is None:
                        connection.received = connection.received + data if connection.received else data
                    elif not self._take(connection, data, term):
                        return False
                    return connection.stage is not Stage.READING or self._read(connection, term)
                if data == b"":
                    # A request may still wait that came while the response before it was sent.
                    if connection.content is None and not self._read(connection, term):
                        return False
                    if connection.stage is Stage.READING:
                        self._drop(connection)
            elif connection.stage is Stage.LINGERING_READING:
                if connection.receive() == b"":
                    self._drop(connection)
            elif events & BROKEN and connection.stage is Stage.SENDING:
                self._drop(connection)
            else:
                # It has sent the next request, or ended its side, before it has the response; that waits.
                self._readiness.expect(connection, WRITE if connection.unsent is not None else 0)
        except OSError:
            self._drop(connection)
        except Exception:  # noqa: BLE001 - the last resort: one connection is lost, not the server
            _LOG.exception("a connection is closed, since the server failed")
            self._drop(connection)
        return True

    def _read(self, connection: Connection, term: Term) -> bool:
        """Read requests from what was received; tell whether this thread still leads."""
        while connection.received:
            received = connection.received
            if received[0] in _LINE_ENDS:  # empty lines before a request (RFC 9112, section 2.2)
                connection.received = received.lstrip(b"\r\n")
                continue
            end = received.find(b"\r\n\r\n")
            if end < 0 or end > MAX_HEAD_BYTES:
                if len(received) > MAX_HEAD_BYTES:
                    self._refuse(connection, too_long())
                elif b"\n\n" in received:
                    detail = "the lines of a head end with CR LF (RFC 9112, section 2.2)"
                    self._refuse(connection, RequestRejected(400, "Bad Request", detail))
                return True
            try:
                head = self._heads.read(received[:end])
            except RequestRejected as rejected:
                self._refuse(connection, rejected)
                return True
            connection.received = received[end + 4 :]
            connection.closes = head.closes
            length = head.length
            if not length or length > self._max_content:
                # What is too long is refused without being read, by the contract's own error.
                connection.closes = connection.lingers = bool(length) or connection.closes
                if not self._answer(connection, head, BytesIO(), term):
                    return False
            elif length > 0 and len(connection.received) >= length:
                content = BytesIO(connection.received[:length])
                connection.received = connection.received[length:]
                if not self._answer(connection, head, content, term):
                    return False
            else:
                connection.head = head
                connection.content = ChunkedContent(self._max_content) if length == CHUNKED else SizedContent(length)
                begun, connection.received = connection.received, b""
                if head.expects and not begun:
                    connection.send(_CONTINUE)
                elif begun and not self._take(connection, begun, term):
                    return False
                if connection.content is not None:
                    return True
            if connection.stage is not Stage.READING:
                return True
        return True

    def _take(self, connection: Connection, data: bytes, term: Term) -> bool:
        """Take content of a request, and answer the request once it is whole; tell whether this thread still leads."""
        content, head = connection.content, connection.head
        assert content is not None
        assert head is not None
        try:
            rest = content.feed(data)
        except RequestRejected as rejected:
            self._refuse(connection, rejected)
            return True
        if rest is None:
            return True
        connection.content = connection.head = None
        if isinstance(content, ChunkedContent) and content.exceeded:
            connection.closes = connection.lingers = True
        connection.received = rest
        return self._answer(connection, head, content.file, term)

    def _answer(self, connection: Connection, head: Head, content: Any, term: Term) -> bool:
        """Make the response to a request and send it; tell whether this thread still leads."""
        connection.stage = Stage.WORKING
        environ = head.environ.copy()
        environ["REMOTE_ADDR"] = connection.address
        environ["wsgi.input"] = content
        connection.used = self._turns.work_begins()
        response = self._respond(environ)
        content.close()
        if not self._turns.work_ends(term):
            # What belongs to the leader was not touched here since the term ended.
            self._made.append((connection, head, response))
            self._readiness.wake()
            return False
        self._send(connection, head, response)
        return True

    def _refuse(self, connection: Connection, rejected: RequestRejected) -> None:
        """Refuse what is no request; nothing else on the connection can be understood."""
        connection.closes = connection.lingers = True
        connection.received = b""
        fields = [("Content-Type", PROBLEM), *rejected.fields.items()]
        response = Response(rejected.status, fields, problem_of(rejected, rejected.status))
        self._send(connection, Head({}, "", 0, closes=True, expects=False, is_old=False), response)

    # -- responses ----------------------------------------------------------------------------------------------------

    def _send_made(self, term: Term) -> bool:
        """Send the responses that late threads have made; tell whether this thread still leads."""
        self._readiness.sleep_again()
        while self._made:
            connection, head, response = self._made.popleft()
            if head is not None and response is not None:
                self._send(connection, head, response)
            if connection.stage is Stage.READING and not self._read(connection, term):
                if self._made:
                    self._readiness.wake()
                return False
        return True

    def _send(self, connection: Connection, head: Head, response: Response) -> None:
        """Send a response, as far as the client takes it."""
        status, fields, content, delivery = response
        is_head = head.method == "HEAD"
        pieces = None if delivery is None or is_head or status in WITHOUT_CONTENT else delivery.pieces
        length: int | None = len(content)
        if pieces is not None:
            length = None
            if head.is_old:  # that has no chunks: the content ends with the connection
                connection.closes = True
                length = len(content)
        field = "close" if connection.closes else "keep-alive" if head.is_old else ""
        data = self._writer.write(status, fields, length, is_head=is_head, connection=field)
        connection.stage = Stage.SENDING
        if pieces is not None:
            connection.pieces = deque(pieces if head.is_old else _chunks(pieces))
            connection.pause_seconds = delivery.pause_seconds if delivery is not None else 0.0
        elif content and not is_head:
            data += content
        try:
            if connection.send(data):
                self._sent(connection, paused=True)
            else:
                self._readiness.expect(connection, WRITE)
        except OSError:
            self._drop(connection)

    def _sent(self, connection: Connection, *, paused: bool = False) -> None:
        """Go on after all was sent that there is to send at once.

        Args:
            connection: where it was sent.
            paused: whether the next piece is due now, without a pause.
        """
        while connection.pieces:
            if not paused and connection.pause_seconds:
                self._readiness.expect(connection, READ)  # which tells, too, that the client has gone
                self._readiness.later(connection.pause_seconds, lambda: self._send_piece(connection))
                return
            if not connection.send(connection.pieces.popleft()):
                self._readiness.expect(connection, WRITE)
                return
            paused = False
        self._finish(connection)

    def _send_piece(self, connection: Connection) -> None:
        if connection.stage is not Stage.SENDING:
            return
        try:
            self._sent(connection, paused=True)
        except OSError:
            self._drop(connection)
        self._resume(connection)

    def _resume(self, connection: Connection) -> None:
        if connection.stage is Stage.READING and connection.received:
            self._made.append((connection, None, None))  # the next request has been waiting
            self._readiness.wake()

    def _finish(self, connection: Connection) -> None:
        """Go on after a response was sent whole: with the next request, or the end of the connection."""
        if not connection.closes:
            connection.stage = Stage.READING
            self._readiness.expect(connection, READ)
        elif connection.lingers:
            connection.stage = Stage.LINGERING_READING
            connection.received = b""
            connection.end()
            self._readiness.expect(connection, READ)
            self._readiness.later(_LINGER_SECONDS, lambda: self._drop(connection))
        else:
            connection.end()
            self._drop(connection)


def _chunks(pieces: Sequence[bytes]) -> list[bytes]:
    """Return pieces of content as chunks (RFC 9112, section 7.1), the last one together with the end."""
    found = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece]
    last = found.pop() if found else b""
    return [*found, last + b"0\r\n\r\n"]
