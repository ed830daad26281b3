"""Child processes of the suite (stubs, the oracle, workers), which end with the suite whatever happens."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from mockserver.errors import MockServerError
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.targets import Target


def start(module: str, spec: Mapping[str, Any]) -> subprocess.Popen[str]:
    """Start one of our modules as a process and write a JSON specification to its standard input.

    Standard input stays open: when it is closed, the process ends. Ctrl-C does not reach the process, which has a
    session of its own.
    """
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(spec, default=str) + "\n")
    process.stdin.flush()
    return process


def end(process: subprocess.Popen[str], seconds: float) -> None:
    """End a process, by force after some seconds, and close its streams."""
    try:
        if process.poll() is None:
            process.terminate()
            process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def last_words(process: subprocess.Popen[str]) -> str:
    """Return the last lines of standard error of a process that has ended."""
    assert process.stderr is not None
    return " / ".join(process.stderr.read().strip().splitlines()[-2:]) or "it printed no message"


START_SECONDS = 20.0
STOP_SECONDS = 5.0
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
#: What `mockserver serve` prints when it accepts connections.
_READY = re.compile(r" on (https?://\S+) ")
#: Prefix of settings of the user, which the stub must not inherit: a run of the suite judges defaults.
_SETTINGS = "MOCKSERVER_"


class StubProcess:
    """`mockserver serve` as a child process on a free loopback port; a context manager that always ends it.

    Args:
        contract: its file, None for that of the API.
        options: what else the command is given.
        program: what `python -m` runs, for a server that is started and ends like `mockserver serve`.
        api: its name, None for the built-in one.
        guarded: whether its control API asks for a token; without, it is as open as that of `mockserver serve`.

    Attributes:
        base_url: where it listens, known after entering.
        control_token: what its control API asks for, if it is guarded.
    """

    def __init__(
        self,
        contract: Path | None = None,
        options: Sequence[str] = (),
        *,
        program: Sequence[str] = ("mockserver", "serve"),
        api: str | None = None,
        guarded: bool = True,
    ) -> None:
        self.control_token = secrets.token_urlsafe(24)
        self._guarded = guarded
        self._command = [sys.executable, "-m", *program, "--port", "0", *options]
        if contract is not None:
            self._command += ["--contract", str(contract.resolve())]
        elif api is not None:
            self._command += ["--api", api]
        # A folder without the settings file of the user, which could give the stub another store.
        self._folder = tempfile.TemporaryDirectory(prefix="mockserver-suite-")
        self._process: subprocess.Popen[str] | None = None
        self._errors: deque[str] = deque(maxlen=20)
        self.base_url = ""

    def __enter__(self) -> StubProcess:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
        if self._guarded:
            environment["MOCKSERVER_CONTROL_TOKEN"] = self.control_token
        try:
            with _later():  # an interrupt during the start would leave the process behind
                self._process = self._start(environment)
            self.base_url = self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process, by force if it does not end by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            end(process, STOP_SECONDS)
        finally:
            self._folder.cleanup()

    def _start(self, environment: dict[str, str]) -> subprocess.Popen[str]:
        # A session of its own, so that Ctrl-C reaches us first and the stub is there until clean-up is done.
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment,
            cwd=self._folder.name,
            start_new_session=True,
        )

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> str:
        """Return the URL from the first line that the stub prints; later output is discarded.

        Raises:
            MockServerError: it ended, or printed nothing in time; with the end of its error output.
        """
        drain = threading.Thread(target=self._keep_errors, args=(process,), daemon=True)
        drain.start()
        watchdog = threading.Timer(START_SECONDS, process.kill)
        watchdog.daemon = True
        watchdog.start()
        assert process.stdout is not None
        try:
            for line in process.stdout:
                found = _READY.search(line)
                if found:
                    threading.Thread(target=_discard, args=(process.stdout,), daemon=True).start()
                    return found[1]
        finally:
            watchdog.cancel()
        drain.join(1.0)
        words = " / ".join(self._errors) or "it printed no message"
        raise MockServerError(f"the stub did not start: {words}")

    def _keep_errors(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with suppress(ValueError):  # closed by stop()
            for line in process.stderr:
                if line.strip():
                    self._errors.append(line.strip())


@contextmanager
def _later() -> Iterator[None]:
    """Delay Ctrl-C and SIGTERM until the end of the context; only the main thread receives signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    before = {number: signal.signal(number, lambda number, _: waiting.append(number)) for number in _INTERRUPTS}
    try:
        yield
    finally:
        for interrupt, handler in before.items():
            signal.signal(interrupt, handler if handler is not None else signal.SIG_DFL)
    for number in waiting:
        signal.raise_signal(number)


class StubControl:
    """Client of the stub's control API: set a world's clock and seed data, and drop the world."""

    def __init__(self, target: Target, token: str | None) -> None:
        self._target = target
        self._token = token

    def set_clock(self, world: str, now: int) -> None:
        """Set the clock of a world to a UNIX time in seconds.

        Raises:
            MockServerError: the stub refuses.
        """
        self._call("PUT", "/__mock__/clock", world, {"now": now})

    def start_from(self, world: str, overlay: str) -> None:
        """Reset a world to the seed data with an overlay of seed data.

        Raises:
            MockServerError: the stub refuses.
        """
        self._call("POST", "/__mock__/reset", world, {"overlay": overlay})

    def drop(self, world: str) -> None:
        """Delete a world that is no longer used.

        A stub that does not, because it is broken, keeps more than it need: what is wrong with it shows elsewhere.
        """
        with suppress(MockServerError):
            self._call("DELETE", "/__mock__/world", world)

    def _call(self, method: str, path: str, world: str, content: dict[str, Any] | None = None) -> None:
        fields: tuple[tuple[str, str], ...] = (("Mock-World", world),)
        if content is not None:
            fields = (("Content-Type", "application/json"), *fields)
        request = WireRequest(method, path, fields, None if content is None else json.dumps(content).encode())
        if self._token is not None:
            request = request.with_field("Authorization", f"Bearer {self._token}")
        exchange = self._target.send(request)
        response = exchange.response
        if response is None or not response.successful:
            got = exchange.problem if response is None else f"{response.status}: {response.body[:200]!r}"
            raise MockServerError(f"the stub's control API refused {path}: {got}")


def _discard(stream: Any) -> None:
    with suppress(ValueError):  # closed by stop()
        for _ in stream:
            pass
