"""Selected operations: what `--only`, `--exclude`, `--tag` and `--skip-deprecated` leave of a contract."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mockserver.contract.model import Contract, Operation
from mockserver.errors import UsageError
from mockserver.suite.safety.policy import matches_glob

#: So many operations are named in a note.
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Selection:
    """Limits of a run to some operations; an operation is selected if each limit that is given lets it through.

    Attributes:
        only: globs, one of which an operation has to match.
        exclude: globs, none of which it may match.
        tags: tags of the contract, one of which it has to have.
        skip_deprecated: whether deprecated operations are left out.
    """

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    skip_deprecated: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options that limit the run, such as `--only`; empty for a run of all operations."""
        return tuple(name for name, _ in self._limits())

    def of(self, contract: Contract) -> tuple[Operation, ...]:
        """Return the selected operations of a contract, in its order.

        Raises:
            UsageError: nothing is left, or an option names something that the contract does not have.
        """
        if not contract.operations:
            raise UsageError(f"{contract.document.path}: has no operations, so there is nothing to test")
        self._require_known(contract)
        limits = list(self._limits())
        found = tuple(operation for operation in contract.operations if all(lets(operation) for _, lets in limits))
        if not found:
            raise UsageError(f"{self._written()}: no operation matches, so there is nothing to test")
        return found

    def notes(self, contract: Contract) -> Iterator[str]:
        """Yield a line for each option with the operations that it leaves out."""
        for name, lets in self._limits():
            left_out = [operation.label for operation in contract.operations if not lets(operation)]
            if left_out:
                more = f" and {len(left_out) - _NAMED} more" if left_out[_NAMED:] else ""
                yield f"left out by {name}: {', '.join(left_out[:_NAMED])}{more}"

    def _limits(self) -> Iterator[tuple[str, Callable[[Operation], bool]]]:
        """Yield the name of each option that is given, with whether it lets an operation through."""
        if self.only:
            yield "--only", lambda operation: matches_glob(operation, self.only)
        if self.exclude:
            yield "--exclude", lambda operation: not matches_glob(operation, self.exclude)
        if self.tags:
            yield "--tag", lambda operation: not set(self.tags).isdisjoint(operation.tags)
        if self.skip_deprecated:
            yield "--skip-deprecated", lambda operation: not operation.deprecated

    def _require_known(self, contract: Contract) -> None:
        """Raise UsageError for a tag, or an excluded operation, that the contract does not have.

        A mistyped `--exclude` would send what somebody wanted to be left alone.

        Raises:
            UsageError: with the nearest name that is there.
        """
        names = [name for operation in contract.operations for name in (operation.id, operation.label)]
        for pattern in self.exclude:
            if not any(matches_glob(operation, (pattern,)) for operation in contract.operations):
                raise UsageError(
                    f"--exclude {pattern}: no operation matches, so nothing is excluded{near(pattern, names)}"
                )
        tags = list(dict.fromkeys(tag for operation in contract.operations for tag in operation.tags))
        for tag in self.tags:
            if tag not in tags:
                raise UsageError(f"--tag {tag}: no operation has this tag{near(tag, tags)}")

    def _written(self) -> str:
        given = (("--only", self.only), ("--exclude", self.exclude), ("--tag", self.tags))
        words = [f"{name} {' '.join(values)}" for name, values in given if values]
        return " ".join([*words, *(["--skip-deprecated"] if self.skip_deprecated else [])])


#: No limit.
ALL = Selection()


def near(name: str, known: Sequence[str]) -> str:
    """Return the end of a message about an unknown name: the name that was perhaps meant, or those that there are."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(known[:_NAMED])}{' and more' if known[_NAMED:] else ''}" if known else ""
