"""An option of `serve` is written once: flag, keyword argument of `create_app`, and documentation follow from it."""

from __future__ import annotations

import inspect
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import click
import pytest

import mockserver
from mockserver.commands.serve import serve_command
from mockserver.errors import UsageError
from mockserver.stub.serving.serve_options import ServeOptions
from mockserver.stub.stub_options import text_of_option

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
#: The public signature: what stands in other people's tests. Names may be added.
KEYWORDS = {
    "seed_data": None,
    "empty": False,
    "state": "memory",
    "clock": None,
    "seed": 0,
    "no_auth": False,
    "transition_seconds": 0.0,
    "host": "127.0.0.1",
    "control_token": None,
    "dynamic": False,
    "errors": False,
    "no_state": False,
    "no_cors": False,
    "behaviours": None,
    "allow_callbacks": (),
    "rate_limit": None,
    "log": None,
    "log_format": "text",
}
SIGNATURE = inspect.signature(mockserver.create_app).parameters


def test_the_public_signature_is_kept() -> None:
    contract, *keywords = SIGNATURE.values()
    assert (contract.name, contract.kind, contract.default) == ("contract", contract.POSITIONAL_OR_KEYWORD, None)
    assert {one.kind for one in keywords} == {inspect.Parameter.KEYWORD_ONLY}
    assert KEYWORDS.items() <= {one.name: one.default for one in keywords}.items()


def test_arguments_are_checked() -> None:
    """By the type checker, too: it tells of comments to ignore an error that there is none of."""
    with pytest.raises(TypeError, match="prot"):
        mockserver.create_app(prot=80)  # type: ignore[call-arg]  # a name that is no option: mypy has to say so
    with pytest.raises(TypeError, match="port"):  # of the process that serves, not of a stub
        mockserver.create_app(port=80)  # type: ignore[call-arg]  # a name that is no option: mypy has to say so
    with pytest.raises((TypeError, UsageError)):
        mockserver.create_app(state=80)  # type: ignore[arg-type]
    app: None = mockserver.create_app()  # type: ignore[assignment]
    assert app is not None


def test_the_factory_describes_its_arguments() -> None:
    text = inspect.getdoc(mockserver.create_app) or ""
    assert text.startswith("Return a stub of a contract as a Flask application")
    assert "\n    empty: Start without seed data, except for one account that may do everything. It is the" in text
    assert [name for name in SIGNATURE if f"\n    {name}: " not in text] == []
    assert text.index("Args:") < text.index("Raises:")


def test_what_create_app_takes_serve_takes_too() -> None:
    flags = {parameter.name for parameter in serve_command.params}
    assert SIGNATURE.keys() - flags == {"log"}


def test_a_flag_is_what_its_field_says() -> None:
    """But for what several commands share: where a contract is."""
    parameters = {one.name: one for one in serve_command.params if isinstance(one, click.Option)}
    assert parameters.keys() == {"allow_remote", *(one.name for one in fields(ServeOptions))} - {"log"}
    for one in _described():
        parameter = parameters[one.name]
        assert (parameter.help or "").startswith(text_of_option(one).help)
        assert parameter.envvar == f"MOCKSERVER_{one.name.upper()}"
        assert parameter.multiple == (one.default == ())
        assert parameter.is_flag == (one.default is False)


def _described() -> list[Field[Any]]:
    return [one for one in fields(ServeOptions) if text_of_option(one).help]


def _meaning(option: Field[Any]) -> str:
    text = text_of_option(option)
    repeated = "May be repeated." if option.default == () else ""
    said = " ".join(filter(None, (text.help.partition("  [")[0], repeated, text.more)))
    return f"{said} ([{text.page.partition('#')[0]}]({text.page}))" if text.page else said


def _default(option: Field[Any]) -> str:
    if option.default is False:
        return ""
    shown = "none" if option.default in (None, ()) else option.default
    return text_of_option(option).default or (f"{shown:g}" if isinstance(shown, float) else str(shown))


@pytest.mark.parametrize("option", _described(), ids=lambda option: option.name)
def test_the_page_says_what_help_says(option: Field[Any]) -> None:
    flag = f"| `--{option.name.replace('_', '-')}`"
    (row,) = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(flag))
    assert row.split(" | ", 1)[1] == f"{_default(option)} | {_meaning(option)} |".removeprefix(" ")
