"""Imports point inwards: edge → pipeline → stages → contract → shared (docs/architecture.md).

Read from the source, so that lazy imports and those for types alone count too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mockserver

PACKAGE = Path(mockserver.__file__).parent

#: Values and services that everybody may use; they use each other.
SHARED = {
    "accesslog",
    "credentials",
    "defaults",
    "documents",
    "errors",
    "expressions",
    "hosts",
    "journal",
    "masking",
    "mediatypes",
    "messages",
    "options",
    "parsed",
    "pointers",
    "sha512crypt",
    "sources",
    "xmltext",
    "yamltext",
}
#: Stage by its modules' first name; a stage knows its own modules, the contract layer and what is shared.
STAGES = {
    "routing": "routing",
    "authentication": "authentication",
    "digest": "authentication",
    "validation": "validation",
    "behaviour": "behaviour",
    "examples": "examples",
    "response": "response",
    "encoding": "response",
    "cors": "response",
    "headers": "response",
    "negotiation": "response",
    "preferences": "response",
    "problem": "response",
    "statuses": "response",
}
#: The edge knows all of the stub.
EDGE = {
    "",
    "__main__",
    "app",
    "behaviours",
    "certificates",
    "cli",
    "commands",
    "control",
    "delivery",
    "inspecting",
    "limiting",
    "listing",
    "mutants",
    "pytest_plugin",
    "reaching",
    "requesting",
    "server",
    "viewing",
}
#: What the suite may know of the rest of the package: never the stub's way of a request.
SUITE_KNOWS = {"suite", "contract", "errors", "defaults", "hosts", "mediatypes", "options", "pointers"}

#: Foreign packages and the only modules that may import them; names are below `mockserver`.
ONLY_IN: dict[str, set[str]] = {
    "granian": {"server"},
    "sqlalchemy": {"behaviour.sqlstore"},
    "flask": {"app", "control", "pytest_plugin"},
    "werkzeug": {"app", "control"},
    "cryptography": {"certificates"},
    "pyotp": {"behaviour.mail.twofactor"},
    "webauthn": {"behaviour.mail.passkeys"},
    "click": {
        "cli",
        "commands",
        "options",
        "suite.commands",
        "suite.options",
        "suite.overlays.loop",
        "suite.reports.commands",
        "suite.reports.concluding",
        "suite.returning",
        "suite.running",
    },
    "jinja2": {"suite.reports.html"},
    "orjson": {"documents"},
    "yaml": {"yamltext"},
    "jsonpatch": {"behaviour.changing"},
    "jsonpath_rfc9535": {"contract.overlay"},
    "jsonschema_rs": {"contract.schemas", "contract.patterns", "contract.lint.validity", "behaviour.seedfiles"},
    "jsonschema": {"contract.lint.validity"},
    "openapi_spec_validator": {"contract.lint.validity"},
    "schemathesis": {
        "suite.engine",
        "suite.engine.judging",
        "suite.engine.links",
        "suite.engine.schema",
        "suite.engine.splitting",
        "suite.engine.surroundings",
        "suite.engine.transport",
    },
    "pytest": {"pytest_plugin"},
    # Clock and chance of the stub come from `sources` alone.
    "time": {"sources", "accesslog"},
    # All but sources for the type of what it gives.
    "random": {"sources", "examples.making", "examples.scalars", "examples.texts"},
    "rstr": {"examples.texts"},
    "secrets": set(),
    "uuid": {"sources", "examples.texts"},  # write down a number as a UUID
}
#: The suite has a clock of its own, and makes up canaries.
SUITE_MAY = {"time", "random", "secrets", "uuid"}

#: STYLE, the table of section 1: modules and what they may not know.
MAY_NOT_KNOW: dict[str, set[str]] = {
    "behaviour.store": {"contract"},
    "behaviour.seeding": {"contract"},
    "behaviour.seedfiles": {"contract"},
    "behaviour.sections": {"contract"},
    "behaviour.sqlstore": {"contract"},
    "behaviour.worlds": {"contract"},
    "routing": {"contract"},
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
    return name.partition(".")[0]


def _allowed(name: str, imported: str) -> bool:
    layer, target = _layer(name), _layer(imported)
    if layer == "suite":
        return target in SUITE_KNOWS
    if layer in EDGE:
        return target != "suite" or name == "pytest_plugin"
    if layer in SHARED:
        return target in SHARED
    if layer == "contract":
        return target == "contract" or target in SHARED
    if layer == "pipeline":
        return target in STAGES or target in {"contract", "pipeline"} or target in SHARED
    return STAGES.get(target) == STAGES[layer] or target == "contract" or target in SHARED


def test_every_module_has_its_layer() -> None:
    known = SHARED | STAGES.keys() | EDGE | {"contract", "pipeline", "suite"}
    assert {_layer(name) for name in MODULES} <= known


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_inwards(name: str) -> None:
    assert {imported for imported in _inner(name) if not _allowed(name, imported)} == set()


@pytest.mark.parametrize("name", sorted(MAY_NOT_KNOW))
def test_what_a_module_may_not_know(name: str) -> None:
    assert {imported for imported in _inner(name) if _layer(imported) in MAY_NOT_KNOW[name]} == set()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_foreign_packages_have_one_home(name: str) -> None:
    found = {imported.split(".")[0] for imported in _imports(name)}
    strangers = {package for package in found & ONLY_IN.keys() if name not in ONLY_IN[package]}
    if _layer(name) == "suite":
        strangers -= SUITE_MAY
    assert strangers == set()


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
    assert not _allowed("authentication", "behaviour.seeding")
    assert not _allowed("behaviour.handlers", "authentication")
    assert not _allowed("contract.model", "routing")
    assert not _allowed("masking", "contract.secrets")
    assert not _allowed("suite.checks.answers", "validation.body")
    assert not _allowed("suite.engine", "app")
    assert not _allowed("app", "suite.engine")
    assert not _allowed("suite.selftest", "mutants.registry")
    assert not _allowed("mutants.server", "suite.session")
    assert _allowed("pipeline", "routing")


#: Slow to load, and of no use to `serve`.
NOT_FOR_SERVE = [
    "schemathesis",
    "hypothesis",
    "pytest",
    "_pytest",
    "requests",
    "sqlalchemy",
    "jsonpatch",
    "jsonpath_rfc9535",
    "jsonschema",
    "openapi_spec_validator",
    "cryptography",
    "pyotp",
    "webauthn",
    "rich",
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
