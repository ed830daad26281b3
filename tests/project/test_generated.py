"""Pages of docs/ that are made from the code are as the code is now: `python -m tests.documentation --write`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documentation.pages import PAGES, written

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_not_stale(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == written(name, DOCS / name)


def test_a_page_without_its_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# No marks", encoding="utf-8")
    with pytest.raises(ValueError, match="0 times"):
        written(next(iter(PAGES)), page)
