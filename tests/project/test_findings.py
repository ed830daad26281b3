"""docs/findings.md has a section for each check that a run can make, which begins with the docstring of the check."""

from __future__ import annotations

import re
from pathlib import Path

from mockserver.suite.selection.check_names import OBSTACLES, OF_SCHEMATHESIS, own_checks

PAGE = (Path(__file__).parents[2] / "docs/findings.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `(\w+)`\n\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
SAID = {name: text.partition("\n")[0] for name, text in {**own_checks(), **OBSTACLES}.items()}


def test_each_check_has_a_section_and_nothing_else_has() -> None:
    known = {*SAID, *OF_SCHEMATHESIS}
    assert sorted(known - SECTIONS.keys()) == [], "write a section: its docstring, *For example:*, *What to do:*"
    assert sorted(SECTIONS.keys() - known) == []
    assert len(re.findall(r"^### ", PAGE, re.MULTILINE)) == len(SECTIONS)


def test_a_section_begins_with_the_docstring_and_says_what_to_do() -> None:
    begins = {name: text.partition("\n")[0] for name, text in SECTIONS.items()}
    assert {name: begins[name] for name in SAID if begins.get(name) != SAID[name]} == {}
    for name, text in SECTIONS.items():
        found = re.search(r"^\*For example:\* \S.*\n\*What to do:\* \S.*$", text, re.MULTILINE)
        assert found is not None, name
