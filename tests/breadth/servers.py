"""The stub as it is asked: its application in this process, or `mockserver serve` as a user starts it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import requests

from tests.breadth.judging import Answer

Send = Callable[[requests.PreparedRequest], Answer]
_STARTED = re.compile(r"http://127\.0\.0\.1:\d+")
_START_SECONDS = 120


class DoesNotStartError(Exception):
    """The document is refused as a whole; says why."""


@contextmanager
def in_process(path: Path) -> Iterator[Send]:
    """Yield a way to ask the application of a document."""
    from mockserver.errors import MockServerError
    from mockserver.stub.app import create_app

    try:
        app = create_app(path)
    except MockServerError as error:
        raise DoesNotStartError(str(error)) from error

    yield lambda request: send_to(app, request)


def send_to(app: Callable[..., object], request: requests.PreparedRequest) -> Answer:
    """Return the answer of a WSGI application (PEP 3333)."""
    parts = urlsplit(request.url or "")
    body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
    environ: dict[str, object] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "REQUEST_URI": parts.path + ("?" + parts.query if parts.query else ""),
        "RAW_URI": parts.path + ("?" + parts.query if parts.query else ""),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if request.body is not None:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        text = value if isinstance(value, str) else value.decode("latin-1")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else "HTTP_" + key] = text
    noted: list[tuple[int, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _info: object = None) -> None:
        noted.append((int(status[:3]), {name.title(): value for name, value in headers}))

    content = b"".join(app(environ, start_response))  # type: ignore[arg-type]  # an application yields bytes
    return Answer(*noted[-1], content)


@contextmanager
def served(path: Path) -> Iterator[Send]:
    """Yield a way to ask `mockserver serve` of a document."""
    command = [sys.executable, "-m", "mockserver", "serve", "--contract", str(path), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        url = _wait(process)
        session = requests.Session()
        session.trust_env = False

        def send(request: requests.PreparedRequest) -> Answer:
            request.url = (request.url or "").replace("http://127.0.0.1", url, 1)
            answer = session.send(request, timeout=10, allow_redirects=False)
            return Answer(answer.status_code, answer.headers, answer.content)

        yield send
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _wait(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        found = _STARTED.search(line)
        if found:
            return found.group()
    raise DoesNotStartError("".join(lines).strip())
