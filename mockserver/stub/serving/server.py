"""HTTP server of the stub: granian's WSGI worker in this process, or in child processes that end with it.

Granian's own command forks a worker that goes on serving when its parent is killed, and it binds with
`SO_REUSEPORT`, so that a second server on the port starts without complaint (both seen with 2.8). Here the one process
that is printed holds the socket, and children watch a pipe that closes with it. This is the only module that knows
granian (docs/decisions/0006-granian-in-process.md).
"""

from __future__ import annotations

import asyncio
import importlib
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, SSLProtocols

from mockserver.errors import MockServerError, UsageError

BACKLOG = 1024
#: Threads that run Python. The lock of the interpreter lets one run at a time; the others keep a slow upload or a
#: delayed response from blocking all other requests.
THREADS = 64
_IDLE_SECONDS = 30
_RUNTIME_THREADS = 1
_RUNTIME_BLOCKING_THREADS = 64
_EXIT_BROKEN = 2

# Granian's type stubs describe another version of these.
_granian: Any = importlib.import_module("granian._granian")
_futures: Any = importlib.import_module("granian._futures")

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
    certificate: Certificate | None,
    on_ready: Callable[[], None],
) -> None:
    """Serve a stub over HTTP until SIGINT or SIGTERM; `on_ready` is called when connections are accepted.

    Raises:
        MockServerError: the application cannot be made, or a worker process ended on its own.
    """
    stop = _StopSignal()
    if workers == 1:
        _work(make_app(), listening, certificate, on_ready, stop)
    else:
        _run_children(make_app, listening, workers, certificate, on_ready, stop)


class _StopSignal:
    """Stop signal (SIGINT or SIGTERM) that the main thread can wait for.

    Over the interpreter's wake-up pipe: the system may hand a signal to one of granian's threads, and Python's own
    handler then runs only when the main thread next does, which waits here.
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
    certificate: Certificate | None,
    on_ready: Callable[[], None],
    stop: _StopSignal,
) -> None:
    tls: tuple[Any, ...] = (
        (False, None, None, None, str(SSLProtocols.tls13), None, [], False)
        if certificate is None
        else (
            True, str(certificate.certificate), str(certificate.key), None, str(SSLProtocols.tls12), None, [], False
        )
    )  # fmt: skip
    worker = _granian.WSGIWorker(
        1,
        (None, _granian.SocketHolder(listening.fileno(), False, BACKLOG)),  # noqa: FBT003 - takes no keywords
        None,
        _RUNTIME_THREADS,
        _RUNTIME_BLOCKING_THREADS,
        THREADS,
        _IDLE_SECONDS,
        BACKLOG,
        str(HTTPModes.http1),
        None,
        None,
        None,
        *tls,
        (None, None),
    )
    loop = asyncio.new_event_loop()
    shutdown = _granian.WorkerSignal()
    worker.serve_mtr(_futures._new_cbscheduler(loop, _entrance(app), impl_asyncio=True), loop, shutdown)
    on_ready()
    stop.wait()
    shutdown.set()
    loop.close()
    app.close()


def _entrance(app: Any) -> Callable[[Any, Environ], None]:
    """Return the function that the granian server calls for each request.

    Granian's own copies the process' environment variables into every request, as CGI did; a stub has no use for them,
    and for the other WSGI keys only if Flask answers.
    """
    constants: Environ = {
        "SCRIPT_NAME": "",
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
    }

    def respond(proto: Any, environ: Environ) -> None:
        response = app.respond(environ)
        if response is not None:
            proto.response_bytes(response.status, response.fields, response.content)
        else:
            proto.response_bytes(*_through_wsgi(app.pass_on, environ | constants))

    return respond


def _through_wsgi(app: Any, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, fields and content of a WSGI application's response."""
    head: list[Any] = []

    def start_response(status: str, fields: list[tuple[str, str]], _error: Any = None) -> None:
        head[:] = (int(status[:3]), fields)

    content = app(environ, start_response)
    try:
        body = b"".join(content)
    finally:
        if hasattr(content, "close"):
            content.close()
    return head[0], head[1], body


def _run_children(
    make_app: MakeApp,
    listening: socket.socket,
    workers: int,
    certificate: Certificate | None,
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
            _be_child(make_app, listening, certificate, alive_read, ready_write)
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


def _be_child(
    make_app: MakeApp,
    listening: socket.socket,
    certificate: Certificate | None,
    alive: int,
    ready: int,
) -> None:
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
        _work(make_app(), listening, certificate, on_ready, stop)
    except MockServerError as error:
        sys.stderr.write(f"mockserver: {error}\n")
        code = _EXIT_BROKEN
    finally:
        sys.stderr.flush()
        os._exit(code)
