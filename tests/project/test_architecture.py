"""docs/architecture.md and the code name the same layers, folders and modules."""

from __future__ import annotations

import re
from pathlib import Path

import mockserver
from tests.project.test_layers import MAY_IMPORT

PACKAGE = Path(mockserver.__file__).parent
TEXT = (Path(__file__).parents[2] / "docs/architecture.md").read_text(encoding="utf-8")
MODULES = {path.stem for path in PACKAGE.rglob("*.py")}
FOLDERS = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")} - {"."}


def _rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, its own head apart."""
    table = TEXT.partition(f"## {heading}")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_layers_are_those_of_the_rules() -> None:
    told = {layer: {name for name in imports.split(", ") if name} for layer, _, imports in _rows("Layers")}
    assert told == MAY_IMPORT


def test_every_folder_is_told() -> None:
    told = {name.rstrip("/") for names, _ in _rows("Folders") for name in names.split(", ")}
    layers = {layer for layer, _, _ in _rows("Layers")}
    assert told | layers >= FOLDERS
    assert told <= FOLDERS


def test_every_module_that_is_named_is_there() -> None:
    prose = TEXT.partition("## Layers")[0] + TEXT.partition("## Rules")[2]
    named = {name for name in re.findall(r"`([a-z0-9_]+)`", prose) if name not in {"mockserver"}}
    drawn = {
        word for line in re.findall(r"^    .*", prose, re.M) for word in re.findall(r"[a-z_0-9]*_[a-z_0-9]*", line)
    }
    known = MODULES | {folder.rpartition("/")[2] for folder in FOLDERS}
    assert named | drawn <= known
    assert len(named | drawn) > 10
