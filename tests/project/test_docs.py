"""The documentation names what there is, and all of it: options, environment, files, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mockserver.cli import COMMANDS, SETTINGS_FILES, cli

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
#: Options of other programs that the documentation mentions.
FOREIGN = {
    "--cacert",
    "--base-url",
    "--mockserver-identities",
    "--mockserver-allow-writes",
    "--all-files",
    "--hypothesis-profile",
    "--system-site-packages",
    "--help",
    "--version",
    "--import-mode",
    "--cov",
    "--write",
}
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+[a-z]\b")


def _commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command


def _options(command: click.Command) -> set[str]:
    return {
        text
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for text in (*parameter.opts, *parameter.secondary_opts)
        if text.startswith("--")
    }


OPTIONS = {name: _options(command) for name, command in _commands()}
ALL_OPTIONS = set().union(*OPTIONS.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_option_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page.name != "benchmarks.md":  # has a command line of its own
        assert set(_OPTION.findall(text)) - FOREIGN - ALL_OPTIONS == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_uses_options_of_its_command(page: Path) -> None:
    """Lines like `mockserver serve --port 9000`, in code blocks and in backticks."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"\bmockserver ((?:serve|check|fuzz|lint|examples)(?= |$)[^\n`|;#]*)", text, re.MULTILINE):
        name = line.split()[0]
        assert set(_OPTION.findall(line)) - {"--help"} <= OPTIONS[name], line


def test_the_page_of_the_command_line_names_every_option() -> None:
    """Section by section where a command has its own; those of the suite may have a page of their own."""
    pages = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    sections = dict(_sections(pages["cli.md"]))
    for name, options in OPTIONS.items():
        own = next((text for title, text in sections.items() if name in title.split(", ")), None)
        assert own is not None, f"docs/cli.md has no section {name}"
        for linked in re.findall(r"\]\(([a-z]+\.md)\)", own):
            own += pages.get(linked, "")
        missing = {option for option in options if re.search(rf"{option}(?![\w-])", own) is None}
        assert missing == set(), name


def _sections(text: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def test_every_option_has_help_and_an_environment_variable() -> None:
    for name, command in _commands():
        assert command.help
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name != "help":
                assert parameter.help, f"{name} {parameter.name}"
                assert parameter.envvar == f"MOCKSERVER_{(parameter.name or '').upper()}", f"{name} {parameter.name}"


def test_environment_variables_that_are_named_exist() -> None:
    known = {f"MOCKSERVER_{option[2:].replace('-', '_').upper()}" for option in ALL_OPTIONS}
    for page in PAGES:
        named = set(re.findall(r"MOCKSERVER_[A-Z_]+[A-Z]", page.read_text(encoding="utf-8")))
        assert named <= known, page


def test_the_settings_files_are_named() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert all(name in text for name in SETTINGS_FILES)


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_pages_that_the_code_names_exist() -> None:
    for source in (ROOT / "mockserver").rglob("*.py"):
        for named in re.findall(r"\bdocs/[\w./-]+\.md\b", source.read_text(encoding="utf-8")):
            assert (ROOT / named).exists(), f"{source.name}: {named}"


def test_decisions_are_numbered() -> None:
    """Their first lines are read for the index (test_generated.py)."""
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))


@pytest.mark.parametrize("folder", ["mockserver", "tests", "docs"])
def test_nothing_refers_to_a_page_that_is_not_here(folder: str) -> None:
    """Such as the design of the project, which a user's clone does not have."""
    for path in (ROOT / folder).rglob("*.*"):
        if path.suffix in {".py", ".md", ".yaml"} and path.name != Path(__file__).name:
            assert not re.search(r"\b(?:DESIGN|STYLE)(?:\.md|,? section|,? \d)", path.read_text(encoding="utf-8")), path


def test_no_page_has_a_place_of_this_machine() -> None:
    for page in PAGES:
        assert not re.search(r"/work/|/tmp/base|/root/", page.read_text(encoding="utf-8")), page
