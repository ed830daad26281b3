"""Classes of mutants, single mutants, and the decorator that registers the function making them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from mockserver.contract.model import Operation
from mockserver.selftest.mutated_operation import MutatedOperation, Sign
from mockserver.selftest.traffic import MutantRequest, MutantResponse


class Backend(Protocol):
    """Clean stub behind a mutant, with a memory that the mutant can use."""

    def send(self, request: MutantRequest) -> MutantResponse:
        """Return the clean stub's response to a request."""
        ...

    def send_in_fresh_world(self, request: MutantRequest) -> MutantResponse:
        """Return the clean stub's response in a new world, so that the request's world stays unchanged."""
        ...

    def memory(self, request: MutantRequest) -> dict[Any, Any]:
        """Return the dictionary in which the mutant remembers things about the request's world."""
        ...

    def shared_memory(self) -> dict[Any, Any]:
        """Return the dictionary in which the mutant remembers things about all worlds together."""
        ...

    def wait(self, seconds: float) -> None:
        """Delay the response by some seconds."""
        ...

    def activate(self) -> None:
        """Record that the mutant changed something for this request that neither response nor state shows."""
        ...


#: Stands between network and stub; given the requests of its operation alone, or of all.
Interceptor = Callable[[MutantRequest, Backend], MutantResponse]


class Mutation(NamedTuple):
    """Way in which one operation is broken, with the findings that the suite must report for it."""

    intercept: Interceptor
    signs: frozenset[Sign]
    slow: bool = False


#: Returns how an operation is broken; None where the class does not apply to it.
Make = Callable[[MutatedOperation], "Mutation | None"]


@dataclass(frozen=True, slots=True)
class MutantClass:
    """Class of mutants: one way to break a contract, applied to each operation where that is possible.

    Attributes:
        name: how tables request it.
        fault: what such a server does, in a sentence.
        theme: what it is about.
    """

    name: str
    fault: str
    theme: str
    make: Make


@dataclass(frozen=True, slots=True)
class Mutant:
    """Mutant: the stub with one class of fault at one operation.

    Attributes:
        signs: a finding is due to the mutant if its check, level and operation are one of these.
        slow: whether it keeps clients waiting, so that clients should use a short timeout.
    """

    kind: MutantClass
    operation: Operation
    intercept: Interceptor
    signs: frozenset[Sign]
    slow: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Classes of mutants of one theme; a decorator adds a function with its name and docstring."""

    theme: str
    classes: dict[str, MutantClass] = field(default_factory=dict)

    def mutant(self, make: Make) -> Make:
        """Register a function as a class of mutants; its docstring describes the fault."""
        self.add(make.__name__, make.__doc__ or "", make)
        return make

    def add(self, name: str, fault: str, make: Make) -> None:
        """Register a class of mutants by name, for classes that are rows of a table."""
        assert fault, f"{name} does not say what a server does wrong there"
        assert name not in self.classes, name
        self.classes[name] = MutantClass(name, " ".join(fault.split()), self.theme, make)


def mutants_of(
    kind: MutantClass, subjects: Iterator[MutatedOperation] | tuple[MutatedOperation, ...]
) -> Iterator[Mutant]:
    """Yield the mutants of a class: one for each operation to which the class applies."""
    for subject in subjects:
        mutation = kind.make(subject)
        if mutation is not None and mutation.signs:
            yield Mutant(kind, subject.operation, mutation.intercept, mutation.signs, mutation.slow)
