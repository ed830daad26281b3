"""Links that cannot be followed, for they name an operation or a parameter that is not there (OpenAPI, Link Object).

schemathesis makes no sequence at all where a contract has one of them. It is left out of the copy that the engine is
given, with a note in the report; all others are followed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import schemathesis
from schemathesis.core.errors import InvalidStateMachine, InvalidTransition
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.stateful import collect_transitions

from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.pointers import child
from mockserver.suite.run.session import Run


def followable(run: Run) -> dict[str, Any]:
    """Return a copy of the contract's document without the links that cannot be followed; say which are not."""
    data = copy.deepcopy(run.contract.document.data)
    if not any(links for _, links in _with_links(run, data)):
        return data
    broken = _broken(data)
    names = {(one.source, one.status_code, one.name) for one in broken}
    for (label, status), links in _with_links(run, data):
        for name in [name for name in links if (label, status, name) in names]:
            del links[name]
    for one in broken:
        why = "; ".join(error.message for error in one.errors)
        run.verdicts.not_run(
            "fuzz", one.source, f"the link {one.name} of {one.status_code} is not followed: {why[:300]}"
        )
    return data


def _broken(data: dict[str, Any]) -> list[InvalidTransition]:
    operations = schemathesis.openapi.from_dict(copy.deepcopy(data)).get_all_operations()
    try:
        collect_transitions([result.ok() for result in operations if isinstance(result, Ok)])
    except InvalidStateMachine as error:
        return error.errors
    return []


def _with_links(run: Run, data: dict[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Yield label, status and links of each documented answer that has some."""
    for operation in run.contract.operations:
        for status in operation.responses:
            try:
                response, _ = follow(data, child(operation.pointer, "responses", str(status)))
            except (ContractError, LookupError):
                continue
            links = response.get("links") if isinstance(response, dict) else None
            if isinstance(links, dict):
                yield (operation.label, str(status)), links
