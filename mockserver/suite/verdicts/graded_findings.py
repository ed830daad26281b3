"""Findings: failures with level and owner, merged by the statement that they contradict, with all that was observed.

Drift becomes a statement of an overlay by its observations: each accepted value, each status and media type, not only
the smallest evidence.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mockserver.contract.model import Contract
from mockserver.suite.target.exchange import Exchange
from mockserver.suite.verdicts.failures import CheckFailure, Rule

Level = Literal["violation", "drift", "environment"]
Owner = Literal["server", "contract", "environment"]
LEVELS: tuple[Level, ...] = ("violation", "drift", "environment")
#: Owner of findings of each level: who has to change something.
_OWNERS: Mapping[Level, Owner] = {"violation": "server", "drift": "contract", "environment": "environment"}
#: Number of failures of one cause that are kept apart, and the fingerprint of all others.
_MAX_FINGERPRINTS = 500
_MORE = "more"
#: So many different exchanges of one finding are kept.
MAX_OBSERVATIONS = 200
#: Longer content is kept only if nothing else shows the same cause.
_MAX_BODY = 4 * 1024
#: Checks for which the text of a failure is short and holds no values, so that it can be used as it is.
_TELLING = frozenset({"undefined_methods_are_refused"})


@dataclass(frozen=True, slots=True)
class Observation:
    """One of the different exchanges that show a finding.

    Attributes:
        seen: what the server did, in words that are the same in every run.
        exchange: the request and what came of it; None where there was none.
    """

    seen: str
    exchange: Exchange | None

    @property
    def key(self) -> tuple[object, ...]:
        """Key by which observations of one finding are told apart."""
        if self.exchange is None or self.exchange.response is None:
            return (self.seen,)
        request, response = self.exchange.request, self.exchange.response
        return self.seen, response.status, response.media_type, request.field("content-type"), request.body


def seen(check: str, got: str, exchange: Exchange | None) -> str:
    """Return a short text about what a server did where a check failed, the same in every run."""
    if check in _TELLING:
        return got
    response = exchange.response if exchange is not None else None
    # Contracts may hold these words in `x-mockserver-differs`, so they stay as they are.
    return "no answer" if response is None else str(response.status)


def joined(known: tuple[Observation, ...], new: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """Return the observations of a finding together with new ones that differ from them."""
    if len(known) >= MAX_OBSERVATIONS:
        return known
    keys = {observation.key for observation in known}
    fresh = [one for one in new if one.key not in keys and _length(one) <= _MAX_BODY]
    return (*known, *fresh)


def _length(observation: Observation) -> int:
    exchange = observation.exchange
    if exchange is None:
        return 0
    received = len(exchange.response.body) if exchange.response is not None else 0
    return len(exchange.request.body or b"") + received


@dataclass(frozen=True, slots=True)
class Finding:
    """Failures of one check on one operation against one statement of the contract.

    Attributes:
        source: how the contract knows the statement, as `source: setting_post`, or which rule needs none.
        rule: what decided the level.
        times: how often it was seen.
        known: why it is no news, "" if it is.
        evidence: the smallest exchange that shows it.
        observations: what was seen, each different thing once.
        cause: what it has in common with findings of other operations, in words; those are shown together.
        by_stub: whether the evidence is a response of our own stub, and the target showed nothing of the kind.
    """

    id: str
    level: Level
    check: str
    operation: str
    title: str
    detail: str
    source: str
    pointer: str
    rule: Rule = "contract"
    times: int = 1
    known: str = ""
    evidence: Exchange | None = None
    observations: tuple[Observation, ...] = ()
    cause: str = ""
    by_stub: bool = False

    @property
    def owner(self) -> Owner:
        """Owner of the finding: server, contract or environment, depending on the level."""
        return _OWNERS[self.level]


def finding_id(check: str, operation: str, pointer: str) -> str:
    """Return the id of a finding: a hash of check, operation and pointer, the same in every run."""
    return hashlib.sha256("\n".join((check, operation, pointer)).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def judge(contract: Contract, failure: CheckFailure) -> Finding:
    """Return the finding for a failure, with level and owner."""
    level, source = _level(contract, failure)
    return Finding(
        id=finding_id(failure.check, failure.operation, failure.pointer),
        level=level,
        check=failure.check,
        operation=failure.operation,
        title=failure.title,
        detail=f"expected {failure.expected}; got {failure.got}",
        source=source,
        pointer=failure.pointer,
        rule=failure.rule,
        evidence=failure.exchange,
        cause=failure.cause,
        observations=(Observation(seen(failure.check, failure.got, failure.exchange), failure.exchange),),
    )


def _level(contract: Contract, failure: CheckFailure) -> tuple[Level, str]:
    if failure.rule == "universal":
        return "violation", "universal rule"
    if failure.rule == "own":
        return "violation", "a check of your own"
    if failure.rule == "environment" or _was_told_to_wait(contract, failure):
        return "environment", "environment"
    if failure.rule == "silent":
        return "drift", "the contract says nothing about this"
    provenance = contract.provenance(failure.pointer)
    return ("violation" if provenance.documented else "drift"), f"{provenance.kind}: {provenance.reason}"


def _was_told_to_wait(contract: Contract, failure: CheckFailure) -> bool:
    """Tell whether the evidence is an undocumented 429, which says nothing about the request."""
    response = failure.exchange.response if failure.exchange is not None else None
    operation = contract.by_label.get(failure.operation)
    documented = operation is not None and "429" in operation.responses
    return response is not None and response.status == 429 and not documented


def as_the_contracts(finding: Finding) -> Finding:
    """Return a finding as owned by the contract, because our own stub shows the same failure."""
    return replace(finding, level="drift", rule="oracle")


def without_excused(seen: Mapping[str, Finding], excused: Mapping[str, Finding]) -> Finding:
    """Return the merged finding of failures, leaving out those that our own stub shows, too.

    Failures beyond the number that is kept apart are excused if all others are.
    """
    own = [finding for fingerprint, finding in seen.items() if fingerprint not in excused and fingerprint != _MORE]
    if not own and excused:
        return as_the_contracts(merged(seen.values()))
    return merged(own or seen.values())


def add(seen: dict[str, Finding], fingerprint: str, new: Finding) -> None:
    """Add a failure to the findings of its cause, which are kept by fingerprint."""
    if fingerprint not in seen and len(seen) >= _MAX_FINGERPRINTS:
        fingerprint = _MORE
    known = seen.get(fingerprint)
    seen[fingerprint] = new if known is None else _merge(known, new)


def merged(findings: Iterable[Finding]) -> Finding:
    """Return one finding for several failures of a cause: the gravest level, with the smallest evidence."""
    return functools.reduce(_merge, findings)


def _merge(known: Finding, new: Finding) -> Finding:
    # What is shown must show the gravest that was seen, and be the smallest of that.
    best = min(known, new, key=lambda finding: (LEVELS.index(finding.level), _size(finding)))
    observations = joined(known.observations, new.observations)
    return replace(best, times=known.times + new.times, observations=observations)


def _size(finding: Finding) -> int:
    return finding.evidence.size if finding.evidence else 0
