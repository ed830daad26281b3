"""Discovery of installed APIs by their entry points; only the API that is asked for is imported."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.errors import UsageError
from mockserver.http import json
from mockserver.plugins.plugin import Plugin

if TYPE_CHECKING:
    from mockserver.contract.model import Contract

#: Group of the entry points.
GROUP = "mockserver.apis"
#: The API that is meant where neither a contract nor an API is named.
DEFAULT = "mailcheap"
_OWN = "mockserver"


@cache
def find(name: str) -> Plugin:
    """Return the installed API (`Plugin`) that has a given name.

    Raises:
        UsageError: it is not installed, or cannot be loaded; the message says what to do.
    """
    entry = _entry(name)
    try:
        found = entry.load()
    except Exception as error:  # whatever a foreign package raises is reported in one line, without a traceback
        raise UsageError(f"API {name}: {entry.value} cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(found, Plugin):
        raise UsageError(f"API {name}: {entry.value} is not a mockserver.plugins.Plugin; see docs/extending.md")
    if found.name != name:
        raise UsageError(
            f"API {name}: the plug-in {entry.value} calls itself {json.text(found.name)}; give both the same name"
        )
    return found


def load(contract: Path | None, api: str | None, overlays: Sequence[Path | str] = ()) -> Contract:
    """Return the contract to serve or check: that of a file if one is given, else that of a named or the default API.

    Raises:
        ContractError: it cannot be used.
        UsageError: the API is not installed.
    """
    from mockserver.contract.reading.document import load_contract  # of no use to who looks for an API alone

    if contract is not None:
        return load_contract(contract, overlays)
    name = api or DEFAULT
    return replace(load_contract(find(name).contract, overlays), api=name)


def own_seed_data(contract: Contract | Path | str | None, api: Plugin | str | None) -> Path | None:
    """Return the path of an API's seed data if its own contract is served, None for any other contract.

    Raises:
        UsageError: the API is not installed.
    """
    if contract is not None:
        return None
    return (api if isinstance(api, Plugin) else find(api or DEFAULT)).seed_data


def installed() -> tuple[str, ...]:
    """Return the names of all installed APIs in order, without importing any of them."""
    return tuple(sorted({entry.name for entry in importlib.metadata.entry_points(group=GROUP)}))


def _entry(name: str) -> importlib.metadata.EntryPoint:
    own = _own_entry(name)
    if own is not None:
        return own
    found = [entry for entry in importlib.metadata.entry_points(group=GROUP) if entry.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        values = ", ".join(sorted(entry.value for entry in found))
        raise UsageError(f"API {name}: several packages have an API of this name ({values}); uninstall all but one")
    others = installed()
    if not others:
        raise UsageError(
            f"API {name}: no API is installed, not even the built-in one: mockserver is not installed as a package; "
            "install it: pip install mockserver, or in a checkout pip install -e ."
        )
    raise UsageError(
        f"API {name}: is not installed; installed are {', '.join(others)}; install the package that provides it"
    )


def _own_entry(name: str) -> importlib.metadata.EntryPoint | None:
    """Return the entry point of an API of our own package, found without reading other packages' metadata."""
    try:
        entries = importlib.metadata.distribution(_OWN).entry_points
    except importlib.metadata.PackageNotFoundError:
        return None
    return next(iter(entries.select(group=GROUP, name=name)), None)
