"""Contract and seed data of the built-in API, used where neither a contract nor an API is named."""

from __future__ import annotations

from pathlib import Path

from mockserver.plugins.discovery import DEFAULT, find

CONTRACT: Path
SEED_DATA: Path


def __getattr__(name: str) -> Path | None:
    """Look the API up when it is first asked for: only the one that is named is loaded."""
    if name == "CONTRACT":
        return find(DEFAULT).contract
    if name == "SEED_DATA":
        return find(DEFAULT).seed_data
    raise AttributeError(name)
