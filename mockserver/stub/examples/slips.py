"""What the stub has to mend in a contract, or cannot serve: told at the start and by `inspect`, not by a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mockserver import sources
from mockserver.contract.model import Contract, Operation
from mockserver.contract.values.generator import Generator
from mockserver.errors import ContractError, RequestRejected
from mockserver.http.preferences import NONE
from mockserver.messages import NO_ARGUMENTS
from mockserver.stub import statuses
from mockserver.stub.examples.selection import Examples


class Slip(NamedTuple):
    """Place where a contract contradicts itself, or says too little to be served.

    Attributes:
        operation: whose call meets it.
        pointer: JSON pointer of the element.
        message: what is wrong, and what the stub does.
    """

    operation: Operation
    pointer: str
    message: str


def slips(contract: Contract, *, seconds: float | None = None) -> Iterator[Slip]:
    """Yield what has to be mended or cannot be served in a contract, in the document's order; each place once.

    Args:
        contract: what is served.
        seconds: after which operations are not looked at any more; None for as long as it takes.
    """
    started = sources.stopwatch()
    generator = Generator(contract, 0)
    told: set[str] = set()
    for operation in contract.operations:
        if seconds is not None and sources.stopwatch() - started > seconds:
            return
        for found in _of(contract, operation, generator):
            if found.pointer not in told:
                told.add(found.pointer)
                yield found


def _of(contract: Contract, operation: Operation, generator: Generator) -> Iterator[Slip]:
    try:
        _compile_request(contract, operation)
    except ContractError as error:
        yield Slip(operation, operation.pointer, f"cannot be served: {error}")
        return
    examples = Examples(contract, operation, generator, dynamic=False)
    for response in operation.responses.values():
        for media_type in response.content.values():
            try:
                prepared = examples.prepared(media_type)
            except ContractError as error:
                yield Slip(operation, media_type.pointer, f"the {response.status} response cannot be served: {error}")
                continue
            for one in prepared:
                if one.broken:
                    done = "it is mended there" if one.chosen is not None else "it is made up in its form"
                    message = f"the example {one.example.name} breaks its schema at {one.broken}; {done}"
                    yield Slip(operation, one.example.pointer, message)
    yield from _success(operation, examples)


def _compile_request(contract: Contract, operation: Operation) -> None:
    """Compile the schemas of an operation's requests.

    Raises:
        ContractError: one cannot be used.
    """
    contents = list(operation.request_body.content.values()) if operation.request_body is not None else []
    contents += [one.content for one in operation.parameters if one.content is not None]
    for schema in (*(one.schema for one in operation.parameters), *(one.schema for one in contents)):
        if schema is not None:
            contract.validator(schema, "request")


def _success(operation: Operation, examples: Examples) -> Iterator[Slip]:
    """Yield why no right content can be made for the success of an operation."""
    for _, documented in statuses.successes(operation)[:1]:
        for media_type in documented.content.values() if documented is not None else ():
            if media_type.examples:
                continue
            try:
                chosen = examples.choose(documented, media_type, NO_ARGUMENTS, NONE) if documented else None
            except (ContractError, RequestRejected) as error:
                detail = error.detail if isinstance(error, RequestRejected) else str(error)
                yield Slip(operation, media_type.pointer, f"cannot be served: {detail}")
                continue
            if chosen is not None and not chosen.valid:
                yield Slip(operation, media_type.pointer, f"{chosen.why}; add an example")
