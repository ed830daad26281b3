"""The `mockserver` command: options, settings files, exit codes.

Each command's module is imported when the command runs: `serve` starts fast because it does not load the suite.
"""

from __future__ import annotations

import difflib
import importlib
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from mockserver.errors import MockServerError, UsageError

#: Where each command is; docs/cli.md describes them.
COMMANDS = {
    "serve": "mockserver.commands.serve:serve_command",
    "check": "mockserver.commands.check:check_command",
    "fuzz": "mockserver.commands.fuzz:fuzz_command",
    "restore": "mockserver.commands.restore:restore_command",
    "report": "mockserver.commands.report:report_command",
    "lint": "mockserver.commands.lint:lint_command",
    "examples": "mockserver.commands.examples:examples_command",
    "inspect": "mockserver.commands.inspect:inspect_command",
}
SETTINGS_FILES = ("mockserver.toml", "pyproject.toml")
_EXIT_USAGE = 2
_EXIT_INTERRUPTED = 130


class _LazyGroup(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mockserver")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Serve an OpenAPI contract as a stub, and test servers against it."""
    ctx.default_map = _settings(ctx, Path.cwd())


def main() -> None:
    """Run the command line; errors are one line on standard error and exit code 2."""
    try:
        code = cli.main(prog_name="mockserver", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(_EXIT_USAGE)
    except click.ClickException as error:
        hint = f" (see `{error.ctx.command_path} --help`)" if isinstance(error, click.UsageError) and error.ctx else ""
        _fail(" ".join(error.format_message().split()) + hint)
    except MockServerError as error:
        _fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output went away; there is nobody to complain to
        sys.exit(_EXIT_USAGE)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> None:
    sys.stderr.write(f"mockserver: {message}\n")
    sys.exit(_EXIT_USAGE)


def _settings(ctx: click.Context, folder: Path) -> dict[str, Any]:
    """Return the options that the settings file in a folder gives, by command.

    `mockserver.toml` holds them at its top, `pyproject.toml` in `[tool.mockserver]`; the first one found counts.

    Raises:
        UsageError: not TOML, or a name that is no option of any command.
    """
    for name in SETTINGS_FILES:
        path = folder / name
        if not path.is_file():
            continue
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{path}: cannot be read as TOML: {error}") from error
        if name == "pyproject.toml":
            tools = table.get("tool", {})
            if not isinstance(tools, dict):
                raise UsageError(f"{path}: [tool] must be a table")
            found = tools.get("mockserver")
        else:
            found = table
        if found is not None:
            return _by_command(ctx, path, found)
    return {}


def _by_command(ctx: click.Context, path: Path, table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise UsageError(f"{path}: [tool.mockserver] must be a table of options")
    values = {key.replace("-", "_"): value for key, value in table.items()}
    known: set[str] = set()

    def chosen(command: click.Command) -> dict[str, Any]:
        if isinstance(command, click.Group):
            return {name: chosen(below) for name, below in command.commands.items()}
        options = {option.name: option for option in command.params if isinstance(option, click.Option)}
        known.update(option for option in options if option)
        return {
            key: _value(path, key, value, multiple=options[key].multiple)
            for key, value in values.items()
            if key in options
        }

    result: dict[str, Any] = {}
    for name in COMMANDS:
        command = cli.get_command(ctx, name)
        assert command is not None
        result[name] = chosen(command)
    unknown = sorted(values.keys() - known)
    if unknown:
        close = difflib.get_close_matches(unknown[0].lower(), sorted(known), n=1)
        hint = f"did you mean {close[0].replace('_', '-')!r}?" if close else "see docs/cli.md for those that are there"
        raise UsageError(f"{path}: {unknown[0]!r} is not an option; {hint}")
    return result


def _value(path: Path, name: str, value: Any, *, multiple: bool) -> Any:
    """Return a settings file's value as click takes it from the command line: text, true or false."""
    if multiple and isinstance(value, list):
        return [_value(path, name, item, multiple=False) for item in value]
    if not isinstance(value, str | int | float | bool):
        form = "a text, a number, true or false" + (", or a list of them" if multiple else "")
        raise UsageError(f"{path}: {name!r} (as --{name.replace('_', '-')}) must be {form}")
    if isinstance(value, bool):
        return value
    return [str(value)] if multiple else str(value)
