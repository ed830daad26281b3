"""README's first session, run as printed: each command, and the answer below it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import Serve

README = Path(__file__).parents[2] / "README.md"


class Step(NamedTuple):
    """A command of the session, and what is printed below it; "" where nothing is."""

    command: str
    answer: str


def _session() -> Iterator[Step]:
    text = README.read_text(encoding="utf-8").replace("\\\n", " ")
    section = text.partition("## A first session\n")[2].partition("\n## ")[0]
    lines = [line.removeprefix("    ") for line in section.splitlines() if line.startswith("    ")]
    for number, line in enumerate(lines):
        if line.startswith("$ "):
            answers = lines[number + 1 : number + 2]
            yield Step(line.removeprefix("$ "), "".join(one for one in answers if not one.startswith("$ ")))


def test_the_first_session_of_the_readme_goes_as_printed(serve: Serve) -> None:
    """Where `...` stands, anything may."""
    first, *steps = _session()
    assert sum(bool(step.answer) for step in steps) >= 3
    server = serve()
    variables = f"{first.command}\n".replace("http://127.0.0.1:8080", server.url)
    assert server.url in variables
    for step in steps:
        done = subprocess.run(
            variables + step.command.replace("curl ", "curl -sS --fail-with-body ", 1),
            shell=True,
            capture_output=True,
            text=True,
            check=False,
        )
        if not step.answer:
            assert done.returncode == 0, (step.command, done.stdout, done.stderr)
        else:
            printed = ".*".join(map(re.escape, step.answer.split("...")))
            assert re.fullmatch(printed, done.stdout), (step.command, done.stdout)
