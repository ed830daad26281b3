"""`python -m tests.documentation`: the contract covers the documentation, and each documented example comes out."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.documentation import __main__ as command
from tests.documentation.coverage import Coverage, ExampleOutcome, measure
from tests.documentation.facts import Fact


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return measure()


def test_nothing_is_missing(coverage: Coverage) -> None:
    assert [example for example in coverage.examples if example.otherwise] == []
    assert [line for line in coverage.lines() if line.startswith("missing: ")] == []
    assert coverage.is_complete
    assert len(coverage.pages) == 55
    assert all(page.facts and page.assumed for page in coverage.pages)


def test_the_last_line_sums_it_up(coverage: Coverage) -> None:
    *lines, last = coverage.lines()
    found = re.fullmatch(
        r"(\d+) of 55 operations; (\d+) of (\d+) documented facts; (\d+) assumed elements; "
        r"(\d+) of (\d+) documented examples come out exactly",
        last,
    )
    assert found is not None, last
    out = [line for line in lines if line.endswith(": comes out exactly")]
    assert int(found[5]) == len(out)
    assert int(found[3]) - int(found[2]) == sum(line.startswith("missing: ") for line in lines)
    assert int(found[4]) >= max(page.assumed for page in coverage.pages)


def test_the_command_prints_it(
    coverage: Coverage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["documentation"])
    monkeypatch.setattr(command, "measure", lambda: coverage)
    assert command.main() == (0 if coverage.is_complete else 1)
    assert capsys.readouterr().out.splitlines() == list(coverage.lines())


def test_what_is_missing_is_told(coverage: Coverage) -> None:
    page = replace(
        coverage.pages[0],
        facts=(Fact("p", ""), Fact("p", "p: levels")),
        examples=(ExampleOutcome("p", "e", "gets 404, documented is 200"), ExampleOutcome("p", "f", "")),
    )
    poor = Coverage((page,), (), 5)
    assert not poor.is_complete
    assert list(poor.lines())[2:] == [
        "",
        "p/e: gets 404, documented is 200",
        "p/f: comes out exactly",
        "",
        "missing: p: levels",
        "1 of 1 operations; 1 of 2 documented facts; 5 assumed elements; 1 of 2 documented examples come out exactly",
    ]
