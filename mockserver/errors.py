"""Exceptions that the package raises, as one tree.

::

    MockServerError
    ├── ContractError        the contract cannot be read or used           (at start, CLI exit 2)
    ├── UsageError           the user's options or files cannot be used    (CLI exit 2)
    ├── InternalError        a mistake of ours in check or fuzz            (CLI exit 2)
    ├── StateError           the store cannot be opened or written         (at start exit 2, later a logged 500)
    └── RequestRejected      a request breaks the contract                 (4xx)

Failures that the contract suite finds on a server are a tree apart: they are results, not errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.messages import Violation


#: Header field that marks a response of the stub that breaks the contract because no valid one could be made.
INVALID_FIELD = "Mock-Invalid"
#: Header field that names the places of an example that were mended because the example breaks its schema.
MENDED_FIELD = "Mock-Mended"


class MockServerError(Exception):
    """Base class of all exceptions that the package raises on purpose; the text is meant for people."""


class ContractError(MockServerError):
    """The contract cannot be loaded or used; the text names file, line, JSON pointer and remedy."""


class UsageError(MockServerError):
    """An option, environment variable, settings file or seed-data file cannot be used."""


class InternalError(MockServerError):
    """A bug in mockserver was met; the text names the place in the package."""


class StateError(MockServerError):
    """The store cannot be opened, read or written."""


class RequestRejected(MockServerError):  # noqa: N818 - a rejection is a proper response to the client, not an error
    """The stub rejects a request: the contract does not allow it; all violations are listed.

    Attributes:
        status: preferred status code; the contract may document another one for the same case (422, 400).
        title: what is wrong in a few words, the same for all rejections of a kind.
        detail: what is wrong with this request.
        violations: all ways in which it breaks the contract, possibly none (404, 405, 413).
        fields: response fields that the status obliges, such as `Allow` with 405 (RFC 9110, section 15.5.6).
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        violations: Sequence[Violation] = (),
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.violations = tuple(violations)
        self.fields = dict(fields or {})
