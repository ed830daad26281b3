"""WSGI server for all mutants of a contract: the name of a request's world selects the mutant.

::

    client ── MutantServer ── world "m17-3"? ── mutant 17 ── Backend.send ── a clean stub of its own
                                    └─ any other name ────────────────────── the clean stub

Each mutant has a stub of its own, made in two milliseconds, so that no world of one is seen by another.
"""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.roles import role_of
from mockserver.messages import Response
from mockserver.selftest import clean_stub
from mockserver.selftest.catalogue import Mutant
from mockserver.selftest.registry import EQUIVALENT
from mockserver.selftest.traffic import MutantRequest, MutantResponse
from mockserver.stub.app import Stub
from mockserver.stub.response import STATUS_LINES
from mockserver.stub.routing import Router
from mockserver.stub.store.seed import Seed

Environ = dict[str, Any]

#: Where the suite asks for the list of mutants (GET), with how often each has acted so far.
CONTROL_PATH = "/__mutants__/"
_WORLD_PREFIX = "/__world__/"
_MUTANT_WORLD = re.compile(r"m(\d+)(?:-|$)")
#: The suite goes from one mutant to the next; late requests of the one before must find it.
_STUBS_KEPT = 8


class MutantServer:
    """WSGI application that passes each request to the mutant selected by its world, or to the clean stub.

    Args:
        contract: what the clean stub keeps.
        seed: accounts and secrets of each world.
        mutants: in the order of their numbers.
        token: bearer token that the control API and the list of mutants ask for, if any.
        clock: UNIX time in seconds at which all clocks stand; None for the wall clock.
    """

    def __init__(
        self,
        contract: Contract,
        seed: Seed,
        mutants: tuple[Mutant, ...],
        token: str | None = None,
        clock: int | None = None,
    ) -> None:
        self._clock = clock
        self._contract = contract
        self._seed = seed
        self._token = token
        self._mutants = mutants
        self._lock = threading.Lock()
        self._backends: OrderedDict[int, _MutantBackend] = OrderedDict()
        self._clean = self._stub()
        self._acted: dict[int, int] = {}
        self._broken: dict[int, str] = {}
        self._router: Router[Operation] = Router((item.method, item.path, item) for item in contract.operations)
        self._closing = threading.Event()

    def respond(self, environ: Environ) -> Response | None:
        """Return the response to a request, or None if Flask has to produce it."""
        path = environ.get("PATH_INFO") or "/"
        if path == CONTROL_PATH:
            return self._list(environ)
        world = environ.get("HTTP_MOCK_WORLD", "")
        if path.startswith(_WORLD_PREFIX):
            world, _, rest = path[len(_WORLD_PREFIX) :].partition("/")
            path = f"/{rest}"
        found = _MUTANT_WORLD.match(world)
        number = int(found[1]) if found else -1
        if not 0 <= number < len(self._mutants):
            return self._clean.respond(environ)
        backend = self._backend_of(number)
        if path.startswith("/__mock__/"):
            return backend.respond(environ)
        return self._mutated(backend, self._request(environ, path, world))

    def pass_on(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Return Flask's response to a request for which `respond` returned None."""
        return self._clean.pass_on(environ, start_response)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Return the response to one WSGI request (PEP 3333)."""
        response = self.respond(environ)
        if response is None:
            return self.pass_on(environ, start_response)
        start_response(STATUS_LINES[response.status], response.fields)
        return [response.content]

    def close(self) -> None:
        """End all delays of mutants and release the stubs."""
        self._closing.set()
        self._clean.close()

    def _mutated(self, backend: _MutantBackend, request: MutantRequest) -> Response:
        recorder = _RecordingBackend(backend, lambda: self._note(backend.number))
        try:
            response = backend.mutant.intercept(request, recorder)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not pass for a server that fails
            with self._lock:
                self._broken.setdefault(backend.number, f"{type(error).__name__}: {error}")
            response = recorder.send(request)
        if recorder.acted(request, response):
            recorder.activate()
        return Response(response.status, list(response.fields), response.body)

    def _note(self, number: int) -> None:
        with self._lock:
            self._acted[number] = self._acted.get(number, 0) + 1

    def _backend_of(self, number: int) -> _MutantBackend:
        with self._lock:
            found = self._backends.get(number)
            if found is None:
                found = _MutantBackend(number, self._mutants[number], self._stub(), self._closing)
                self._backends[number] = found
                if len(self._backends) > _STUBS_KEPT:
                    self._backends.popitem(last=False)
            return found

    def _stub(self) -> Stub:
        return clean_stub.clean_stub(self._contract, self._seed, self._token, self._clock)

    def _request(self, environ: Environ, path: str, world: str) -> MutantRequest:
        route = self._router.match(path)
        operation = None if route is None else route[0].methods.get(environ["REQUEST_METHOD"])
        return MutantRequest(
            environ["REQUEST_METHOD"],
            path,
            operation,
            environ.get("HTTP_AUTHORIZATION"),
            environ.get("CONTENT_TYPE"),
            _content(environ),
            world,
            environ,
        )

    def _list(self, environ: Environ) -> Response:
        if self._token is not None:
            _, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
            if not hmac.compare_digest(token.encode(), self._token.encode()):
                return Response(401, [("WWW-Authenticate", "Bearer")], b"")
        with self._lock:
            acted, broken = dict(self._acted), dict(self._broken)
        mutants = [
            {**_as_json(number, mutant), "acted": acted.get(number, 0), "broken": broken.get(number, "")}
            for number, mutant in enumerate(self._mutants)
        ]
        return Response(200, [("Content-Type", "application/json")], json.dumps({"mutants": mutants}).encode())


class _MutantBackend:
    """A mutant's own clean stub, with what the mutant remembers of each world."""

    def __init__(self, number: int, mutant: Mutant, stub: Stub, closing: threading.Event) -> None:
        self.number = number
        self.mutant = mutant
        self.closing = closing
        self.memories: dict[str, dict[Any, Any]] = {}
        self._stub = stub
        self._count = 0
        self._lock = threading.Lock()

    def respond(self, environ: Environ) -> Response:
        """Return the clean stub's response, produced by Flask if need be."""
        return clean_stub.respond(self._stub, environ)

    def send(self, request: MutantRequest) -> MutantResponse:
        """Return the clean stub's response to a request."""
        return clean_stub.send(self._stub, request)

    def fresh_world(self) -> str:
        """Return the name of a world that was never used before."""
        with self._lock:
            self._count += 1
            return f"aside-{self._count}"


class _RecordingBackend:
    """Backend for one request to a mutant; it records whether the mutant changed anything."""

    def __init__(self, backend: _MutantBackend, note: Callable[[], None]) -> None:
        self._backend = backend
        self._note = note
        self._sent: list[tuple[MutantRequest, MutantResponse]] = []
        self._acted = False

    def send(self, request: MutantRequest) -> MutantResponse:
        """Return the clean stub's response to a request, and record both."""
        response = self._backend.send(request)
        self._sent.append((request, response))
        return response

    def send_in_fresh_world(self, request: MutantRequest) -> MutantResponse:
        """Return the clean stub's response in a new world, so that the request's world stays unchanged."""
        return self.send(request._replace(world=self._backend.fresh_world()))

    def memory(self, request: MutantRequest) -> dict[Any, Any]:
        """Return the dictionary in which the mutant remembers things about the request's world."""
        return self._backend.memories.setdefault(request.world, {})

    def shared_memory(self) -> dict[Any, Any]:
        """Return the dictionary in which the mutant remembers things about all worlds together."""
        return self._backend.memories.setdefault("", {})

    def wait(self, seconds: float) -> None:
        """Delay the response by some seconds; the mutant counts as active at once."""
        self.activate()
        self._backend.closing.wait(seconds)

    def activate(self) -> None:
        """Record once that the mutant acted on this request."""
        if not self._acted:
            self._acted = True
            self._note()

    def acted(self, request: MutantRequest, response: MutantResponse) -> bool:
        """Tell whether the mutant changed the response, or sent the stub other requests that change state."""
        clean = [received for sent, received in self._sent if sent == request]
        others = [sent for sent, _ in self._sent if sent != request and sent.method not in {"GET", "HEAD"}]
        return self._acted or bool(others) or len(clean) != 1 or clean[0] != response


def _as_json(number: int, mutant: Mutant) -> Mapping[str, Any]:
    return {
        "id": number,
        "class": mutant.kind.name,
        "theme": mutant.kind.theme,
        "operation": mutant.operation.label,
        "operation_id": mutant.operation.id,
        "signs": sorted(mutant.signs),
        "slow": mutant.slow,
        "equivalent": EQUIVALENT.get((mutant.kind.name, role_of(mutant.operation)), ""),
    }


def _content(environ: Environ) -> bytes:
    length = environ.get("CONTENT_LENGTH")
    chunked = environ.get("HTTP_TRANSFER_ENCODING") or environ.get("wsgi.input_terminated")
    if length and length.isdecimal():
        content: bytes = environ["wsgi.input"].read(int(length))
    else:
        content = environ["wsgi.input"].read() if chunked else b""
    return content
