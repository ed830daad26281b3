from __future__ import annotations

import re
from pathlib import Path

from mockserver.selftest.registry import CLASSES, EQUIVALENT

DOCS = Path(__file__).parents[3] / "docs" / "self-test.md"


def _rows(heading: str) -> list[tuple[str, ...]]:
    part = DOCS.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [
        tuple(cell.strip() for cell in row.split(" | ")) for row in re.findall(r"^\| (`.*) \|$", part, re.MULTILINE)
    ]


def test_the_classes_are_those_of_the_docs() -> None:
    assert _rows("Classes") == [(f"`{kind.name}`", kind.fault) for kind in CLASSES.values()]


def test_the_equivalent_mutants_are_those_of_the_docs() -> None:
    assert _rows("Equivalent mutants") == [(f"`{name}`", f"`{at}`", why) for (name, at), why in EQUIVALENT.items()]


def test_equivalent_mutants_are_of_classes_that_exist() -> None:
    assert {name for name, _ in EQUIVALENT} <= CLASSES.keys()
