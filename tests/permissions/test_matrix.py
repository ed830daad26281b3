"""Every cell of a permission matrix is kept by the stub, and found by `check` where it is turned off.

`python -m tests.permissions` shows the same for every cell of the built-in contract, a line each.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.contract.reading.document import load_contract
from tests import defaults
from tests.permissions.conftest import LEVELS
from tests.permissions.matrix import Cell, cells, failing


def small_cells() -> list[Cell]:
    found = []
    for name, levels, foreign in (
        ("self", LEVELS, []),
        ("account", LEVELS, ["chief"]),
        ("domain", LEVELS[:2], ["chief"]),
        ("address", LEVELS[:2], ["chief"]),
    ):
        for level in LEVELS:
            if level not in levels:
                found.append(Cell(name, level, "any", admitted=False))
            elif level in foreign and name in {"domain", "address"}:
                found.append(Cell(name, level, "any", admitted=True))
            else:
                found.append(Cell(name, level, "own", admitted=True))
                found.append(Cell(name, level, "foreign", admitted=level in foreign))
    return found


def test_the_matrix_has_a_cell_for_each_level_and_ownership(files: tuple[Path, Path]) -> None:
    assert list(cells(load_contract(files[0]))) == small_cells()


@pytest.mark.parametrize("name", ["self", "account", "domain", "address"])
def test_the_stub_keeps_every_cell(files: tuple[Path, Path], name: str) -> None:
    assert failing(*files, name) == set()


@pytest.mark.parametrize("cell", small_cells(), ids=str)
def test_a_cell_that_is_turned_off_is_found(files: tuple[Path, Path], cell: Cell) -> None:
    found = failing(*files, cell.operation, cell)
    expected = {
        (True, "foreign"): "foreign_objects_are_admitted",
        (False, "foreign"): "foreign_objects_are_refused",
        (False, "any"): "levels_not_allowed_are_refused",
    }
    assert expected.get((cell.admitted, cell.kind), "allowed_levels_are_admitted") in found


#: One of each kind of the built-in contract; the command goes through all of them.
BUILT_IN = [
    Cell("setting_post_system_mailer", "MailUser", "any", admitted=False),
    Cell("perdomain_wlbl_put", "DomainAdmin", "own", admitted=True),
    Cell("perdomain_wlbl_put", "DomainAdmin", "foreign", admitted=False),
]


@pytest.mark.parametrize("cell", BUILT_IN, ids=str)
def test_it_is_so_for_the_built_in_contract(cell: Cell) -> None:
    assert cell in set(cells(load_contract(defaults.CONTRACT)))
    assert failing(defaults.CONTRACT, defaults.SEED_DATA, cell.operation) == set()
    assert failing(defaults.CONTRACT, defaults.SEED_DATA, cell.operation, cell)
