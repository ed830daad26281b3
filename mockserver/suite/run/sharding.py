"""Sharding: which operations and generated cases belong to which of several parts of a run.

Operations that write the same state stay together, so that each shard knows what its writes should have left behind.
Safe operations are split case by case. The division follows from contract and `--only`, so all shards agree on it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mockserver.contract.model import SAFE_METHODS, Operation
from mockserver.contract.roles import is_about_tokens
from mockserver.errors import UsageError
from mockserver.http.path_templates import parse_template

#: Environment variable with the number, from 0, of a pod in a Kubernetes Indexed Job.
INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
_SHARD = re.compile(r"(\d+|auto)/(\d+)")


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of a run.

    Attributes:
        number: which one, from 1.
        total: of how many.
    """

    number: int = 1
    total: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    @property
    def whole(self) -> bool:
        """Whether the shard is the whole run."""
        return self.total == 1


WHOLE = Shard()


def parse_shard(text: str, environment: Mapping[str, str] | None = None) -> Shard:
    """Return the shard that `--shard` names: `2/3`, or `auto/3` in a pod of a Kubernetes Indexed Job.

    Raises:
        UsageError: another form, no such shard, or no environment variable for `auto`.
    """
    match = _SHARD.fullmatch(text)
    if match is None:
        raise UsageError(f"--shard {text!r} is not a shard; write 2/3 for the second of three shards, or auto/3")
    total = int(match[2])
    number = _index(text, os.environ if environment is None else environment) if match[1] == "auto" else int(match[1])
    if not 1 <= number <= total:
        raise UsageError(f"--shard {text}: there is no shard {number} of {total}; shards are counted from 1")
    return Shard(number, total)


def _index(text: str, environment: Mapping[str, str]) -> int:
    index = environment.get(INDEX_VARIABLE, "")
    if not index.isdecimal():
        raise UsageError(
            f"--shard {text} takes its number from {INDEX_VARIABLE}, which is {index!r}; write 1/N instead"
        )
    return int(index) + 1


class Division:
    """Assignment of operations, and of generated cases of safe operations, to the shards of a run.

    Attributes:
        shard: the shard of this process.
    """

    def __init__(self, operations: Sequence[Operation], shard: Shard = WHOLE) -> None:
        self.shard = shard
        self._owners = {} if shard.whole else _owners(operations, shard.total)
        # Methods that a path does not define belong to the shard of the first one that it does.
        self._paths = {label.partition(" ")[2]: owner for label, owner in reversed(self._owners.items())}
        self._seen: dict[str, int] = {}

    def owns(self, label: str) -> bool:
        """Tell whether this shard runs the checks of an operation and its requests that may change state."""
        at_path = self._paths.get(label.partition(" ")[2], self.shard.number)
        return self._owners.get(label, at_path) == self.shard.number

    def calls(self, operation: Operation) -> bool:
        """Tell whether this shard sends any generated case of an operation."""
        return operation.safe or self.owns(operation.label)

    def takes(self, label: str, method: str) -> bool:
        """Tell whether this shard sends the next generated case of an operation; call it once for each case.

        Args:
            label: the operation that it was generated for.
            method: the method that it is sent with.
        """
        if self.shard.whole:
            return True
        if label.partition(" ")[0] not in SAFE_METHODS or method not in SAFE_METHODS:
            return self.owns(label)
        self._seen[label] = self._seen.get(label, 0) + 1
        return self._seen[label] % self.shard.total == self.shard.number % self.shard.total


def _owners(operations: Sequence[Operation], total: int) -> dict[str, int]:
    """Return the number of the shard that owns each operation, by label, with about equal loads."""
    loads = [0] * total
    owners: dict[str, int] = {}
    for group in sorted(groups(operations), key=lambda group: (-_weight(group), group[0].label)):
        least = loads.index(min(loads))
        loads[least] += _weight(group)
        owners |= {operation.label: least + 1 for operation in group}
    return owners


def _weight(group: Iterable[Operation]) -> int:
    """Return the approximate work for a group of operations."""
    return sum(1 if operation.safe else 4 for operation in group)


def groups(operations: Sequence[Operation]) -> list[tuple[Operation, ...]]:
    """Return the operations in groups that share no state, according to the contract or else to their paths."""
    shared = _shared_segments(operations)
    leaders: dict[str, str] = {}
    found: dict[str, list[Operation]] = {}

    def leader(key: str) -> str:
        while leaders.setdefault(key, key) != key:
            key = leaders[key]
        return key

    for operation in operations:
        first, *rest = map(leader, _keys(operation, shared))
        for key in rest:
            leaders[leader(key)] = leader(first)
    for operation in operations:
        found.setdefault(leader(_keys(operation, shared)[0]), []).append(operation)
    return [tuple(group) for group in found.values()]


def _keys(operation: Operation, shared: int) -> list[str]:
    """Return names of the state that an operation reads or writes; operations with a common name stay together."""
    behaviour = operation.behaviour
    if operation.effect == "credentials" or is_about_tokens(operation):
        return ["credentials"]
    if behaviour is not None and behaviour.resource:
        return [f"resource {behaviour.resource}"]
    if behaviour is not None:
        return [f"path {operation.path}"]
    # Where the contract says nothing, each collection in the path may be what the operation writes.
    named = [segment for segment in _segments(operation.path)[shared:] if parse_template(segment).literals[0]]
    return [f"collection {segment}" for segment in named] or [f"path {operation.path}"]


def _shared_segments(operations: Sequence[Operation]) -> int:
    """Return the number of leading segments that all paths share, as `/api/v1`."""
    paths = [_segments(operation.path) for operation in operations if operation.behaviour is None]
    if not paths:
        return 0
    limit = min(len(path) for path in paths) - 1
    return next((i for i in range(limit) if len({path[i] for path in paths}) > 1), max(limit, 0))


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]
