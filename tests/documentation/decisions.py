"""Index of the decision records, made from their first lines."""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
#: Title; date, status, and what else is said of it.
_HEAD = re.compile(
    r"# (?P<number>\d+)\. (?P<title>.+)\n\n"
    r"(?P<date>\d{4}-\d\d-\d\d) · (?P<status>accepted|superseded|superseded in part)(?:\. .+)?\n"
)


def index() -> str:
    """Return a table of all records with number, title, date and status.

    Raises:
        ValueError: the first lines of a record do not say these, or its number is not that of the file.
    """
    rows = []
    for path in sorted(_FOLDER.glob("[0-9]*.md")):
        found = _HEAD.match(path.read_text(encoding="utf-8"))
        if found is None or int(found["number"]) != int(path.name[:4]):
            raise ValueError(f"{path.name}: must begin with `# NUMBER. TITLE`, then `DATE · STATUS`")
        rows.append(f"| {found['number']} | [{found['title']}]({path.name}) | {found['date']} | {found['status']} |")
    return "\n".join(["| | decision | date | status |", "|---|---|---|---|", *rows])
