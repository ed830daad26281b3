"""Base paths of operations with servers of their own (OpenAPI 3.1, sections 4.8.9 and 4.8.10), at the target's host.

The target's URL stands for the server URL of the whole contract. An operation or path with other `servers` is at their
path in its place: with `/v1` for the contract and `/v2` for an operation, `http://host/gate/v1` leads to `/gate/v2`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from mockserver.contract.model import Contract, Operation
from mockserver.contract.reading.servers import base_paths
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.paths import Resolver


class ServerPaths:
    """Finds the base path of a request whose operation is not at that of the contract.

    Attributes:
        differ: whether there is any such operation.
    """

    def __init__(self, contract: Contract, resolver: Resolver, base_url: str) -> None:
        self._resolver = resolver
        self._usual = base_paths(contract.document.data)
        path = urlsplit(base_url).path.rstrip("/")
        self._before = next((path.removesuffix(base) for base in self._usual if path.endswith(base)), path)
        self.differ = any(map(self._is_elsewhere, contract.operations))

    def base_of(self, request: WireRequest) -> str | None:
        """Return the base path of a request, None if it is that of the target.

        A method that a path does not define is asked for where the others of the path are.
        """
        methods = self._resolver.methods_at(request.path)
        operation = methods.get(request.method) or methods.get("GET") or next(iter(methods.values()), None)
        if operation is None or not self._is_elsewhere(operation):
            return None
        return self._before + next(iter(operation.bases), "")

    def _is_elsewhere(self, operation: Operation) -> bool:
        own, usual = operation.bases or ("",), self._usual or ("",)
        return set(own).isdisjoint(usual)
