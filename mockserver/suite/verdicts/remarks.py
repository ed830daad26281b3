"""Remarks: what a report tells of a run besides its findings."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.contract.resources.collections import infer
from mockserver.contract.source.overlay import unknown_schemes
from mockserver.suite.run.session import Run

#: So many resources are named.
_NAMED = 8
_WRITES = frozenset({"PUT", "PATCH"})


def state_remarks(run: Run) -> Iterator[str]:
    """Yield that no check of state was made, and for which resources, where the contract marks none.

    What a write leaves behind is judged by `x-mockserver-behaviour`; without it a lost write would pass unseen.
    """
    if any(operation.behaviour for operation in run.contract.operations):
        return
    paths = list(_resources(run))
    if paths:
        more = f" and {len(paths) - _NAMED} more" if paths[_NAMED:] else ""
        yield (
            f"no check of state was made, of {', '.join(paths[:_NAMED])}{more}: "
            "whether a read shows what was written is judged where the contract has x-mockserver-behaviour"
        )


def scheme_remarks(run: Run) -> Iterator[str]:
    """Yield which security schemes the contract asks for and does not define, so that nobody can show them."""
    names = list(dict.fromkeys(name for _, name in unknown_schemes(run.contract.document.data)))
    if names:
        yield (
            f"security names {', '.join(names[:_NAMED])}, which components.securitySchemes does not have: "
            "it is not asked for, and what is behind it alone is judged as open to all"
        )


def _resources(run: Run) -> Iterator[str]:
    """Yield the paths of collections, then of what is read and replaced without being an item of one."""
    selected = {operation.id for operation in run.selected}
    found = infer(run.contract).resources
    yield from (resource.collection for resource in found if not selected.isdisjoint(resource.behaviours))
    items = {path for resource in found for path in (resource.collection, resource.item)}
    methods: dict[str, set[str]] = {}
    for operation in run.selected:
        methods.setdefault(operation.path, set()).add(operation.method)
    yield from (path for path, of in methods.items() if path not in items and "GET" in of and of & _WRITES)
