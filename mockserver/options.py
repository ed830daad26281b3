"""Options that several commands have, all of which can also be set in the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

#: The type of options that name a file.
FILE = click.Path(path_type=Path)


def option(name: str, **settings: Any) -> Callable[[Command], Command]:
    """Return a click option that can also be set in the environment, as `MOCKSERVER_<NAME>`."""
    variable = "MOCKSERVER_" + name.lstrip("-").replace("-", "_").upper()
    return click.option(name, envvar=variable, show_envvar=True, **settings)


def contract_option() -> Callable[[Command], Command]:
    """Return the `--contract` option that every command has."""
    return option("--contract", type=FILE, help="OpenAPI contract, YAML or JSON.  [default: the built-in one]")
