"""What a mutant is, and how the functions that make the mutants of a class are registered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from mockserver.contract.model import Operation
from mockserver.selftest.mutated_operation import Sign, Subject
from mockserver.selftest.traffic import Call, Reply


class Behind(Protocol):
    """What a mutant has at hand: the clean stub behind it, and a memory."""

    def send(self, call: Call) -> Reply:
        """Return the clean stub's reply."""
        ...

    def aside(self, call: Call) -> Reply:
        """Return the clean stub's reply from a fresh world, so that nothing of it is remembered."""
        ...

    def memory(self, call: Call) -> dict[Any, Any]:
        """Return what the mutant remembers of the call's world, to be changed in place."""
        ...

    def everywhere(self) -> dict[Any, Any]:
        """Return what the mutant remembers of all worlds together, to be changed in place."""
        ...

    def wait(self, seconds: float) -> None:
        """Let the client wait."""
        ...

    def activate(self) -> None:
        """Note that the mutant acts on this call, where that shows neither in the reply nor in what is sent on."""
        ...


#: Stands between network and stub; given the calls of its operation alone, or of all.
Plant = Callable[[Call, Behind], Reply]


class Mutation(NamedTuple):
    """How one operation is broken, and what must be found then."""

    plant: Plant
    signs: frozenset[Sign]
    slow: bool = False


#: Returns how an operation is broken; None where the class does not apply to it.
Make = Callable[[Subject], "Mutation | None"]


@dataclass(frozen=True, slots=True)
class MutantClass:
    """One way to break a contract.

    Attributes:
        name: how tables call it.
        claim: what such a server does, in a sentence.
        theme: what it is about.
    """

    name: str
    claim: str
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
    plant: Plant
    signs: frozenset[Sign]
    slow: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The classes of one theme, filled by its decorators; name and claim are those of the function."""

    theme: str
    classes: dict[str, MutantClass] = field(default_factory=dict)

    def mutant(self, make: Make) -> Make:
        """Register a function that makes the mutants of a class."""
        self.add(make.__name__, make.__doc__ or "", make)
        return make

    def add(self, name: str, claim: str, make: Make) -> None:
        """Register a class under a name, for those that are rows of a table."""
        assert claim, f"{name} does not say what a server does wrong there"
        assert name not in self.classes, name
        self.classes[name] = MutantClass(name, " ".join(claim.split()), self.theme, make)


def mutants_of(kind: MutantClass, subjects: Iterator[Subject] | tuple[Subject, ...]) -> Iterator[Mutant]:
    """Yield the mutants of a class: one for each operation that it applies to."""
    for subject in subjects:
        mutation = kind.make(subject)
        if mutation is not None and mutation.signs:
            yield Mutant(kind, subject.operation, mutation.plant, mutation.signs, mutation.slow)
