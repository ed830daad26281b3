"""Ranking of findings: those of one cause together, the most harmful first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mockserver.suite.reports.harm import harm_of
from mockserver.suite.verdicts.graded_findings import LEVELS

#: Why a finding has its owner, by what decided the level; of the contract's own statements by how it knows them.
REASONS = {
    "universal": "this rule holds for every server",
    "own": "a check of your own demands it",
    "source": "the contract documents this",
    "assumed": "the contract only assumes this",
    "observed": "the contract has this from an observation",
    "silent": "the contract says nothing about this",
    "oracle": "our own stub, which is made from the contract, fails here, too",
    "environment": "neither server nor contract is at fault",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Findings for which the same was expected and the same was seen.

    Attributes:
        findings: the one with the smallest evidence first.
    """

    findings: tuple[dict[str, Any], ...]

    @property
    def first(self) -> dict[str, Any]:
        """Finding that represents all findings of the cause."""
        return self.findings[0]

    @property
    def title(self) -> str:
        """What is wrong: the title of a single finding, else what all have in common."""
        return str(cause_of(self.first) if self.findings[1:] else self.first["title"])

    @property
    def checks(self) -> list[str]:
        """Names of the checks that failed."""
        return list(dict.fromkeys(finding["check"] for finding in self.findings))

    @property
    def operations(self) -> list[str]:
        """Labels of the operations on which the cause was seen."""
        return list(dict.fromkeys(finding["operation"] for finding in self.findings))

    @property
    def times(self) -> int:
        """Number of times that the cause was seen, over all its operations."""
        return sum(finding["times"] for finding in self.findings)


def cause_of(finding: dict[str, Any]) -> str:
    """Return the cause of a finding of the JSON report; older versions have none, so that the title stands for it."""
    return str(finding.get("cause") or finding["title"])


def causes(findings: Iterable[dict[str, Any]]) -> list[Cause]:
    """Return the findings grouped by cause, the most important first.

    Violations before drift before environment, known ones last of all. Within a level by the harm that is done, and
    only then by the number of operations and times.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for finding in findings:
        alike = (finding["level"], finding["owner"], finding["rule"] == "oracle", finding.get("known", ""))
        groups.setdefault((*alike, cause_of(finding)), []).append(finding)
    found = [Cause(tuple(sorted(group, key=_evidence))) for group in groups.values()]
    return sorted(found, key=_weight)


def _evidence(finding: dict[str, Any]) -> tuple[Any, ...]:
    """Return a key by which the finding comes first that is reproduced with least: few calls, little content."""
    shown = [
        finding.get("before") or [],
        finding["request"],
        finding["response"],
        finding["reproduce"],
        finding["detail"],
    ]
    return finding["request"] is None, len(json.dumps(shown)), finding["operation"]


def _weight(cause: Cause) -> tuple[Any, ...]:
    first = cause.first
    return (
        bool(first.get("known")),
        LEVELS.index(first["level"]),
        min(map(harm_of, cause.findings)),
        -len(cause.operations),
        -cause.times,
        first["check"],
        first["operation"],
    )
