"""JUnit XML report: operations are test suites, and each check on an operation is a test case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from mockserver.suite.reports.json_report import Document, verdict_of
from mockserver.suite.reports.page import printable, provenance
from mockserver.suite.reports.ranking import Cause, cause_of, causes
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
    alike = {finding["id"]: cause for cause in causes(document["findings"]) for finding in cause.findings}
    root = ET.Element("testsuites", {"name": f"mockserver {run.get('command', '')}".strip()})
    for operation, checks in _by_operation(document).items():
        operation = ANY if operation == EVERYWHERE else operation
        suite = ET.SubElement(root, "testsuite", {"name": _text(operation)})
        suite.set("timestamp", run["started"].partition("+")[0])  # the schema of JUnit knows no time zone; it is UTC
        for check, (item, findings) in sorted(checks.items()):
            case = ET.SubElement(suite, "testcase", {"classname": _text(operation), "name": check})
            case.set("time", f"{(item or {}).get('seconds', 0):.3f}")
            _tell(case, item, findings, failing, alike)
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
    case: ET.Element,
    item: Mapping[str, Any] | None,
    findings: list[dict[str, Any]],
    failing: frozenset[Level],
    alike: Mapping[str, Cause],
) -> None:
    def told(found: list[dict[str, Any]]) -> str:
        return _text("\n\n".join(_finding(finding, alike[finding["id"]]) for finding in found))

    news = [finding for finding in findings if not finding.get("known")]
    # At most one of these in a case: some readers take no more.
    for tag, wanted in (("failure", failing), ("error", frozenset({"environment"}))):
        shown = [finding for finding in news if finding["level"] in wanted]
        if shown:
            element = ET.SubElement(case, tag, {"type": shown[0]["level"], "message": _text(shown[0]["title"])})
            element.text = told(shown)
            break
    else:
        if item is not None and item["result"] in {"in part", "not run"} and not findings:
            # JUnit has nothing in between: what is missing could fail, so the case does not count as passed.
            part = f"in part, {item['cases']} cases passed; " if item["result"] == "in part" else ""
            ET.SubElement(case, "skipped", {"message": _text(part + item["why"])})
    others = [finding for finding in findings if finding["level"] not in failing or finding.get("known")]
    if others:
        ET.SubElement(case, "system-out").text = told(others)


def _finding(finding: dict[str, Any], cause: Cause) -> str:
    lines = [
        f"{finding['level'].upper()} {finding['title']} ({finding['id']}, {finding['times']} times)",
        finding["detail"],
        f"owner: {finding['owner']}, because {provenance(finding)}",
        f"contract: {finding['pointer']}",
    ]
    others = len(cause.findings) - 1
    if others:
        lines.append(f"cause: {cause_of(finding)}; {others} more like it, on {len(cause.operations)} operations in all")
    if finding.get("known"):
        lines.append(f"known: {finding['known']}")
    return "\n".join([*lines, *finding["reproduce"].splitlines()])


def _count(element: ET.Element) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        if name == "skipped" and element.tag == "testsuites":
            continue  # the schema that Jenkins checks has it on suites alone
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")


def _text(value: str) -> str:
    written = _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    return "\n".join(map(printable, written.split("\n")))
