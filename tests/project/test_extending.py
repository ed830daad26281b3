"""docs/extending.md: its example is installed as a package of its own, served and checked by name."""

from __future__ import annotations

import importlib.util
import json
import re
import select
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mockserver
from mockserver import plugins

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of a fresh environment with the example, and with what the tests have."""
    folder = tmp_path_factory.mktemp("lending")
    for name, text in FILES.items():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "source" / name).write_text(text, encoding="utf-8")
    isolation = ["--no-isolation"] if importlib.util.find_spec("hatchling") else []
    _run(sys.executable, "-m", "build", "--wheel", *isolation, "--outdir", folder / "wheels", folder / "source")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv/bin/python"
    (wheel,) = (folder / "wheels").glob("*.whl")
    _run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel)
    site = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder / "venv")}))
    here = [*(path for path in sys.path if path.endswith("site-packages")), str(Path(mockserver.__file__).parents[1])]
    (site / "dependencies.pth").write_text("".join(f"{path}\n" for path in here))
    return python


def _run(*command: object, code: int = 0, **settings: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=300, check=False, **settings
    )
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:]
    return done


@pytest.fixture
def url(python: Path, tmp_path: Path) -> Iterator[str]:
    command = [str(python), "-m", "mockserver", "serve", "--api", "lending", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path
    ) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], 120)[0], "never ready"
            line = process.stdout.readline()
            assert line.startswith('mockserver: serving "Lending" on http://127.0.0.1:')
            yield line.split(" on ")[1].split(" ")[0]
        finally:
            process.terminate()
            process.wait(120)


def _ask(url: str, method: str = "GET") -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


def test_the_example_is_served_by_name(url: str) -> None:
    assert _ask(f"{url}/books/42") == (200, {"title": "The Guide", "lent": False})
    assert _ask(f"{url}/books/42", "PUT") == (200, {"title": "The Guide", "lent": True})
    assert _ask(f"{url}/books/42")[1]["lent"] is True
    assert _ask(f"{url}/__mock__/lending/returns/42", "POST") == (200, {"isbn": "42", "lent": False})
    assert _ask(f"{url}/books/42")[1]["lent"] is False
    assert _ask(f"{url}/books/43")[0] == 404
    assert _ask(f"{url}/__mock__/mailcheap/domains/verify", "POST")[0] == 404  # only what is named is there


def test_the_example_is_checked_by_name(python: Path, tmp_path: Path) -> None:
    done = _run(python, "-m", "mockserver", "check", "--api", "lending", cwd=tmp_path)
    assert "2xx on 2 of 2 operations" in done.stdout


@pytest.mark.parametrize("command", ["lint", "examples", "inspect"])
def test_the_other_commands_take_it_by_name(python: Path, tmp_path: Path, command: str) -> None:
    _run(python, "-m", "mockserver", command, "--api", "lending", cwd=tmp_path)


def test_an_api_that_is_not_there_is_told_with_those_that_are(python: Path, tmp_path: Path) -> None:
    done = _run(python, "-m", "mockserver", "serve", "--api", "lendings", cwd=tmp_path, code=2)
    assert "installed are lending, mailcheap" in done.stderr


def test_only_the_api_that_is_named_is_imported(python: Path, tmp_path: Path) -> None:
    code = (
        "import sys, mockserver; mockserver.create_app(api='lending')\n"
        "print([name for name in sys.modules if name.startswith(('mockserver.builtin', 'lending'))])"
    )
    assert _run(python, "-c", code, cwd=tmp_path).stdout == "['lending']\n"


def test_the_page_names_what_the_interface_has() -> None:
    table = PAGE.partition("## The interface")[2].partition("\n## ")[0]
    named = set(re.findall(r"`@?([A-Za-z_]+)(?:\([^`]*)?`", table))
    untold = {"Arguments", "Caller", "Contract", "Operation", "Handler", "Rules", "Read", "Record", "Violation"}
    untold |= {"NO_CONTENT", "DEFAULT", "GROUP", "LATEST", "MAX_TOKENS", "TOKEN_SECONDS", "IssuedToken"}
    untold |= {"find", "installed", "chance", "make_uuid", "is_loopback", "domain_of", "password_matches"}
    assert set(plugins.__all__) - untold <= named
    assert untold <= set(plugins.__all__)
