"""Processes and the listening socket of the HTTP server, which is the event loop beside this module.

The one process that is printed holds the socket; with `--workers` children watch a pipe that closes with it, so that
none of them goes on serving when it is killed, and no second server shares the port unnoticed.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockserver.errors import MockServerError, UsageError
from mockserver.messages import Response
from mockserver.stub.serving.event_loop import EventLoop, Respond

BACKLOG = 1024
_EXIT_BROKEN = 2
_MAX_DESCRIPTORS = 65536
_LOG = logging.getLogger("mockserver")

#: Makes a WSGI callable that also has the methods of app.Stub.
MakeApp = Callable[[], Any]
Environ = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of a server certificate and its private key, in PEM."""

    certificate: Path
    key: Path


def listen_on(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a host and port; port 0 takes a free one.

    Raises:
        UsageError: the address is not this machine's, the port is in use or needs rights we lack.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--host {host}: is not an address of this machine: {error}") from error
    listening = socket.socket(family, kind, protocol)
    try:
        # Without SO_REUSEPORT: two servers must never share a port unnoticed.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise UsageError(
            f"{host}:{port}: cannot be listened on: {(error.strerror or str(error)).lower()}; choose another --port"
        ) from error
    listening.setblocking(False)  # noqa: FBT003 - the socket API
    return listening


def base_url_of(listening: socket.socket, *, tls: bool) -> str:
    """Return the base URL at which a listening socket can be reached."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def serve(
    make_app: MakeApp,
    listening: socket.socket,
    *,
    workers: int,
    max_content: int,
    certificate: Certificate | None,
    on_ready: Callable[[], None],
) -> None:
    """Serve a stub over HTTP until SIGINT or SIGTERM; `on_ready` is called when connections are accepted.

    Args:
        make_app: makes the application, in each process its own.
        listening: where connections are accepted.
        workers: number of processes.
        max_content: no content of a request is received beyond so many bytes.
        certificate: what to serve https with, None for http.
        on_ready: is called once.

    Raises:
        MockServerError: the application cannot be made, or a worker process ended on its own.
    """
    stop = _StopSignal()
    _allow_connections()

    def work(on_ready: Callable[[], None], stop: _StopSignal) -> None:
        _work(make_app(), listening, max_content, certificate, on_ready, stop)

    if workers == 1:
        work(on_ready, stop)
    else:
        _run_children(work, workers, on_ready, stop)


def _allow_connections() -> None:
    """Raise the number of connections that the system allows the process as far as it may be raised."""
    import resource  # not there on every system

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, _MAX_DESCRIPTORS)
    if allowed not in {resource.RLIM_INFINITY, wanted}:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, wanted), most))


class _StopSignal:
    """Stop signal (SIGINT or SIGTERM) that the main thread can wait for.

    Over the interpreter's wake-up pipe: the system may hand a signal to any thread, and Python's own handler then runs
    only when the main thread next does, which waits here.
    """

    def __init__(self) -> None:
        self._read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: None)

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait for a signal or a timeout in seconds, and tell whether a signal came."""
        return bool(select.select([self._read], [], [], timeout_seconds)[0])


def _work(
    app: Any,
    listening: socket.socket,
    max_content: int,
    certificate: Certificate | None,
    on_ready: Callable[[], None],
    stop: _StopSignal,
) -> None:
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate.certificate, certificate.key)
        context.set_alpn_protocols(["http/1.1"])
    loop = EventLoop(_entrance(app), listening, max_content, context)
    loop.start()
    on_ready()
    stop.wait()
    loop.stop()
    app.close()


def _entrance(app: Any) -> Respond:
    """Return the function that the event loop calls for each request; it spares what WSGI needs in between."""
    #: The other variables of WSGI, which the stub has no use for.
    constants: Environ = {
        "SCRIPT_NAME": "",
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
    }

    def respond(environ: Environ) -> Response:
        try:
            response: Response | None = app.respond(environ)
            return response or _through_wsgi(app.pass_on, constants | environ)
        except Exception:  # noqa: BLE001 - the last resort: the client gets a response, the log the traceback
            _LOG.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return Response(500, [], b"")

    return respond


def _through_wsgi(app: Any, environ: Environ) -> Response:
    """Return the response of a WSGI application."""
    head: list[Any] = []

    def start_response(status: str, fields: list[tuple[str, str]], _error: Any = None) -> None:
        head[:] = (int(status[:3]), fields)

    content = app(environ, start_response)
    try:
        body = b"".join(content)
    finally:
        if hasattr(content, "close"):
            content.close()
    return Response(head[0], head[1], body)


def _run_children(
    work: Callable[[Callable[[], None], _StopSignal], None],
    workers: int,
    on_ready: Callable[[], None],
    stop: _StopSignal,
) -> None:
    """Serve the stub with several child processes that accept connections on one socket."""
    alive_read, alive_write = os.pipe()  # closes with the parent, however it ends
    ready_read, ready_write = os.pipe()
    children: set[int] = set()
    for _ in range(workers):
        child = os.fork()
        if child == 0:
            os.close(alive_write)
            os.close(ready_read)
            _be_child(work, alive_read, ready_write)
        children.add(child)
    os.close(alive_read)
    os.close(ready_write)
    try:
        ready = b""
        while len(ready) < workers:
            got = os.read(ready_read, workers)
            if not got:
                break
            ready += got
        if len(ready) == workers and not stop.wait(0):
            on_ready()
        _watch(children, stop)
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)
        os.close(alive_write)  # only now: it makes a child leave at once, whatever it is doing


def _watch(children: set[int], stop: _StopSignal) -> None:
    """Wait for the signal to stop; raise MockServerError if a child process ends before."""
    while not stop.wait(0.2):
        for child in list(children):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                children.discard(child)
                raise MockServerError(
                    f"worker process {child} ended with {os.waitstatus_to_exitcode(status)}; see the lines above"
                )


def _be_child(work: Callable[[Callable[[], None], _StopSignal], None], alive: int, ready: int) -> None:
    """Serve the stub as a child process that ends when its parent does; never return."""

    def end_with_parent() -> None:
        os.read(alive, 1)
        os._exit(0)

    stop = _StopSignal()  # its own pipe: the parent's is shared by all children
    threading.Thread(target=end_with_parent, daemon=True).start()

    def on_ready() -> None:
        os.write(ready, b".")

    code = 0
    try:
        work(on_ready, stop)
    except MockServerError as error:
        sys.stderr.write(f"mockserver: {error}\n")
        code = _EXIT_BROKEN
    finally:
        sys.stderr.flush()
        os._exit(code)
