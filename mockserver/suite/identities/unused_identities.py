"""Unused identities: they were given and never used; whoever gave one expects something of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mockserver.contract.model import Contract, Operation
from mockserver.suite.identities.identities import Identities, Identity, asks_for_credentials, credentials
from mockserver.suite.target.exchange import WireRequest


class Unused(NamedTuple):
    """An identity that was never used, by its label, and why."""

    identity: str
    why: str


class Usage:
    """Takes note of the identities whose credentials are sent; those of a file alone, for these somebody gave."""

    def __init__(self, identities: Identities) -> None:
        given = identities.all if identities.path is not None else ()
        self._unsent = {
            number: (identity, tuple({value for _, value in identity.secrets()}))
            for number, identity in enumerate(given)
        }

    def sent(self, request: WireRequest) -> None:
        """Take note of a request."""
        if not self._unsent:
            return
        shown = "\n".join(_shown(request))
        for number, (_, secrets) in tuple(self._unsent.items()):
            if any(secret in shown for secret in secrets):
                del self._unsent[number]

    def unsent(self) -> tuple[Identity, ...]:
        """Return the identities whose credentials were never sent."""
        return tuple(identity for identity, _ in self._unsent.values())


def unused(contract: Contract, selected: Sequence[Operation], usage: Usage) -> Iterator[Unused]:
    """Yield each identity that a run on some operations never used, and why."""
    none = "no operation" if len(selected) == len(contract.operations) else "no selected operation"
    asking = [operation for operation in selected if asks_for_credentials(contract, operation)]
    for identity in usage.unsent():
        if not asking:
            why = f"{none} asks for credentials"
        elif all(credentials(contract, operation, identity) is None for operation in asking):
            why = f"{none} asks for what it has; the schemes are {', '.join(contract.security_schemes)}"
        elif all(operation.levels is not None and identity.level not in operation.levels for operation in asking):
            why = f"{none} is for its level {identity.level}".rstrip()
        else:
            why = "no check needed it"
        yield Unused(identity.label, why)


def _shown(request: WireRequest) -> Iterator[str]:
    """Yield where a request may have credentials, decoded where they are encoded (RFC 7617)."""
    yield request.path
    for _, value in request.fields:
        yield value
        try:
            yield base64.b64decode(value.partition(" ")[2], validate=True).decode()
        except ValueError:
            continue
    yield (request.body or b"").decode("utf-8", "replace")
