"""What a mutant is, and how the functions that make the mutants of a class are registered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from mockserver.contract.model import Operation
from mockserver.selftest.mutated_operation import MutatedOperation, Sign
from mockserver.selftest.traffic import MutantRequest, MutantResponse


class Backend(Protocol):
    """What a mutant has at hand: the clean stub behind it, and a memory."""

    def send(self, request: MutantRequest) -> MutantResponse:
        """Return the clean stub's response."""
        ...

    def send_in_fresh_world(self, request: MutantRequest) -> MutantResponse:
        """Return the clean stub's response from a fresh world, so that nothing of it is remembered."""
        ...

    def memory(self, request: MutantRequest) -> dict[Any, Any]:
        """Return what the mutant remembers of the request's world, to be changed in place."""
        ...

    def shared_memory(self) -> dict[Any, Any]:
        """Return what the mutant remembers of all worlds together, to be changed in place."""
        ...

    def wait(self, seconds: float) -> None:
        """Let the client wait."""
        ...

    def activate(self) -> None:
        """Note that the mutant acts on this request, where that shows neither in the response nor in what is sent on."""
        ...


#: Stands between network and stub; given the requests of its operation alone, or of all.
Interceptor = Callable[[MutantRequest, Backend], MutantResponse]


class Mutation(NamedTuple):
    """How one operation is broken, and what must be found then."""

    intercept: Interceptor
    signs: frozenset[Sign]
    slow: bool = False


#: Returns how an operation is broken; None where the class does not apply to it.
Make = Callable[[MutatedOperation], "Mutation | None"]


@dataclass(frozen=True, slots=True)
class MutantClass:
    """One way to break a contract.

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
    """One class at one operation.

    Attributes:
        signs: a finding is due to the mutant if its check, level and operation are one of these.
        slow: whether it keeps clients waiting, so that they better wait only shortly.
    """

    kind: MutantClass
    operation: Operation
    intercept: Interceptor
    signs: frozenset[Sign]
    slow: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The classes of one theme, filled by its decorators; name and fault are those of the function."""

    theme: str
    classes: dict[str, MutantClass] = field(default_factory=dict)

    def mutant(self, make: Make) -> Make:
        """Register a function that makes the mutants of a class."""
        self.add(make.__name__, make.__doc__ or "", make)
        return make

    def add(self, name: str, fault: str, make: Make) -> None:
        """Register a class under a name, for those that are rows of a table."""
        assert fault, f"{name} does not say what a server does wrong there"
        assert name not in self.classes, name
        self.classes[name] = MutantClass(name, " ".join(fault.split()), self.theme, make)


def mutants_of(
    kind: MutantClass, subjects: Iterator[MutatedOperation] | tuple[MutatedOperation, ...]
) -> Iterator[Mutant]:
    """Yield the mutants of a class: one for each operation that it applies to."""
    for subject in subjects:
        mutation = kind.make(subject)
        if mutation is not None and mutation.signs:
            yield Mutant(kind, subject.operation, mutation.intercept, mutation.signs, mutation.slow)
