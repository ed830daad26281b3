"""Documented exchanges: which request example belongs to which response example of an operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mockserver.contract.model import Contract, Example, MediaType, Operation, Presumptions

#: Name given to an `example`, which has no name of its own.
_ANONYMOUS = "example"


@dataclass(frozen=True, slots=True)
class ExamplePair:
    """Documented exchange: a request example (None: a request without content) and the example of its response."""

    operation: Operation
    request: Example | None
    request_media_type: str | None
    response: Example
    status: str
    response_media_type: str

    @property
    def name(self) -> str:
        """Name of the exchange, `operationId/example`, as `mockserver examples` and `x-mockserver-presumes` use it."""
        return f"{self.operation.id}/{(self.request or self.response).name}"

    @property
    def arguments(self) -> Mapping[tuple[str, str], Example]:
        """Examples of the parameters that the exchange is sent with, by location and name of the parameter.

        A parameter's example with the name of the exchange is used, else the first example of a required parameter. An
        `example` without a name belongs to no exchange. A required parameter without any example is left out.
        """
        names = [self.request.name] if self.request is not None else []
        names = [name for name in (*names, self.response.name) if name != _ANONYMOUS]
        found: dict[tuple[str, str], Example] = {}
        for parameter in self.operation.parameters:
            own = [parameter.examples[name] for name in names if name in parameter.examples]
            any_will_do = parameter.examples.values() if parameter.required else ()
            example = next(iter((*own, *any_will_do)), None)
            if example is not None:
                found[parameter.location, parameter.name] = example
        return found


def pairs_in(contract: Contract) -> Iterator[ExamplePair]:
    """Yield every documented exchange of a contract: each request example with the example of its response."""
    for operation in contract.operations:
        yield from pairs_of(operation)


def pair_named(contract: Contract, call: str) -> ExamplePair | None:
    """Return the documented exchange `operationId/example`, or an operation's first for an `operationId`; else None."""
    operation_id, _, example = call.partition("/")
    operation = contract.by_id.get(operation_id)
    pairs = pairs_of(operation) if operation is not None else ()
    return next((pair for pair in pairs if not example or pair.name == call), None)


def pairs_of(operation: Operation) -> Iterator[ExamplePair]:
    """Yield the documented exchanges of one operation: each request example with the example of its response.

    A request example belongs to the 2xx response example of the same name. Only if it names its response example
    itself, that may be an error's: without that, equal names may be chance.
    """
    successes, errors = _response_examples(operation, success=True), _response_examples(operation, success=False)
    if operation.request_body is None:
        for status, media_type, example in successes.values():
            yield ExamplePair(operation, None, None, example, status, media_type.name)
        return
    for request_type in operation.request_body.content.values():
        for request in request_type.examples.values():
            found = successes.get(request.response_name)
            if found is None and request.names_response():
                found = errors.get(request.response_name)
            if found is not None:
                status, media_type, example = found
                yield ExamplePair(operation, request, request_type.name, example, status, media_type.name)


def presumed_success(operation: Operation) -> Presumptions:
    """Return the conditions of an operation's first documented successful exchange: caller, earlier calls and so on."""
    succeed = (pair.response.presumes for pair in pairs_of(operation) if pair.status.startswith("2"))
    return next(succeed, Presumptions())


def _response_examples(operation: Operation, *, success: bool) -> dict[str, tuple[str, MediaType, Example]]:
    """Return the examples of an operation's 2xx responses, or of all others, by name, with status and media type."""
    found: dict[str, tuple[str, MediaType, Example]] = {}
    for status, response in operation.responses.items():
        if status.startswith("2") == success:
            for media_type in response.content.values():
                for example in media_type.examples.values():
                    found.setdefault(example.name, (status, media_type, example))
    return found
