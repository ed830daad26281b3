"""How generated requests travel: a short way for what is plain, schemathesis' own through `requests` for the rest."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from hypothesis.errors import UnsatisfiedAssumption
from requests.adapters import HTTPAdapter
from requests.utils import check_header_validity, get_encoding_from_headers
from schemathesis.core.transport import Response
from schemathesis.engine import context
from schemathesis.engine.run.probes import HEADER_NAME as PROBE
from schemathesis.generation.overrides import Override
from schemathesis.transport.requests import REQUESTS_TRANSPORT
from urllib3.exceptions import ProtocolError

from mockserver.contract.model import Operation
from mockserver.suite.fuzz.lenient_responses import original, remember
from mockserver.suite.run.session import MAX_SILENCES, Run
from mockserver.suite.safety.rate_limiter import LeftAlone, Stopped
from mockserver.suite.secrets.encoded_secrets import as_bytes
from mockserver.suite.target.bounded_responses import give, unreadable
from mockserver.suite.target.connections import is_refused
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.target.wire import Head, NoAnswer

#: What belongs to the transport, and to nobody's evidence.
_NO_COOKIES = requests.cookies.RequestsCookieJar()
_HIDDEN = frozenset({"content-length", "x-schemathesis-testcaseid", "connection", "accept-encoding"})


class Silence(requests.ConnectionError):
    """An operation gave no answer, which is reported, or did not before, and is left alone."""


def _silence(reason: str, request: Any) -> Silence:
    """Return what schemathesis is told: it looks for an error within the error, as urllib3 makes it."""
    return Silence(ProtocolError(reason), request=request)


@contextmanager
def short_way(run: Run, target: HttpTarget) -> Iterator[None]:
    """Let all that schemathesis sends pass the governor, and go the short way where it is plain."""
    make_session, send = context.make_session, REQUESTS_TRANSPORT.send

    def make_governed(*args: Any, **kwargs: Any) -> requests.Session:
        session = make_session(*args, **kwargs)
        session.trust_env = False  # neither a proxy nor a .netrc decides where credentials go
        # Redirects are not followed; `requests` fails on a `Location` that is no UTF-8 when it works out the next one.
        session.get_redirect_target = lambda _response: None  # type: ignore[method-assign,assignment]
        for scheme in ("http://", "https://"):
            session.mount(scheme, _FuzzAdapter(run, target))
        return session

    def send_case(case: Any, *, session: requests.Session | None = None, **kwargs: Any) -> Response:
        if session is None:  # some checks of schemathesis open one of their own, which nobody governs
            with make_governed(case.operation.schema.config, operation=case.operation) as own:
                return send_case(case, session=own, **kwargs)
        try:
            return _send(run, target, case, session, kwargs) or send(case, session=session, **kwargs)
        except UnicodeEncodeError:
            # From a lone surrogate that a server gave out, in a place where schemathesis knows no way to write it.
            run.verdicts.not_run("fuzz", str(case.operation.label), "a text with a lone surrogate cannot be sent")
            raise UnsatisfiedAssumption from None

    context.make_session = make_governed
    REQUESTS_TRANSPORT.send = send_case  # type: ignore[method-assign]
    try:
        yield
    finally:
        context.make_session = make_session
        del REQUESTS_TRANSPORT.send


def _send(run: Run, target: HttpTarget, case: Any, session: requests.Session, kwargs: Mapping[str, Any]) -> Any:
    """Return the answer to a case, or None if it has to go the long way, where it then gets its second try."""
    if session.auth is not None or session.headers:
        return None
    data = REQUESTS_TRANSPORT.serialize_case(
        case,
        base_url=kwargs.get("base_url"),
        headers=kwargs.get("headers"),
        params=kwargs.get("params"),
        cookies=kwargs.get("cookies"),
    )
    prepared = _prepared(data)
    if prepared is None:
        return None
    origin = _origin(target.base_url)
    if not prepared.url.startswith(f"{origin}/"):
        return None
    sent, label, operation = meaning(run, prepared)
    if run.silences.get(label, 0) >= MAX_SILENCES:
        raise _silence(f"{label} gave no answer before", prepared)
    _withhold(run, sent, label, operation)
    path = prepared.url[len(origin) :].partition("#")[0]
    started = time.perf_counter()
    try:
        with _governed(run, label):
            head = target.send_quickly(label, prepared.method, path, _fields(prepared), prepared.body)
            if head is not None:
                if target.repeated:
                    run.guard.answered(sent, None)  # what was sent first may have come through
                answered = WireResponse(head.status, head.fields, head.body, head.seconds, head.unread, head.flaw)
                run.guard.answered(sent, answered)
    except NoAnswer:
        adapter = session.get_adapter(prepared.url)
        if isinstance(adapter, _FuzzAdapter):
            adapter.tried = True
        return None
    if head is None:
        return None
    elapsed = time.perf_counter() - started
    return _response(head, prepared, remember(prepared, answered), elapsed, kwargs)


def _withhold(run: Run, sent: WireRequest, label: str, operation: Operation | None) -> None:
    """Let a case that must not be sent not count.

    Raises:
        UnsatisfiedAssumption: it must not be sent.
        requests.ReadTimeout: it must not, and is no case but a probe of the server.
    """
    why = run.guard.refusal(sent, operation)
    if why is None:
        return
    if sent.field(PROBE) is not None:
        # Before any case, and at the root whatever that is; a probe that times out tells schemathesis nothing.
        raise requests.ReadTimeout(why)
    run.verdicts.not_run("fuzz", label, why)
    raise UnsatisfiedAssumption


@contextmanager
def _governed(run: Run, label: str) -> Iterator[None]:
    """Turn the governor's refusal into a case that does not count.

    Raises:
        UnsatisfiedAssumption: it must not be sent; schemathesis does not count it then.
    """
    try:
        yield
    except LeftAlone as reason:
        run.verdicts.not_run("fuzz", label, str(reason))
    except Stopped:
        pass  # the run ends with the next event of the engine
    else:
        return
    raise UnsatisfiedAssumption


@lru_cache(maxsize=16)
def _origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _prepared(data: dict[str, Any]) -> Any:
    """Return a request as `requests` prepares it, without what takes the time; None for what is not plain."""
    if data.get("cookies") or data.get("files") or data.get("auth") is not None:
        return None
    prepared = requests.PreparedRequest()
    try:
        prepared.method = data["method"].upper()
        prepared.url = _prepared_url(data["url"]) if not data["params"] else _prepare_url(data["url"], data["params"])
        prepared.headers = headers = data["headers"]
        for field in headers.items():
            check_header_validity(field)
        prepared._cookies = _NO_COOKIES  # type: ignore[attr-defined]
        prepared.prepare_body(data.get("data"), None, data.get("json"))
    except (requests.RequestException, UnicodeError, ValueError):
        return None  # the long way fails the way that schemathesis expects
    if isinstance(prepared.body, str):
        prepared.body = as_bytes(prepared.body)
    if prepared.body is not None and not isinstance(prepared.body, bytes):
        return None
    return prepared


@lru_cache(maxsize=1024)
def _prepared_url(url: str) -> str:
    return _prepare_url(url, None)


def _prepare_url(url: str, params: Any) -> str:
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, params)
    return str(prepared.url)


def _fields(prepared: requests.PreparedRequest) -> list[tuple[str, str]]:
    return [(_text(name), _text(value)) for name, value in prepared.headers.items() if name.lower() != "content-length"]


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _response(head: Head, prepared: Any, content: bytes, elapsed: float, kwargs: Mapping[str, Any]) -> Response:
    headers: dict[str, list[str]] = {}
    for name, value in head.fields:
        headers.setdefault(name.lower(), []).append(value)
    return Response(
        status_code=head.status,
        headers=headers,
        content=content,
        request=prepared,
        elapsed=elapsed,
        verify=bool(kwargs.get("verify", True)),
        message=head.reason,
        http_version=head.version,
        encoding=_encoding(headers.get("content-type", [""])[0]),
        stream_cut_short=bool(head.unread),
        _override=Override.from_send_kwargs(kwargs),
    )


@lru_cache(maxsize=256)
def _encoding(content_type: str) -> str | None:
    found: str | None = get_encoding_from_headers(
        requests.structures.CaseInsensitiveDict({"content-type": content_type})
    )
    return found


class _FuzzAdapter(HTTPAdapter):
    """Sends what schemathesis made, once more if there is no answer; not where there never is one.

    It goes over the target's own connection, and past the same governor as the suite's own requests.

    Attributes:
        tried: whether the next request was sent once already, without an answer.
    """

    def __init__(self, run: Run, target: HttpTarget) -> None:
        self._run = run
        self._target = target
        self.tried = False
        super().__init__(pool_connections=1, pool_maxsize=1)

    def send(self, request: requests.PreparedRequest, *_args: Any, **_settings: Any) -> requests.Response:
        """Send a request.

        Raises:
            requests.RequestException: there was no answer; that it repeats is reported by then.
            UnsatisfiedAssumption: it must not be sent; schemathesis does not count it then.
        """
        sent, label, operation = meaning(self._run, request)
        if self._run.silences.get(label, 0) >= MAX_SILENCES:
            raise _silence(f"{label} gave no answer before", request)
        _withhold(self._run, sent, label, operation)
        tried, self.tried = self.tried, False
        try:
            if not tried:
                return self._send_once(label, sent, request)
        except requests.RequestException as error:
            if is_refused(error):
                raise
        self._run.guard.answered(sent, None)  # what was sent first may have come through
        try:
            return self._send_once(label, sent, request)
        except requests.RequestException as error:
            if is_refused(error):
                raise
            self._run.guard.answered(sent, None)
            self._report(sent, label, operation, error)
            raise _silence(f"{label} gave no answer", request) from error

    def _send_once(self, label: str, sent: WireRequest, request: requests.PreparedRequest) -> requests.Response:
        timeout = (self._target.connection.connect_seconds, self._target.timeout_seconds)
        with _governed(self._run, label):
            response, answered = self._target.adapter.send_for(label, request, timeout=timeout)
            self._run.guard.answered(sent, answered)
            give(response, remember(request, answered))
            return response
        raise AssertionError("sent or refused")

    def _report(
        self, sent: WireRequest, label: str, operation: Operation | None, error: requests.RequestException
    ) -> None:
        came = unreadable(error)
        slow = isinstance(error, requests.Timeout) and not came
        problem = "no answer in time, twice" if slow else "the connection was dropped before an answer, twice"
        if came:
            problem = f"the answer cannot be read as HTTP, twice: {came}"
        exchange = Exchange(sent, None, problem, dropped=not (slow or came), slow=slow)
        self._run.keeps_silent(label, operation.pointer if operation else "", exchange)


Meaning = tuple[WireRequest, str, Operation | None]


def meaning(run: Run, request: Any) -> Meaning:
    """Return a request as evidence shows it, how reports name it, and what it means by the contract."""
    known: Meaning | None = getattr(request, "meaning", None)
    if known is not None:
        return known
    sent = wire_request(run, request)
    operation = run.resolver.methods_at(sent.path).get(sent.method)
    label = operation.label if operation else f"{sent.method} {sent.path.partition('?')[0]}"
    request.meaning = sent, label, operation  # it is asked when it is sent, and again when it is judged
    return sent, label, operation


def wire_request(run: Run, request: Any) -> WireRequest:
    """Return a request of `requests` as evidence shows it."""
    body = as_bytes(request.body) if isinstance(request.body, str) else request.body
    path = _target(str(request.url), run.target.base_url)
    fields = tuple((name, _text(value)) for name, value in request.headers.items() if name.lower() not in _HIDDEN)
    return WireRequest(str(request.method), path, fields, body or None)


def _target(url: str, base_url: str) -> str:
    """Return path and query below the base URL."""
    if url.startswith(base_url) and url[len(base_url) : len(base_url) + 1] == "/":
        return url[len(base_url) :].partition("#")[0]
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path.removeprefix(urlsplit(base_url).path)


def wire_response(response: Any) -> WireResponse:
    """Return an answer as schemathesis holds it as evidence shows it, with its content as it came."""
    fields = tuple((name, value) for name, values in response.headers.items() for value in values)
    found = original(response.request)
    if found is None:
        return WireResponse(response.status_code, fields, response.content or b"")
    return replace(found, fields=fields)
