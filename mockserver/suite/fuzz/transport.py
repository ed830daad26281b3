"""Transport of generated requests: sent to the target like the suite's own, through its rate limiter."""

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
from requests.adapters import BaseAdapter
from requests.utils import check_header_validity, get_encoding_from_headers
from schemathesis.core.transport import Response
from schemathesis.engine.run.probes import HEADER_NAME as PROBE
from schemathesis.generation.overrides import Override
from schemathesis.transport.requests import REQUESTS_TRANSPORT
from urllib3.exceptions import ProtocolError

from mockserver.contract.model import SAFE_METHODS, Operation
from mockserver.suite.fuzz.lenient_responses import keep_original, original
from mockserver.suite.fuzz.patches import MAKE_SESSION, SEND
from mockserver.suite.run.session import MAX_SILENCES, Run
from mockserver.suite.safety.rate_limiter import LeftAlone, Stopped
from mockserver.suite.secrets.encoded_secrets import as_bytes
from mockserver.suite.target.connections import TargetLost
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.target.wire import RawResponse

#: Header fields of the transport, which evidence does not show.
_NO_COOKIES = requests.cookies.RequestsCookieJar()
_HIDDEN = frozenset({"content-length", "x-schemathesis-testcaseid", "connection", "accept-encoding"})


class TargetSilence(requests.ConnectionError):
    """The error that schemathesis gets for a request without a response."""


def _silence(reason: str, request: Any) -> TargetSilence:
    """Return the error for a missing response, nested like the errors of urllib3, as schemathesis expects."""
    return TargetSilence(ProtocolError(reason), request=request)


@contextmanager
def routed_requests(run: Run, target: HttpTarget) -> Iterator[None]:
    """Send all requests of schemathesis through the suite's own target while the context lasts."""

    def make_probing(*args: Any, **kwargs: Any) -> requests.Session:
        session: requests.Session = make_session(*args, **kwargs)
        session.trust_env = False  # no .netrc adds credentials
        # Redirects are not followed; `requests` fails on a `Location` that is no UTF-8 when it works out the next one.
        session.get_redirect_target = lambda _response: None  # type: ignore[method-assign,assignment]  # as above
        for scheme in ("http://", "https://"):
            session.mount(scheme, _ProbeAdapter(run, target))
        return session

    def send_case(case: Any, *, session: requests.Session | None = None, **kwargs: Any) -> Response:  # noqa: ARG001 - as called
        try:
            return _send(run, target, case, kwargs)
        except UnicodeEncodeError:
            # From a lone surrogate that a server gave out, in a place where schemathesis knows no way to write it.
            run.verdicts.not_run("fuzz", str(case.operation.label), "a text with a lone surrogate cannot be sent")
            raise UnsatisfiedAssumption from None

    with MAKE_SESSION.replaced(make_probing) as make_session, SEND.replaced(send_case):
        yield


def _send(run: Run, target: HttpTarget, case: Any, kwargs: Mapping[str, Any]) -> Response:
    """Send a generated case to the target and return its response in the type of schemathesis."""
    settings = {name: kwargs.get(name) for name in ("base_url", "headers", "params", "cookies")}
    prepared = _prepared(REQUESTS_TRANSPORT.serialize_case(case, **settings))
    started = time.perf_counter()
    head, content = _deliver(run, target, prepared)
    return _response(head, prepared, content, time.perf_counter() - started, kwargs)


def _deliver(run: Run, target: HttpTarget, prepared: Any) -> tuple[RawResponse, bytes]:
    """Send a prepared request; return the head of the response, and the content for schemathesis.

    Raises:
        Silence: there was none, which is reported by then, or not before, so that it is left alone.
        requests.RequestException: no connection can be made.
        UnsatisfiedAssumption: it must not be sent; schemathesis does not count it then.
    """
    sent, label, operation = meaning(run, prepared)
    if run.silences.get(label, 0) >= MAX_SILENCES:
        raise _silence(f"{label} sent no response before", prepared)
    _withhold(run, sent, label, operation)
    path = _request_target(prepared.url) if sent.base is None else sent.base + sent.path
    message = WireRequest(prepared.method, path, _fields(prepared), prepared.body)
    with _rate_limited(run, label):
        made = target.deliver(message, label)
    if made.head is None or made.repeated:
        run.guard.record_response(sent, None)  # what was sent first may have come through
    if made.head is None:
        silence = Exchange(sent, None, made.problem, dropped=made.dropped, slow=made.slow)
        run.note_silence(label, operation.pointer if operation else "", silence)
        raise _silence(f"{label} sent no response", prepared)
    head = made.head
    record_response = WireResponse(head.status, head.fields, head.body, head.seconds, head.unread, head.flaw)
    run.guard.record_response(sent, record_response)
    _remember(run, Exchange(sent, record_response))
    return head, keep_original(prepared, record_response)


def _remember(run: Run, exchange: Exchange) -> None:
    """Remember an accepted write, by what it made and by its path, for the evidence of later requests."""
    response = exchange.response
    if exchange.request.method not in SAFE_METHODS and response is not None and response.successful:
        run.creations.note("", exchange)
        run.last_writes["", exchange.request.path.partition("?")[0]] = exchange.shortened()


def _withhold(run: Run, sent: WireRequest, label: str, operation: Operation | None) -> None:
    """Make schemathesis skip a case that must not be sent.

    Raises:
        UnsatisfiedAssumption: it must not be sent.
        requests.ReadTimeout: it must not, and is no case but a probe of the server.
    """
    why = run.guard.refusal(sent, operation)
    if why is None:
        return
    if sent.field(PROBE) is not None:
        # Probes come before any case; a probe that times out has no effect in schemathesis.
        raise requests.ReadTimeout(why)
    run.verdicts.not_run("fuzz", label, why)
    raise UnsatisfiedAssumption


@contextmanager
def _rate_limited(run: Run, label: str) -> Iterator[None]:
    """Translate errors of the rate limiter and the connection into those that schemathesis knows.

    Raises:
        UnsatisfiedAssumption: the rate limiter did not let it pass; schemathesis does not count it then.
        requests.RequestException: nothing listens, by which it knows that the server is gone.
    """
    shown: BaseException | None = None
    try:
        yield
    except LeftAlone as reason:
        run.verdicts.not_run("fuzz", label, str(reason))
        shown = UnsatisfiedAssumption()
    except Stopped:
        shown = UnsatisfiedAssumption()  # the run ends with the next event of the engine
    except TargetLost as lost:
        shown = lost.__cause__ or lost
    if shown is not None:
        raise shown  # here, where it keeps the reasons that it came with


def _prepared(data: dict[str, Any]) -> Any:
    """Return a case as a prepared request of `requests`, without the slow steps of that library.

    Raises:
        requests.RequestException: it cannot be written as a request.
    """
    prepared = requests.PreparedRequest()
    prepared.method = data["method"].upper()
    prepared.url = _prepared_url(data["url"]) if not data["params"] else _prepare_url(data["url"], data["params"])
    prepared.headers = headers = data["headers"]
    for field in headers.items():
        check_header_validity(field)
    prepared._cookies = _NO_COOKIES  # type: ignore[attr-defined]  # typeshed leaves it out
    if data.get("cookies"):
        prepared.prepare_cookies(data["cookies"])
    prepared.prepare_body(data.get("data"), data.get("files"), data.get("json"))
    if data.get("auth") is not None:
        prepared.prepare_auth(data["auth"], prepared.url)
    if isinstance(prepared.body, str):
        prepared.body = as_bytes(prepared.body)
    return prepared


@lru_cache(maxsize=1024)
def _prepared_url(url: str) -> str:
    return _prepare_url(url, None)


def _prepare_url(url: str, params: Any) -> str:
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, params)
    return str(prepared.url)


def _request_target(url: str) -> str:
    """Return path and query of a URL in the form of a request line."""
    _, _, rest = url.partition("://")
    return f"/{rest.partition('/')[2].partition('#')[0]}"


def _fields(prepared: requests.PreparedRequest) -> tuple[tuple[str, str], ...]:
    fields = ((_text(name), _text(value)) for name, value in prepared.headers.items())
    return tuple(field for field in fields if field[0].lower() != "content-length")


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _response(head: RawResponse, prepared: Any, content: bytes, elapsed: float, kwargs: Mapping[str, Any]) -> Response:
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


class _ProbeAdapter(BaseAdapter):
    """Adapter of `requests` that sends the probes schemathesis makes before the first case to the target."""

    def __init__(self, run: Run, target: HttpTarget) -> None:
        super().__init__()
        self._run = run
        self._target = target

    def send(self, request: requests.PreparedRequest, *_args: Any, **_settings: Any) -> requests.Response:
        """Send a probe request through the target and return its response."""
        head, content = _deliver(self._run, self._target, request)
        response = requests.Response()
        response.status_code, response.reason, response.url = head.status, head.reason, str(request.url)
        response.headers.update(head.fields)
        response._content = content
        response.request = request
        return response

    def close(self) -> None:
        """Do nothing: the connections to the target stay open."""


Meaning = tuple[WireRequest, str, Operation | None]


def meaning(run: Run, request: Any) -> Meaning:
    """Return a prepared request in the form used as evidence, with its label and operation."""
    known: Meaning | None = getattr(request, "meaning", None)
    if known is not None:
        return known
    sent = wire_request(run, request)
    operation = run.resolver.methods_at(sent.path).get(sent.method)
    label = operation.label if operation else f"{sent.method} {sent.path.partition('?')[0]}"
    request.meaning = sent, label, operation  # it is asked when it is sent, and again when it is judged
    return sent, label, operation


def wire_request(run: Run, request: Any) -> WireRequest:
    """Return a prepared request of the library `requests` in the form used as evidence."""
    body = as_bytes(request.body) if isinstance(request.body, str) else request.body
    path = _target(str(request.url), run.target.base_url)
    fields = tuple((name, _text(value)) for name, value in request.headers.items() if name.lower() not in _HIDDEN)
    sent = WireRequest(str(request.method), path, fields, body or None)
    elsewhere = run.target.base_of(sent) if run.target.base_of is not None else None
    return sent if elsewhere is None else replace(sent, base=elsewhere)


def _target(url: str, base_url: str) -> str:
    """Return path and query of a URL without the path of the base URL."""
    if url.startswith(base_url) and url[len(base_url) : len(base_url) + 1] == "/":
        return url[len(base_url) :].partition("#")[0]
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path.removeprefix(urlsplit(base_url).path)


def wire_response(response: Any) -> WireResponse:
    """Return a response of schemathesis in the form used as evidence, with its original content."""
    fields = tuple((name, value) for name, values in response.headers.items() for value in values)
    found = original(response.request)
    if found is None:
        return WireResponse(response.status_code, fields, response.content or b"")
    return replace(found, fields=fields)
