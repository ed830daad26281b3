"""Ranking of findings by importance."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mockserver.suite.verdicts.graded_findings import LEVELS

#: Checks of secrets and credentials whose failure harms even users whose requests are valid.
_SECURITY = ("no_secret_comes_back", "ignored_auth")
#: How the names of checks end that expect a refusal.
_REFUSALS = ("_are_refused",)

#: The part of a pointer that names an operation; the same fault at many operations is one cause.
_OPERATION = re.compile(r"^/paths/[^/]*/[a-z]+")

#: Why a finding has its owner, by what decided the level; of the contract's own statements by how it knows them.
REASONS = {
    "universal": "this rule holds for every server",
    "source": "the contract documents this",
    "assumed": "the contract only assumes this",
    "observed": "the contract has this from an observation",
    "silent": "the contract says nothing about this",
    "oracle": "our own stub, which is made from the contract, fails here, too",
    "environment": "neither server nor contract is at fault",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Findings that differ only in their operation.

    Attributes:
        findings: the one that was seen most first.
    """

    findings: tuple[dict[str, Any], ...]

    @property
    def first(self) -> dict[str, Any]:
        """Finding that represents all findings of the cause."""
        return self.findings[0]

    @property
    def operations(self) -> list[str]:
        """Labels of the operations on which the cause was seen."""
        return list(dict.fromkeys(finding["operation"] for finding in self.findings))

    @property
    def times(self) -> int:
        """Number of times that the cause was seen, over all its operations."""
        return sum(finding["times"] for finding in self.findings)


def causes(findings: Iterable[dict[str, Any]]) -> list[Cause]:
    """Return the findings grouped by cause, the most important first.

    Violations before drift before environment, known ones last of all. Within a level secrets and credentials, then
    other universal rules, then what concerns most operations, then what was seen most.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for finding in findings:
        alike = ("level", "owner", "rule", "check", "title", "known")
        place = _OPERATION.sub("", finding["pointer"])
        groups.setdefault((place, *(finding.get(member, "") for member in alike)), []).append(finding)
    found = [Cause(tuple(sorted(group, key=lambda finding: -finding["times"]))) for group in groups.values()]
    return sorted(found, key=_weight)


def _weight(cause: Cause) -> tuple[Any, ...]:
    first = cause.first
    return (
        bool(first.get("known")),
        LEVELS.index(first["level"]),
        _gravity(first),
        -len(cause.operations),
        -cause.times,
        first["check"],
        first["operation"],
    )


def _gravity(finding: dict[str, Any]) -> int:
    if finding["rule"] != "universal":
        return 2
    security = finding["check"] in _SECURITY or finding["check"].endswith(_REFUSALS)
    return 0 if security else 1
