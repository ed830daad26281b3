"""Admission: whether the target ever accepted the credentials of each identity, and which were never sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl

from mockserver.contract.model import Contract, Operation
from mockserver.http import basic
from mockserver.suite.identities.identities import Identities, Identity, asks_for_credentials, credentials
from mockserver.suite.target.exchange import Fields, WireRequest

_REFUSALS = frozenset({401, 403})
#: If these are the only other status codes beside a 403, the credentials were never accepted.
_NOT_LET_IN = frozenset({401, 403, 404, 405, 429, *range(500, 600)})


@dataclass(slots=True)
class _Record:
    """Results of the calls that were made with one identity's credentials.

    Attributes:
        refused: label of the first operation that refused the credentials, "" if none did.
        statuses: all status codes of those calls.
    """

    refused: str = ""
    statuses: set[int] = field(default_factory=set)


class Admissions:
    """Records the responses to calls of each identity until its credentials are accepted once."""

    def __init__(self, contract: Contract, identities: Identities) -> None:
        self._contract = contract
        self._open = list(identities.all)
        self._records = {id(identity): _Record() for identity in self._open}
        self._shown: dict[tuple[int, str], tuple[Fields, Fields] | None] = {}

    @property
    def undecided(self) -> bool:
        """Whether the credentials of some identity have not been accepted yet."""
        return bool(self._open)

    def record_response(self, operation: Operation, request: WireRequest, status: int) -> None:
        """Record the status code of a response for the identity whose credentials the request has."""
        if not asks_for_credentials(self._contract, operation):
            return
        for identity in tuple(self._open):
            if not self._is_by(identity, operation, request):
                continue
            record = self._records[id(identity)]
            record.statuses.add(status)
            if status in _REFUSALS:
                record.refused = record.refused or operation.label
            elif 200 <= status < 400:
                self._open.remove(identity)

    def login_refused(self, identity: Identity, operation: Operation, status: int) -> None:
        """Record that an identity could not log in with its own password."""
        record = self._records.get(id(identity))
        if record is not None and status in _REFUSALS:
            record.statuses.add(status)
            record.refused = record.refused or operation.label

    def refused(self) -> Iterator[tuple[str, str, frozenset[int]]]:
        """Yield label, operation and status codes of each identity whose credentials were refused, never accepted."""
        for identity in self._open:
            record = self._records[id(identity)]
            if record.refused and (401 in record.statuses or record.statuses <= _NOT_LET_IN):
                yield identity.label, record.refused, frozenset(record.statuses & _REFUSALS)

    def _is_by(self, identity: Identity, operation: Operation, request: WireRequest) -> bool:
        """Tell whether a request has an identity's credentials, for an operation that the identity may call."""
        if operation.levels is not None and identity.level not in operation.levels:
            return False
        if identity.issued is not None:
            return identity.issued.carried_by(request)
        key = (id(identity), operation.label)
        if key not in self._shown:
            self._shown[key] = credentials(self._contract, operation, identity)
        shown = self._shown[key]
        if shown is None or not any(shown):
            return False
        query = parse_qsl(request.path.partition("?")[2], keep_blank_values=True) if shown[1] else []
        return set(shown[0]) <= set(request.fields) and set(shown[1]) <= set(query)


class UnusedIdentity(NamedTuple):
    """An identity of the identities file that a run never used, with the reason."""

    identity: str
    why: str


class CredentialUsage:
    """Records which identities of the identities file had their credentials sent in a request."""

    def __init__(self, identities: Identities) -> None:
        given = identities.all if identities.path is not None else ()
        self._unsent = {
            number: (identity, tuple({value for _, value in identity.secrets()}))
            for number, identity in enumerate(given)
        }

    def record_request(self, request: WireRequest) -> None:
        """Record the credentials that a request contains."""
        if not self._unsent:
            return
        shown = "\n".join(_shown(request))
        for number, (_, secrets) in tuple(self._unsent.items()):
            if any(secret in shown for secret in secrets):
                del self._unsent[number]

    def record_login(self, identity: Identity) -> None:
        """Record that an identity has logged in with its own settings."""
        for number, (known, _) in tuple(self._unsent.items()):
            if known.issued is identity.issued:
                del self._unsent[number]

    def unsent(self) -> tuple[Identity, ...]:
        """Return the identities whose credentials were never sent."""
        return tuple(identity for identity, _ in self._unsent.values())


def unused(contract: Contract, selected: Sequence[Operation], usage: CredentialUsage) -> Iterator[UnusedIdentity]:
    """Yield each identity that a run on the selected operations never used, with the reason."""
    none = "no operation" if len(selected) == len(contract.operations) else "no selected operation"
    asking = [operation for operation in selected if asks_for_credentials(contract, operation)]
    for identity in usage.unsent():
        if identity.issued is not None and identity.issued.failure:
            continue  # that is a finding
        if not asking:
            why = f"{none} asks for credentials"
        elif all(credentials(contract, operation, identity) is None for operation in asking):
            why = f"{none} accepts its kind of credential; the schemes are {', '.join(contract.security_schemes)}"
            if identity.password and not identity.token:
                why += "; if it has to log in first, give it `login: {}`"
        elif all(operation.levels is not None and identity.level not in operation.levels for operation in asking):
            why = f"{none} is for its level {identity.level}".rstrip()
        else:
            why = "no check needed it"
        yield UnusedIdentity(identity.label, why)


def _shown(request: WireRequest) -> Iterator[str]:
    """Yield the parts of a request that may contain credentials, with Basic credentials decoded (RFC 7617)."""
    yield request.path
    for _, value in request.fields:
        yield value
        yield basic.user_pass(value) or ""
    yield (request.body or b"").decode("utf-8", "replace")
