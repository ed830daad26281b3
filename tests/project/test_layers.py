"""Imports point inwards: shared < http < contract < plugins < stub, suite, builtin (docs/architecture.md).

Read from the source, so that lazy imports and those for types alone count too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import mockserver

PACKAGE = Path(mockserver.__file__).parent

#: What everything else stands on.
SHARED = {"errors", "masking", "messages", "sources"}
#: Layers that may be imported, by layer; what is not named here (commands, selftest, the edge) may import all but
#: `builtin`, which nobody imports: it is found by its entry point.
MAY_IMPORT: dict[str, set[str]] = {
    "shared": set(),
    "http": {"shared"},
    "contract": {"shared", "http"},
    "plugins": {"shared", "http", "contract"},
    "lint": {"shared", "http", "contract", "plugins"},
    "stub": {"shared", "http", "contract", "plugins"},
    "suite": {"shared", "http", "contract", "plugins"},
    "builtin": {"plugins"},
}
#: The most modules that a folder may hold, its `__init__` apart.
MOST_MODULES = 14

#: Foreign packages and the only modules, or folders, that may import them; names are below `mockserver`.
ONLY_IN: dict[str, set[str]] = {
    "sqlite3": {"stub.store.sqlite", "stub.store.state_files"},
    "flask": {"stub.app", "stub.control.routes", "pytest_plugin"},
    "werkzeug": {"stub.app", "stub.control.routes"},
    "cryptography": {"stub.serving.tls"},
    "pyotp": {"builtin", "suite.identities"},
    "webauthn": {"builtin"},
    "click": {"cli", "commands", "suite.overlays.overlay_run", "suite.reports.conclusion", "suite.run"},
    "jinja2": {"suite.reports.html"},
    "orjson": {"http.json"},
    "yaml": {"contract.source.yaml"},
    "jsonpatch": {"stub.crud.writes"},
    "jsonpath_rfc9535": {"contract.source.overlay"},
    "jsonschema_rs": {"contract.schema", "lint.validity", "stub.store.seed_format"},
    "jsonschema": {"lint.validity"},
    "openapi_spec_validator": {"lint.validity"},
    "schemathesis": {"suite.fuzz"},
    "pytest": {"pytest_plugin", "testing"},
    # Clock and chance of the stub come from `sources` alone; the suite has a clock of its own, and makes up canaries.
    "time": {"sources", "stub.serving.access_log", "suite", "selftest"},
    "random": {
        "sources",
        "contract.values",
        "stub.examples",
        "suite",
        "selftest",
    },  # all but sources for the type of what it gives
    "rstr": {"contract.values.texts"},
    "secrets": {"suite", "selftest"},
    "uuid": {"sources", "contract.values.texts", "suite", "selftest"},  # texts: write down a number as a UUID
}


def _modules() -> dict[str, Path]:
    """Return the package's modules by name below `mockserver`; the package itself is ""."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _imports(name: str) -> Iterator[str]:
    """Yield the full names that a module imports, wherever in it: `mockserver.errors`, `flask`."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative imports hide where they lead"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                below = full.removeprefix("mockserver.")
                yield full if full.startswith("mockserver.") and below in MODULES else node.module or ""
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in {"importlib.import_module", "import_module", "__import__"}
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value)


def _inner(name: str) -> set[str]:
    """Return the modules of the package that a module imports, by name below `mockserver`."""
    full = {imported for imported in _imports(name) if imported.split(".")[0] == "mockserver"}
    return {imported.partition(".")[2] for imported in full}


def _layer(name: str) -> str:
    top = name.partition(".")[0]
    return "shared" if top in SHARED else top


def _allowed(name: str, imported: str) -> bool:
    layer, target = _layer(name), _layer(imported)
    if layer == target:
        return True
    return target in MAY_IMPORT[layer] if layer in MAY_IMPORT else target != "builtin"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_inwards(name: str) -> None:
    assert {imported for imported in _inner(name) if not _allowed(name, imported)} == set()


def _folders() -> dict[str, list[str]]:
    """Return the names of the modules in each folder of the package."""
    folders: dict[str, list[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        folders.setdefault(path.parent.relative_to(PACKAGE).as_posix(), []).append(path.stem)
    return folders


def test_a_folder_is_read_at_a_glance() -> None:
    assert {folder: len(names) for folder, names in _folders().items() if len(names) - 1 > MOST_MODULES} == {}


def test_a_module_name_stands_once() -> None:
    """A command and the folder of what it does may share one."""
    counted = Counter(
        name
        for folder, names in _folders().items()
        for name in names
        if not name.startswith("__") and not (folder == "commands" and name in _folders())
    )
    assert [name for name, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("name", sorted(MODULES))
def test_foreign_packages_have_one_home(name: str) -> None:
    found = {imported.split(".")[0] for imported in _imports(name)} & ONLY_IN.keys()
    assert {one for one in found if not any(f"{name}.".startswith(f"{home}.") for home in ONLY_IN[one])} == set()


def test_the_contract_layer_knows_nothing_of_http_servers() -> None:
    foreign = {"flask", "werkzeug", "granian", "requests", "http", "socket", "wsgiref"}
    for name in MODULES:
        if _layer(name) == "contract":
            assert not {imported.split(".")[0] for imported in _imports(name)} & foreign


def test_no_module_imports_in_a_circle() -> None:
    graph = {name: _inner(name) & MODULES.keys() - {""} for name in MODULES if name}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way, name])
        if name in done:
            return
        for imported in graph[name]:
            # `errors` and `messages` name each other's types; the import is for the type checker alone.
            if (name, imported) != ("errors", "messages"):
                visit(imported, (*way, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def test_the_rules_can_be_broken() -> None:
    assert not _allowed("masking", "contract.schema.marks")
    assert not _allowed("http.media_types", "contract.model")
    assert not _allowed("contract.model", "stub.routing")
    assert not _allowed("suite.checks.any_response", "stub.validation.body")
    assert not _allowed("stub.pipeline", "suite.run.session")
    assert not _allowed("stub.pipeline", "builtin.mailcheap")
    assert not _allowed("commands.serve", "builtin.mailcheap")
    assert not _allowed("builtin.mailcheap.accounts", "stub.store.records")
    assert not _allowed("suite.run.session", "selftest.runs")
    assert _allowed("stub.pipeline", "contract.model")
    assert _allowed("selftest.runs", "suite.run.session")


#: Slow to load, and of no use to `serve`.
NOT_FOR_SERVE = [
    "schemathesis",
    "hypothesis",
    "pytest",
    "_pytest",
    "requests",
    "sqlite3",
    "jsonpatch",
    "jsonpath_rfc9535",
    "jsonschema",
    "openapi_spec_validator",
    "cryptography",
    "pyotp",
    "webauthn",
    "mockserver.suite",
    "mockserver.lint.findings",
]


def test_serving_loads_no_more_than_it_needs() -> None:
    code = (
        "import sys, mockserver.stub.app, mockserver.cli, mockserver.commands.serve, mockserver.stub.serving.server\n"
        "mockserver.stub.app.create_app()\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "flask" in loaded
    assert [name for name in NOT_FOR_SERVE if name in loaded] == []


def test_importing_the_package_loads_next_to_nothing() -> None:
    code = "import sys, mockserver\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"flask", "granian", "jsonschema_rs", "click", "yaml", "mockserver.stub.app"}
