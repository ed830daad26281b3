from __future__ import annotations

import re

import pytest

from mockserver.suite.reports.conclusion import as_annotations, conclude, guarded
from mockserver.suite.reports.files import Reports
from mockserver.suite.reports.json_report import Document


def test_violations_are_errors_and_drift_warns(document: Document) -> None:
    first = document["findings"][0]
    document["findings"].append(first | {"id": "2", "level": "drift", "title": "other", "cause": "other"})
    document["findings"].append(first | {"id": "3", "known": "ticket 7", "title": "third", "cause": "third"})
    lines = list(as_annotations(document))
    assert lines[0] == (
        "::error title=violation%3A no_secret_comes_back::PUT /note: a 200 gives a secret back; "
        "expected none; got the token $ADMIN_TOKEN"
    )
    assert [line.split()[0] for line in lines] == ["::error", "::warning", "::notice"]
    document["run"]["fail_on"] = "drift"
    assert [line.split()[0] for line in as_annotations(document)][:2] == ["::error", "::error"]


def test_what_a_server_says_is_no_command(document: Document) -> None:
    document["findings"][0]["detail"] = "x\r\n::set-env name=A::b\n%0A"
    (line,) = as_annotations(document)
    assert "\n" not in line
    assert "\r" not in line
    assert line.endswith("x\\x0d%0A::set-env name=A::b%0A%250A")


def test_only_as_many_as_are_shown(document: Document) -> None:
    first = document["findings"][0]
    document["findings"] = [first | {"id": str(number), "cause": str(number)} for number in range(30)]
    assert len(list(as_annotations(document))) == 10


def test_a_run_that_could_not_judge_is_an_error(document: Document) -> None:
    document["findings"] = []
    document["run"]["error"] = "nothing listens"
    assert list(as_annotations(document)) == ["::error title=mockserver::not judged: nothing listens"]


def test_no_line_of_the_page_is_a_command() -> None:
    first, *page, last = guarded("BROKEN\n::error::x").splitlines()
    assert page == ["BROKEN", "::error::x"]
    assert re.fullmatch("::stop-commands::[0-9a-f]{32}", first)
    assert last == f"::{first.removeprefix('::stop-commands::')}::"


@pytest.mark.parametrize(("there", "wanted"), [("true", True), ("", False)])
def test_they_are_printed_where_github_runs_us(
    document: Document,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    there: str,
    wanted: bool,
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", there)
    assert conclude(document, Reports(()), fail_on_drift=False) == 1
    out = capsys.readouterr().out
    assert ("::error title=" in out) is wanted
    assert ("::stop-commands::" in out) is wanted
