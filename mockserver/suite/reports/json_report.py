"""JSON report: the document from which all other forms of a report are made."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mockserver.suite.identities.admission import UnusedIdentity
from mockserver.suite.run.internal_errors import mistake_line
from mockserver.suite.safety.ledger import LedgerSummary
from mockserver.suite.target.exchange import Exchange
from mockserver.suite.verdicts.evidence import Evidence
from mockserver.suite.verdicts.graded_findings import Finding
from mockserver.suite.verdicts.reach import Reached
from mockserver.suite.verdicts.tally import Coverage, Verdicts
from mockserver.suite.verdicts.verdict import Grounds, RunOutcome, Verdict, decide, summary_of

#: A report in its JSON form.
Document = dict[str, Any]
VERSION = 1
#: Where `mockserver serve` listens by default.
STUB_URL = "http://127.0.0.1:8080"
#: Where the usual servers of applications listen.
APPLICATION_URL = "http://127.0.0.1:8000"
#: Members of a finding that are no evidence; reports of older versions lack the last ones.
_OF_A_FINDING = (
    "id",
    "level",
    "check",
    "operation",
    "title",
    "detail",
    "source",
    "pointer",
    "rule",
    "times",
    "known",
    "cause",
)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about a run that reports show.

    Attributes:
        shard: which part of a run it is, as `1/3`; "" for a whole one.
        own_stub: whether the target was a stub that lived as long as the run.
        reach: how far the calls of each selected operation got.
        notes: what else there is to tell, in a line each.
        unused: identities that were given and never used.
        serve: shell command that serves the target, if it is an application in this process.
    """

    command: str
    target: str
    contract: str
    contract_sha256: str
    seed: int | None
    started: datetime
    duration_seconds: float
    requests: int
    operations_total: int
    verdicts: Verdicts
    evidence: Evidence
    outcome: RunOutcome = field(default_factory=RunOutcome)
    ledger: LedgerSummary = field(default_factory=LedgerSummary)
    shard: str = ""
    own_stub: bool = False
    reach: tuple[Reached, ...] = ()
    notes: tuple[str, ...] = ()
    unused: tuple[UnusedIdentity, ...] = ()
    serve: str = ""


def as_json(report: Report) -> Document:
    """Return the report as a JSON document, version 1."""
    mask = report.evidence.text
    findings = [_finding(report, finding) for finding in report.verdicts.findings()]
    coverage = [_coverage(report, item) for item in report.verdicts.coverage()]
    document = {
        "version": VERSION,
        "run": {
            "command": report.command,
            "target": report.target,
            "own_stub": report.own_stub,
            "contract": report.contract,
            "contract_sha256": report.contract_sha256,
            "seed": report.seed,
            "shard": report.shard,
            "started": report.started.isoformat(timespec="seconds"),
            "duration_seconds": round(report.duration_seconds, 3),
            "requests": report.requests,
            "operations_tested": operations_tested(coverage, report.operations_total),
            "operations_succeeded": sum(row.succeeded for row in report.reach),
            "operations_total": report.operations_total,
            "notes": list(map(mask, report.notes)),
            "identities_unused": [{"identity": mask(one.identity), "why": one.why} for one in report.unused],
            "interrupted": report.outcome.interrupted,
            "error": mask(report.outcome.error),
        },
        "summary": {},
        "reach": [
            {
                "operation": row.operation,
                "best_status": row.best_status,
                "attempts": row.attempts,
                "why": mask(row.why),
            }
            for row in report.reach
        ],
        "findings": findings,
        "coverage": coverage,
        "ledger": {
            "writes": report.ledger.writes,
            "restored": list(map(mask, report.ledger.restored)),
            "left": list(map(mask, report.ledger.left)),
        },
    }
    return with_summary(document)


def operations_tested(coverage: Iterable[Mapping[str, Any]], total: int) -> int:
    """Return the number of operations on which any check was made."""
    # Probes of undefined methods have labels of their own, which are no operations.
    return min(len({item["operation"] for item in coverage if item["cases"]}), total)


def verdict_of(document: Document) -> Verdict:
    """Return the verdict that a report's document leads to."""
    return decide(grounds_of(document))


def grounds_of(document: Document) -> Grounds:
    """Return the grounds of the verdict, from a report's document."""
    run = document["run"]
    return Grounds(
        findings=tuple(map(finding_of, document["findings"])),
        reach=tuple(map(reached_of, document.get("reach", ()))),
        cases=sum(item["cases"] for item in document["coverage"]),
        outcome=RunOutcome(run.get("error", ""), run.get("interrupted", False)),
        partly=bool(run.get("shard")),
        fail_on_drift=run.get("fail_on") == "drift",
    )


def with_summary(document: Document) -> Document:
    """Return a report's document with its findings counted by level; known findings do not count."""
    news = (finding["level"] for finding in document["findings"] if not finding.get("known"))
    return {**document, "summary": summary_of(news)}


def note_lines(document: Document) -> list[str]:
    """Return the notes of a report, one line each."""
    run = document["run"]
    idle = (f"identity {one['identity']} was never used: {one['why']}" for one in run.get("identities_unused", ()))
    return [*run.get("notes", ()), *idle]


def reached_of(row: Mapping[str, Any]) -> Reached:
    """Return how far the requests for an operation got, from a row of the JSON report's `reach`."""
    return Reached(row["operation"], row["best_status"], row["attempts"], row["why"])


def finding_of(raw: Mapping[str, Any]) -> Finding:
    """Return a finding from its JSON object in the report, without the evidence."""
    return Finding(**{name: raw.get(name, "") for name in _OF_A_FINDING})


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    """Return a finding as a JSON object; without evidence if an internal error prevents showing it."""
    try:
        return _shown(report, finding)
    except Exception as error:  # noqa: BLE001 - the other findings, and this one, are still to be reported
        mistake = mistake_line(f"the evidence of {finding.id}", error)
        return {**_shown(report, replace(finding, evidence=None, title=finding.check, detail=mistake)), "source": ""}


def _shown(report: Report, finding: Finding) -> dict[str, Any]:
    evidence, exchange = report.evidence, finding.evidence
    label = finding.operation
    whose = "our own stub: " if finding.by_stub else ""
    return {
        "id": finding.id,
        "cause": evidence.text(whose + (finding.cause or finding.title)),
        "level": finding.level,
        "owner": finding.owner,
        "rule": finding.rule,
        "check": finding.check,
        "operation": label,
        "title": evidence.text(whose + finding.title),
        "detail": evidence.text(finding.detail),
        "source": finding.source,
        "pointer": finding.pointer,
        "times": finding.times,
        "known": finding.known,
        "before": [] if exchange is None else [evidence.exchange("", step) for step in exchange.history],
        "request": None if exchange is None else evidence.request(label, exchange.request),
        "response": None if exchange is None else evidence.response(label, exchange),
        "reproduce": "" if exchange is None else _reproduce(report, finding, exchange),
    }


def _reproduce(report: Report, finding: Finding, exchange: Exchange) -> str:
    """Return shell commands that repeat an exchange against the server that showed it."""
    if report.serve and not finding.by_stub:
        curl = report.evidence.curl(finding.operation, APPLICATION_URL, exchange)
        return f"{report.serve}   # in another shell\n{curl}"
    if not finding.by_stub:
        return report.evidence.curl(finding.operation, report.target, exchange)
    serve = f"mockserver serve --contract {shlex.quote(report.contract)}   # our own stub, in another shell"
    return f"{serve}\n{report.evidence.curl(finding.operation, STUB_URL, exchange)}"


def _coverage(report: Report, item: Coverage) -> dict[str, Any]:
    return {
        "operation": item.operation,
        "check": item.check,
        "result": item.result,
        "why": report.evidence.text(item.why),
        "cases": item.cases,
        "seconds": round(item.seconds, 3),
    }
