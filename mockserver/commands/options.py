"""Options that several commands have, all of which can also be set in the environment."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import Field, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from mockserver.commands.help import GroupedOption
from mockserver.errors import UsageError
from mockserver.plugins.discovery import DEFAULT
from mockserver.stub.stub_options import OptionText, text_of_option

Command = TypeVar("Command", bound=Callable[..., Any])

#: Warnings beyond these are counted only: finding the place of each takes time, and nobody reads them at a start.
_MOST_WARNINGS = 20
#: Heading of the options that say which contract is meant.
CONTRACT = "Contract"
#: The type of options that name a file.
FILE = click.Path(path_type=Path)
#: Where an option comes from, the nearest to the command first.
_SOURCES = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP)


def option(name: str, **settings: Any) -> Callable[[Command], Command]:
    """Return a click option that can also be set in the environment, as `MOCKSERVER_<NAME>`.

    `group` is the heading under which help lists it (help.py). An option that names a file has the metavar FILE.
    """
    if settings.get("type") is FILE:
        settings.setdefault("metavar", "FILE")
    variable = "MOCKSERVER_" + name.lstrip("-").replace("-", "_").upper()
    return click.option(name, cls=GroupedOption, envvar=variable, show_envvar=True, **settings)


def contract_option() -> Callable[[Command], Command]:
    """Return the options `--contract` and `--api`, one of which says what a command is about, and `--allow-remote`.

    The command gets both, one of them None; without either the built-in API is meant.
    """
    contract = option(
        "--contract",
        type=FILE,
        group=CONTRACT,
        help="OpenAPI contract, 2.0 to 3.2, YAML or JSON: a file, or a folder with an openapi.yaml or the like.  "
        "[default: the contract of --api]",
    )
    api = option(
        "--api",
        metavar="NAME",
        group=CONTRACT,
        help=f"Installed plug-in that brings contract, seed data and behaviours.  [default: {DEFAULT}]",
    )
    remote = option(
        "--allow-remote",
        is_flag=True,
        expose_value=False,
        callback=_allow_remote,
        group=CONTRACT,
        help="Fetch a contract and the files of its $refs over http and https.",
    )

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def choosing(*arguments: Any, contract: Path | None, api: str | None, **options: Any) -> Any:
            contract, api = _one_of(contract, api)
            return command(*arguments, contract=contract, api=api, **options)

        return contract(api(remote(cast("Command", choosing))))

    return decorate


def _one_of(contract: Path | None, api: str | None) -> tuple[Path | None, str | None]:
    """Return contract and API, one of them None: the one that is given nearer to the command counts.

    Raises:
        UsageError: both are given in the same way.
    """
    if contract is None or api is None:
        return contract, api
    source = click.get_current_context().get_parameter_source
    nearer = {name: _SOURCES.index(found) for name in ("contract", "api") if (found := source(name)) is not None}
    if nearer["contract"] == nearer["api"]:
        raise UsageError("--contract and --api are two ways to say what is served and checked; leave one out")
    return (contract, None) if nearer["contract"] < nearer["api"] else (None, api)


def _allow_remote(_ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - as click calls
    """Keep the permission where the processes that a run starts see it, too."""
    if value:
        os.environ["MOCKSERVER_ALLOW_REMOTE"] = "1"


def overlay_option() -> Callable[[Command], Command]:
    """Return the `--overlay` option of every command that reads a contract."""
    return option(
        "--overlay",
        type=FILE,
        multiple=True,
        group=CONTRACT,
        help="OpenAPI Overlay 1.0 to apply to the contract.",
    )


#: Options of a dataclass that several commands have, by name.
_SHARED = {"contract": contract_option, "overlay": overlay_option}


def options_of(options: type[Any]) -> Callable[[Command], Command]:
    """Return the click options of a dataclass of options (stub/stub_options.py): what it calls them, it is given."""
    made = [
        _SHARED[one.name]() if one.name in _SHARED else _option_of(one)
        for one in fields(options)
        if one.name in _SHARED or text_of_option(one).help
    ]

    def decorate(command: Command) -> Command:
        for one in reversed(made):
            command = one(command)
        return command

    return decorate


def _option_of(described: Field[Any]) -> Callable[[Command], Command]:
    """Return the click option of a field."""
    text, default = text_of_option(described), described.default
    settings: dict[str, Any] = {
        "help": text.help,
        "type": _type_of(text, default),
        "group": text.group,
    }
    if text.metavar is not None:
        settings |= {"metavar": text.metavar}
    elif isinstance(default, int) and not isinstance(default, bool):
        settings |= {"metavar": "N"}
    if default is False:
        settings |= {"is_flag": True}
    elif default == ():
        settings |= {"multiple": True}
    elif default is not None:
        # A default that is written as users write it is read like what they write.
        settings |= {"default": default if text.read is None else text.default, "show_default": True}
    if text.bare is not None:
        settings |= {"is_flag": False, "flag_value": text.bare}
    if text.read is not None:
        settings |= {"callback": partial(_read, text.read)}
    return option(f"--{described.name.replace('_', '-')}", **settings)


def _type_of(text: OptionText, default: Any) -> click.ParamType[Any] | None:
    if text.is_file:
        return FILE
    if text.read is not None:
        return click.STRING
    if text.choices:
        return click.Choice(text.choices)
    if text.least is not None:
        return (click.FloatRange if isinstance(default, float) else click.IntRange)(text.least, text.most)
    return None  # as its default


def _read(read: Callable[[Any], Any], _ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def show_warnings(warnings: Iterable[str], count: int) -> None:
    """Tell on standard error with which mistakes a contract is served, numbered, the first ones only."""
    for number, warning in enumerate(itertools.islice(warnings, _MOST_WARNINGS), 1):
        click.echo(f"mockserver: warning {number}: {warning}", err=True)
    if count > _MOST_WARNINGS:
        click.echo(f"mockserver: and {count - _MOST_WARNINGS} more warnings; mockserver lint tells them all", err=True)


def show_notes(notes: Sequence[str]) -> None:
    """Print the notes about a contract's overlays on standard error, such as actions that matched nothing."""
    for note in notes:
        click.echo(f"mockserver: {note}", err=True)
