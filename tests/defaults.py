"""Contract and seed data of the built-in API, as commands find them that name no other; looked up at their use."""

from __future__ import annotations

from pathlib import Path

from mockserver.plugins import DEFAULT, find

CONTRACT: Path
SEED_DATA: Path


def __getattr__(name: str) -> Path:
    """Return where the contract, or the seed data, of the built-in API is."""
    found = {"CONTRACT": "contract", "SEED_DATA": "seed_data"}.get(name)
    if found is None:
        raise AttributeError(name)
    path = getattr(find(DEFAULT), found)
    assert isinstance(path, Path)
    return path
