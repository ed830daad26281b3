"""Options that several commands have, all of which can also be set in the environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def overlay_option() -> Callable[[Command], Command]:
    """Return the `--overlay` option of every command that reads a contract."""
    return option(
        "--overlay",
        type=FILE,
        multiple=True,
        help="OpenAPI Overlay 1.0 to apply to the contract first; may be repeated.",
    )


def show_notes(notes: Sequence[str]) -> None:
    """Tell on standard error what a person should know of the overlays of a contract."""
    for note in notes:
        click.echo(f"mockserver: {note}", err=True)
