"""Names of the members that a schema documents, at any depth."""

from __future__ import annotations

from mockserver.contract.model import Contract
from mockserver.errors import ContractError
from mockserver.http.pointers import child

_BRANCHES = ("allOf", "oneOf", "anyOf", "prefixItems")
_BELOW = ("items", "additionalProperties", "if", "then", "else", "not", "unevaluatedProperties", "contains")


def member_names(contract: Contract, schema: str) -> frozenset[str]:
    """Return the names of all members that the schema at a pointer documents, empty if it documents none."""
    names: set[str] = set()
    _collect(contract, schema, names, set())
    return frozenset(names)


def _collect(contract: Contract, pointer: str, names: set[str], seen: set[str]) -> None:
    try:
        meant, place = contract.schema(pointer)
    except ContractError:
        return
    if place in seen or not isinstance(meant, dict):
        return
    seen.add(place)
    for keyword in ("properties", "patternProperties", "dependentSchemas"):
        members = meant.get(keyword)
        for name in members if isinstance(members, dict) else ():
            if keyword == "properties":
                names.add(name)
            _collect(contract, child(place, keyword, name), names, seen)
    for keyword in _BRANCHES:
        for index in range(len(meant.get(keyword) or ())):
            _collect(contract, child(place, keyword, str(index)), names, seen)
    for keyword in _BELOW:
        if isinstance(meant.get(keyword), dict):
            _collect(contract, child(place, keyword), names, seen)
