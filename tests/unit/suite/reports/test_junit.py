from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from mockserver.suite.reports.files import Reports
from mockserver.suite.reports.json_report import Document


def _read(document: Document, tmp_path: Path) -> JUnitXml:
    path = tmp_path / "report.xml"
    assert Reports([f"junit={path}"]).write(document) == []
    return JUnitXml.fromfile(str(path))


def _case(read: JUnitXml, operation: str, name: str) -> TestCase:
    return next(case for suite in read if suite.name == operation for case in suite if case.name == name)


def test_a_parser_counts_what_we_count(document: Document, tmp_path: Path) -> None:
    read = _read(document, tmp_path)
    told = (read.tests, read.failures, read.errors)
    suites = [(suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) for suite in read]
    read.update_statistics()  # type: ignore[no-untyped-call]  # junitparser types only what it returns
    assert (read.tests, read.failures, read.errors) == told == (3, 1, 0)
    assert suites == [("GET /note", 2, 0, 0, 1), ("PUT /note", 1, 1, 0, 0)]


def test_times_are_those_of_the_checks(document: Document, tmp_path: Path) -> None:
    for number, row in enumerate(document["coverage"], 1):
        row["seconds"] = number / 4
    read = _read(document, tmp_path)
    assert {case.name: case.time for suite in read for case in suite} == {
        row["check"]: row["seconds"] for row in document["coverage"]
    }
    assert [suite.time for suite in read] == [1.0, 0.5]
    assert read.time == document["run"]["duration_seconds"]


def test_a_failure_says_how_many_others_have_its_cause(document: Document, tmp_path: Path) -> None:
    first = document["findings"][0]
    document["findings"].append(first | {"id": "2", "operation": "GET /note"})
    (failure,) = _case(_read(document, tmp_path), "PUT /note", "no_secret_comes_back").result
    assert "cause: a 200 gives a secret back; 1 more like it, on 2 operations in all" in str(failure.text)


def test_violations_fail_and_what_was_not_run_is_skipped_with_its_reason(document: Document, tmp_path: Path) -> None:
    read = _read(document, tmp_path)
    (failure,) = _case(read, "PUT /note", "no_secret_comes_back").result
    assert isinstance(failure, Failure)
    assert failure.message == "a 200 gives a secret back"
    assert failure.text is not None
    assert "curl -i -X PUT" in failure.text
    (skipped,) = _case(read, "GET /note", "other").result
    assert isinstance(skipped, Skipped)
    assert skipped.message == "it needs an identity"
    assert _case(read, "GET /note", "claim").result == []


@pytest.mark.parametrize(
    ("changes", "fail_on", "kinds"),
    [
        ({"level": "drift"}, "", []),
        ({"level": "drift"}, "drift", [Failure]),
        ({"level": "environment"}, "", [Error]),
        ({"known": "ticket 7"}, "drift", []),
    ],
)
def test_what_does_not_fail_is_told_all_the_same(
    document: Document, tmp_path: Path, changes: dict[str, Any], fail_on: str, kinds: list[type]
) -> None:
    document["findings"][0] |= changes
    document["run"]["fail_on"] = fail_on
    case = _case(_read(document, tmp_path), "PUT /note", "no_secret_comes_back")
    assert [type(result) for result in case.result] == kinds
    if not kinds:
        assert "a 200 gives a secret back" in str(case.system_out)


def test_two_causes_of_one_case_are_one_failure(document: Document, tmp_path: Path) -> None:
    first = document["findings"][0]
    document["findings"] += [
        first | {"id": "2", "title": "the other one"},
        first | {"id": "3", "title": "drift", "level": "drift"},
    ]
    case = _case(_read(document, tmp_path), "PUT /note", "no_secret_comes_back")
    (failure,) = case.result
    assert failure.text is not None
    assert "the other one" in failure.text
    assert "DRIFT drift" in str(case.system_out)


def test_a_run_that_could_not_judge_is_an_error(document: Document, tmp_path: Path) -> None:
    document["run"]["error"] = "nothing listens"
    (error,) = _case(_read(document, tmp_path), "the run", "could judge").result
    assert isinstance(error, Error)
    assert error.message == "nothing listens"


def test_a_finding_of_our_own_stub_alone_has_a_case(document: Document, tmp_path: Path) -> None:
    document["findings"][0] |= {"owner": "contract", "level": "drift", "check": "elsewhere"}
    assert "DRIFT" in str(_case(_read(document, tmp_path), "PUT /note", "elsewhere").system_out)


def test_what_xml_has_no_place_for_is_written_out(document: Document, tmp_path: Path) -> None:
    document["findings"][0] |= {"title": "a\x00b\x1bc\ud800d]]><x>&", "detail": "\ufffe"}
    (failure,) = _case(_read(document, tmp_path), "PUT /note", "no_secret_comes_back").result
    assert failure.message == "a\\u0000b\\u001bc\\ud800d]]><x>&"
