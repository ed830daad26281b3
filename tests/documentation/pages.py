"""The pages of docs/ that are made from the code, or have a part that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.documentation import api, decisions, sections

#: Page of docs/ -> what makes its generated part.
PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api.page,
    "seed-data.md": sections.tables,
    "decisions/README.md": decisions.index,
}
_BEGIN = "<!-- Generated: python -m tests.documentation --write -->"
_END = "<!-- End of what is generated. -->"


def written(name: str, path: Path) -> str:
    """Return a page with its generated part as the code has it now; the page has to have the two marks around it."""
    text = path.read_text(encoding="utf-8")
    part = f"{_BEGIN}\n\n{PAGES[name]()}\n\n{_END}"
    found, count = re.subn(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", lambda _match: part, text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{path}: has the marks around its generated part {count} times")
    return found
