"""Modules of users, named on the command line: found in the current folder or installed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType


def import_module(name: str) -> ModuleType:
    """Import a module of the current folder, or an installed one, as `python -m` does.

    Raises:
        ModuleNotFoundError: there is none of this name; see `missing_module`.
        Exception: whatever the module itself raises.
    """
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # the console script has its own folder there
    return importlib.import_module(name)


def missing_module(name: str, error: Exception) -> str:
    """Return the module, or the package around it, that an import did not find; "" if it failed otherwise."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return missing if missing and f"{name}.".startswith(f"{missing}.") else ""
