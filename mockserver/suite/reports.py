"""What a run tells: a JSON file for machines, a page in the terminal for people (DESIGN, section 3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mockserver.errors import UsageError
from mockserver.suite.evidence import Evidence
from mockserver.suite.ledger import Ledger
from mockserver.suite.verdicts import Coverage, Finding, Level, Outcome, Verdicts

#: Findings of one cause on many operations are listed by name up to this many.
_OPERATIONS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Report:
    """All there is to tell of a run, before it takes a form."""

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
    outcome: Outcome = field(default_factory=Outcome)
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def operations_tested(self) -> int:
        """Number of the contract's operations on which anything was tried."""
        return len({item.operation for item in self.verdicts.coverage() if item.cases and item.check})


def as_json(report: Report) -> dict[str, Any]:
    """Return the report in version 1 of the JSON form."""
    return {
        "version": 1,
        "run": {
            "target": report.target,
            "contract": report.contract,
            "contract_sha256": report.contract_sha256,
            "seed": report.seed,
            "started": report.started.isoformat(timespec="seconds"),
            "duration_seconds": round(report.duration_seconds, 3),
            "requests": report.requests,
            "operations_tested": min(report.operations_tested, report.operations_total),
            "operations_total": report.operations_total,
        },
        "summary": dict(report.verdicts.summary()),
        "findings": [_finding(report, finding) for finding in report.verdicts.findings()],
        "coverage": [_coverage(item) for item in report.verdicts.coverage()],
        "ledger": {
            "writes": report.ledger.writes,
            "restored": list(report.ledger.restored),
            "left": list(report.ledger.left),
        },
    }


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    evidence, exchange = report.evidence, finding.evidence
    label = finding.operation
    return {
        "id": finding.id,
        "level": finding.level,
        "owner": finding.owner,
        "check": finding.check,
        "operation": label,
        "title": evidence.text(finding.title),
        "detail": evidence.text(finding.detail),
        "source": finding.source,
        "pointer": finding.pointer,
        "times": finding.times,
        "request": None if exchange is None else evidence.request(label, exchange.request),
        "response": None if exchange is None else evidence.response(label, exchange),
        "reproduce": "" if exchange is None else evidence.curl(label, report.target, exchange),
    }


def _coverage(item: Coverage) -> dict[str, Any]:
    return {
        "operation": item.operation,
        "check": item.check,
        "result": item.result,
        "why": item.why,
        "cases": item.cases,
    }


def write_json(report: Report, path: Path) -> None:
    """Write the JSON report.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(as_json(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: the report cannot be written: {error.strerror}; check --report") from error


#: Kind of report -> how it is written.
WRITERS: Mapping[str, Callable[[Report, Path], None]] = {"json": write_json}


def parse_report_option(text: str) -> tuple[str, Path]:
    """Return kind and file of a `--report KIND=FILE` value.

    Raises:
        UsageError: another form, or a kind that does not exist.
    """
    kind, equals, name = text.partition("=")
    if kind not in WRITERS:
        raise UsageError(f"--report {text!r}: there is no kind {kind!r}; there are: {', '.join(WRITERS)}")
    if not equals or not name:
        raise UsageError(f"--report {text!r}: name a file, as {kind}=FILE")
    return kind, Path(name)


def as_text(report: Report) -> str:
    """Return the summary for a person: the verdict, then what matters most first."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    summary = report.verdicts.summary()
    coverage = report.verdicts.coverage()
    yield _verdict(report, summary)
    yield (
        f"  target {report.target}, contract {report.contract}"
        + (f", seed {report.seed}" if report.seed is not None else "")
        + f", {report.requests} requests in {report.duration_seconds:.1f} s"
    )
    for title, findings in _alike(report.verdicts.findings()):
        yield ""
        yield from _finding_lines(report, title, findings)
    if coverage:
        yield ""
        yield from _coverage_lines(coverage)
    if report.ledger.left:
        yield "Changed and not put back: " + ", ".join(report.ledger.left)


def _verdict(report: Report, summary: Mapping[Level, int]) -> str:
    counts = ", ".join(_count(number, name) for name, number in summary.items() if number)
    if report.outcome.interrupted:
        return f"INTERRUPTED, {counts or 'nothing found until then'}"
    if summary["violation"]:
        return f"BROKEN: {counts}" + (f"; stopped early: {report.outcome.error}" if report.outcome.error else "")
    if report.outcome.error:
        return f"NOT JUDGED: {report.outcome.error}" + (f" ({counts})" if counts else "")
    if summary["environment"]:
        return f"NOT JUDGED: {counts}"
    if not report.verdicts.tested():
        return "NOT JUDGED: nothing was tested"
    return f"KEPT, with {counts}" if summary["drift"] else "KEPT: 0 violations, 0 drift"


def _count(number: int, level: Level) -> str:
    plural = "s" if level == "violation" and number != 1 else ""
    return f"{number} {level}{plural}"


def _alike(findings: tuple[Finding, ...]) -> list[tuple[str, list[Finding]]]:
    """Return the findings with those together that differ in their operation only."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.level, finding.check, finding.pointer, finding.title), []).append(finding)
    return [(key[3], group) for key, group in groups.items()]


def _finding_lines(report: Report, title: str, findings: list[Finding]) -> Iterator[str]:
    first, evidence = findings[0], report.evidence
    named = ", ".join(finding.operation for finding in findings[:_OPERATIONS_NAMED])
    more = len(findings) - _OPERATIONS_NAMED
    times = sum(finding.times for finding in findings)
    yield f"{first.level.upper()} {evidence.text(title)}  [{first.check}]"
    yield (f"  on {named}" + (f" and {more} more" if more > 0 else "") + (f", {times} times" if times > 1 else ""))
    yield f"  {evidence.text(first.detail)}"
    yield f"  by {first.source}" + (f", at {first.pointer}" if first.pointer else "")
    if first.evidence is not None:
        for line in evidence.curl(first.operation, report.target, first.evidence).splitlines():
            yield f"  $ {line}"


def _coverage_lines(coverage: tuple[Coverage, ...]) -> Iterator[str]:
    by_check: dict[str, list[Coverage]] = {}
    for item in coverage:
        by_check.setdefault(item.check, []).append(item)
    yield "Checks (operations passed / failed / not run, cases):"
    width = max(map(len, by_check), default=0)
    for check, items in by_check.items():
        numbers = [sum(item.result == result for item in items) for result in ("passed", "failed", "not run")]
        cases = sum(item.cases for item in items)
        yield f"  {check:<{width}}  {numbers[0]:>3} / {numbers[1]:>2} / {numbers[2]:>2}  {cases:>6}"
    missing: dict[str, list[Coverage]] = {}
    for item in coverage:
        if item.result == "not run":
            missing.setdefault(item.why, []).append(item)
    for why, items in missing.items():
        checks = list(dict.fromkeys(item.check for item in items))
        operations = list(dict.fromkeys(item.operation for item in items))
        named = checks[0] if len(checks) == 1 else f"{len(checks)} checks"
        place = operations[0] if len(operations) == 1 else f"{len(operations)} operations"
        yield f"not run: {named} on {place}, because {why}"
