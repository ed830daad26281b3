"""Generated clients make the documented calls: `openapi-generator` makes them of the plain contract, the stub answers.

Installs what it needs from PyPI and npm into a temporary folder: openapi-generator-cli, what the generated Python
client asks for, and TypeScript. Needs Java and, for TypeScript, Node. Exit code 1 where a call comes out wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from tests import defaults
from tests.clients.calls import DocumentedCall, documented_calls

_HERE = Path(__file__).parent
_TYPESCRIPT = "typescript@5"


class Tools:
    """A virtual environment with the generator, in a folder that also takes what it generates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", with_pip=True)
        self._programs = folder / "venv" / "bin"
        self.install("openapi-generator-cli")
        self.contract = folder / "plain.yaml"
        plain = run([sys.executable, "-m", "mockserver", "inspect", "--plain"])
        self.contract.write_text(plain, encoding="utf-8")

    @property
    def python(self) -> str:
        """The interpreter of the virtual environment."""
        return str(self._programs / "python")

    def install(self, *what: str) -> None:
        """Install packages of PyPI."""
        run([self.python, "-m", "pip", "install", "-q", *what])

    def generate(self, generator: str, *options: str) -> Path:
        """Return the folder of a client that the generator makes of the plain contract."""
        made = self.folder / generator
        program = str(self._programs / "openapi-generator-cli")
        run([program, "generate", "-i", str(self.contract), "-g", generator, "-o", str(made), *options])
        return made


def python(tools: Tools, calls: str) -> str:
    """Return what the Python client makes of calls."""
    made = tools.generate("python", "--additional-properties=packageName=generated")
    tools.install("-r", str(made / "requirements.txt"))
    return run([tools.python, str(_HERE / "python_runner.py"), str(made)], calls)


def typescript(tools: Tools, calls: str) -> str:
    """Return what the TypeScript client makes of calls."""
    made = tools.generate("typescript-fetch", "--additional-properties=importFileExtension=.js")
    (made / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    run(["npm", "install", "--silent", "--no-audit", "--no-fund", _TYPESCRIPT], cwd=made)
    flags = ["--target", "es2022", "--module", "nodenext", "--strict", "--skipLibCheck", "--outDir", "built"]
    run(["node_modules/.bin/tsc", *flags, "index.ts"], cwd=made)
    return run(["node", str(_HERE / "typescript_runner.mjs"), str(made / "built")], calls, cwd=made)


CLIENTS: dict[str, Callable[[Tools, str], str]] = {"python": python, "typescript": typescript}


def run(words: list[str], text: str | None = None, *, cwd: Path | None = None) -> str:
    """Return what a command prints.

    Raises:
        SystemExit: it failed, with what it said.
    """
    done = subprocess.run(words, input=text, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


@contextmanager
def stub() -> Iterator[str]:
    """The URL of a stub of the built-in contract, in a process of its own."""
    words = [sys.executable, "-m", "mockserver", "serve", "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().partition(" on ")[2].partition(" ")[0]
    finally:
        process.terminate()
        process.wait(120)


def judged(language: str, calls: list[DocumentedCall], results: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each call that came out wrong, and one that sums it up."""
    wrong = {call.pair.name: text for call, result in zip(calls, results, strict=True) if (text := call.wrong(result))}
    yield from (f"{language}: {name}: {text}" for name, text in wrong.items())
    operations = {call.pair.operation.id for call in calls}
    right = len(calls) - len(wrong)
    yield (
        f"{language}: {len(calls)} documented calls of {len(operations)} operations, {right} right, {len(wrong)} wrong"
    )


def results_of(language: str, tools: Tools, contract: Contract, calls: list[DocumentedCall]) -> list[dict[str, Any]]:
    """Return what a client makes of the documented calls, each in a world of its own."""
    with stub() as url:
        for call in calls:
            call.prepare(url)
        found: list[dict[str, Any]] = json.loads(
            CLIENTS[language](tools, json.dumps([call.as_json(contract, url) for call in calls]))
        )
        return found


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("languages", nargs="*", choices=[*CLIENTS, []], help="which clients (default: all)")
    languages = parser.parse_args().languages or list(CLIENTS)
    contract = load_contract(defaults.CONTRACT)
    calls = list(documented_calls(contract))
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        tools = Tools(Path(folder))
        for language in languages:
            lines = list(judged(language, calls, results_of(language, tools, contract, calls)))
            wrong += len(lines) - 1
            sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
