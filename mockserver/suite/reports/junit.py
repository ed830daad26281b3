"""JUnit XML report: operations are test suites, and each check on an operation is a test case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from mockserver.suite.reports.json_report import Document, verdict_of
from mockserver.suite.reports.page import printable, provenance
from mockserver.suite.verdicts.graded_findings import Level
from mockserver.suite.verdicts.tally import EVERYWHERE

#: Characters that XML 1.0, section 2.2, has no place for, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # a half of a pair included
#: Test suite for the run as a whole.
RUN = "the run"
#: Test suite of checks that were made on no operation.
ANY = "any operation"


def as_junit(document: Document) -> Iterator[str]:
    """Yield the report as JUnit XML in parts.

    A violation is a failure, as is drift if the run was to fail on drift; environment findings and an error of the run
    are errors; a check that was not run is skipped, with the reason; drift and known findings are output of a case.
    """
    run = document["run"]
    failing = verdict_of(document).failing
    root = ET.Element("testsuites", {"name": f"mockserver {run.get('command', '')}".strip()})
    for operation, checks in _by_operation(document).items():
        operation = ANY if operation == EVERYWHERE else operation
        suite = ET.SubElement(root, "testsuite", {"name": _text(operation)})
        suite.set("timestamp", run["started"].partition("+")[0])  # the schema of JUnit knows no time zone; it is UTC
        for check, (item, findings) in sorted(checks.items()):
            case = ET.SubElement(suite, "testcase", {"classname": _text(operation), "name": check, "time": "0.000"})
            _tell(case, item, findings, failing)
    if run.get("error") or run.get("interrupted"):
        suite = ET.SubElement(root, "testsuite", {"name": RUN})
        case = ET.SubElement(suite, "testcase", {"classname": RUN, "name": "could judge", "time": "0.000"})
        message = run.get("error") or "interrupted"
        ET.SubElement(case, "error", {"type": "environment", "message": _text(message)}).text = _text(message)
    for suite in root:
        _count(suite)
    _count(root)
    root.set("time", f"{run['duration_seconds']:.3f}")
    ET.indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield ET.tostring(root, encoding="unicode") + "\n"


def _by_operation(
    document: Document,
) -> dict[str, dict[str, tuple[Mapping[str, Any] | None, list[dict[str, Any]]]]]:
    """Return coverage and findings by operation and check; None as coverage if only our own stub failed."""
    found: dict[str, dict[str, tuple[Mapping[str, Any] | None, list[dict[str, Any]]]]] = {}
    for item in document["coverage"]:
        found.setdefault(item["operation"], {})[item["check"]] = (item, [])
    for finding in document["findings"]:
        checks = found.setdefault(finding["operation"], {})
        checks.setdefault(finding["check"], (None, []))[1].append(finding)
    return dict(sorted(found.items()))


def _tell(
    case: ET.Element, item: Mapping[str, Any] | None, findings: list[dict[str, Any]], failing: frozenset[Level]
) -> None:
    news = [finding for finding in findings if not finding.get("known")]
    # At most one of these in a case: some readers take no more.
    for tag, wanted in (("failure", failing), ("error", frozenset({"environment"}))):
        shown = [finding for finding in news if finding["level"] in wanted]
        if shown:
            element = ET.SubElement(case, tag, {"type": shown[0]["level"], "message": _text(shown[0]["title"])})
            element.text = _text("\n\n".join(map(_finding, shown)))
            break
    else:
        if item is not None and item["result"] in {"in part", "not run"} and not findings:
            # JUnit has nothing in between: what is missing could fail, so the case does not count as passed.
            part = f"in part, {item['cases']} cases passed; " if item["result"] == "in part" else ""
            ET.SubElement(case, "skipped", {"message": _text(part + item["why"])})
    others = [finding for finding in findings if finding["level"] not in failing or finding.get("known")]
    if others:
        ET.SubElement(case, "system-out").text = _text("\n\n".join(map(_finding, others)))


def _finding(finding: dict[str, Any]) -> str:
    lines = [
        f"{finding['level'].upper()} {finding['title']} ({finding['id']}, {finding['times']} times)",
        finding["detail"],
        f"owner: {finding['owner']}, because {provenance(finding)}",
        f"contract: {finding['pointer']}",
    ]
    if finding.get("known"):
        lines.append(f"known: {finding['known']}")
    return "\n".join([*lines, *finding["reproduce"].splitlines()])


def _count(element: ET.Element) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", "0.000")


def _text(value: str) -> str:
    written = _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    return "\n".join(map(printable, written.split("\n")))
