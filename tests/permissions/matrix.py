"""The permission matrix of a contract: its cells, a stub in which one of them is turned off, and what the suite says.

::

    cell      an operation, a level, and whether the object is the caller's own: refused or admitted, by the contract
    off       a refused call is answered as if the mightiest had made it; an admitted one is answered 403
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from mockserver import create_app
from mockserver.contract.model import Contract, Operation
from mockserver.contract.reading.document import load_contract
from mockserver.suite.checks import permissions
from mockserver.suite.identities.identities import Identity
from mockserver.suite.identities.seeded_accounts import seeded_identities
from mockserver.suite.run.check_run import make, plan
from mockserver.suite.run.preparation import prepare
from mockserver.suite.target.paths import Resolver
from mockserver.suite.target.processes import StubControl
from tests.faults.server import Application
from tests.wsgi_target import WsgiTarget

_TOKEN = "matrix-control-token"
#: The claims that the matrix is about; what else finds a cell is no proof that these do.
CHECKS = frozenset(check.__name__ for check in permissions.CHECKS)
Kind = Literal["any", "own", "foreign"]


class Cell(NamedTuple):
    """One statement of the matrix; `kind` "any" where the operation is about no object."""

    operation: str
    level: str
    kind: Kind
    admitted: bool

    def __str__(self) -> str:
        about = "" if self.kind == "any" else f" on {self.kind} objects"
        return f"{self.operation} {self.level}{about}"


def cells(contract: Contract) -> Iterator[Cell]:
    """Yield the matrix of a contract, operation by operation, the mightiest level first."""
    for operation in contract.operations:
        if operation.levels is None or not operation.security:
            continue
        for level in contract.levels:
            if level not in operation.levels:
                yield Cell(operation.id, level, "any", admitted=False)
            elif operation.objects is None or _is_all_one(operation, level):
                yield Cell(operation.id, level, "any", admitted=True)
            else:
                yield Cell(operation.id, level, "own", admitted=True)
                yield Cell(operation.id, level, "foreign", admitted=level in operation.objects.foreign)


def _is_all_one(operation: Operation, level: str) -> bool:
    """Tell whether nothing can be seen of whose an object is: a level that may act on all, and owns no names itself."""
    objects = operation.objects
    return objects is not None and level in objects.foreign and (objects.own == "name" or not objects.requested)


class Faulty:
    """A stub that keeps a contract, but for one cell.

    Args:
        inner: the stub.
        contract: what it keeps.
        people: the seeded identities.
        cell: what is turned off; None for nothing.
    """

    def __init__(self, inner: Application, contract: Contract, people: tuple[Identity, ...], cell: Cell | None) -> None:
        self._inner = inner
        self._cell = cell
        self._people = {person.username: person for person in people}
        self._chief = next(person for person in people if person.level == contract.levels[0])
        self._resolver = Resolver(contract)
        self._operation = contract.by_id[cell.operation] if cell else None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        content = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(content)
        target = environ.get("RAW_URI") or environ["PATH_INFO"]
        meant = self._resolver.methods_at(target).get(environ["REQUEST_METHOD"])
        caller = self._caller(environ)
        if meant is None or meant is not self._operation or caller is None or caller.level != self._cell_level:
            return self._inner(environ, start_response)
        status, fields, body = self._ask(environ)
        cell = self._cell
        assert cell is not None
        if cell.admitted:
            if status not in {401, 403} and self._is_about(meant, caller, target, content):
                status, fields, body = 403, [("Content-Type", "application/problem+json")], _REFUSED
        elif meant.objects is not None and not meant.objects.requested and cell.kind == "foreign":
            if status == 200:
                status, fields, body = self._as_chief(environ, content)
        elif status == 403:
            status, fields, body = self._as_chief(environ, content)
        start_response(f"{status} As Planted", fields)
        return [body]

    @property
    def _cell_level(self) -> str:
        return self._cell.level if self._cell else ""

    def _caller(self, environ: dict[str, Any]) -> Identity | None:
        try:
            text = base64.b64decode(environ.get("HTTP_AUTHORIZATION", "").partition(" ")[2]).decode()
        except ValueError:
            return None
        return self._people.get(text.partition(":")[0])

    def _is_about(self, operation: Operation, caller: Identity, target: str, content: bytes) -> bool:
        """Tell whether a call is one of the cell's: about the caller's own object, or another's."""
        assert self._cell is not None
        if self._cell.kind == "any":
            return True
        objects = operation.objects
        assert objects is not None
        if not objects.requested:
            return self._cell.kind == "own"  # a list has both; the cell is the call as a whole
        name = _named(operation, target, content)
        own = name == caller.username or (objects.own != "self" and _domain(name) in map(str.lower, caller.owns))
        if own and objects.own == "account" and name != caller.username and name in self._people:
            own = self._people[name].level != caller.level and self._people[name].level != self._chief.level
        return own == (self._cell.kind == "own")

    def _as_chief(self, environ: dict[str, Any], content: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        shown = base64.b64encode(f"{self._chief.username}:{self._chief.token}".encode()).decode()
        again = {**environ, "HTTP_AUTHORIZATION": f"Basic {shown}", "wsgi.input": io.BytesIO(content)}
        status, fields, body = self._ask(again)
        # Whatever the chief may not do either (another's own affairs) is done all the same.
        return (200, [("Content-Type", "application/json")], b"{}") if status == 403 else (status, fields, body)

    def _ask(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        told: list[Any] = []
        body = b"".join(self._inner(environ, lambda status, fields, *_: told.extend((status, fields))))
        return int(told[0].partition(" ")[0]), list(told[1]), body


_REFUSED = json.dumps(
    {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "no", "violations": []}
).encode()


def failing(path: Path, seed: Path, operation: str, cell: Cell | None = None) -> set[str]:
    """Return the checks of an operation that fail on a stub: a correct one, or one with a cell turned off."""
    contract = load_contract(path)
    identities = seeded_identities(seed)
    stub = create_app(path, seed_data=seed, control_token=_TOKEN).wsgi_app
    target = WsgiTarget(Faulty(stub, contract, identities.all, cell))
    run = prepare(contract, target, identities, only=[operation], control=StubControl(target, _TOKEN))
    for entry in plan(run):
        if entry.check in CHECKS:
            make(run, [entry])
    return {finding.check for finding in run.verdicts.findings()}


def _named(operation: Operation, target: str, content: bytes) -> str:
    assert operation.objects is not None
    source = operation.objects.at
    try:
        if source.startswith("$request.body#"):
            value = json.loads(content)
            for part in source.partition("#/")[2].split("/"):
                value = value[part]
            return str(value)
    except (ValueError, LookupError, TypeError):
        return ""
    parameter = source.rpartition(".")[2]
    parts = zip(operation.path.split("/"), target.partition("?")[0].split("/"), strict=False)
    return next((unquote(value) for name, value in parts if name == f"{{{parameter}}}"), "")


def _domain(name: str) -> str:
    return name.rpartition("@")[2].lower()
