"""Names of all checks, collected from the modules that hold them: a function whose docstring begins `Check that`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache

#: Checks are anywhere below the first, but not in these folders: they load schemathesis, which an installation without
#: the extra lacks.
_SUITE, _WITHOUT = "mockserver.suite", frozenset({"mockserver.suite.fuzz", "mockserver.suite.run"})
_BEGINNING = "Check that "
#: Results that several checks come to, so that no function has their name, with what they say.
_SHARED: Mapping[str, str] = {
    "the_server_answers": "Check that there is a whole response in time, at the latest when the request is repeated.",
    "valid_writes_are_accepted": "Check that a valid write which another check needs is accepted.",
}
#: What kept the run from judging; told by every run, whatever checks are chosen.
OBSTACLES: Mapping[str, str] = {
    "credentials_are_accepted": "Check that the credentials of each identity are accepted at least once.",
    "base_path_is_right": "Check that something of the contract exists below the base path of the target.",
    "operations_succeed": "Check that at least one operation succeeds.",
}
#: Checks of schemathesis, which `fuzz` makes besides; the pinned version has exactly these.
OF_SCHEMATHESIS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance"),
    *("response_schema_conformance", "negative_data_rejection", "positive_data_acceptance", "missing_required_header"),
    *("unsupported_method", "allow_header_conformance", "use_after_free", "ensure_resource_availability"),
    "ignored_auth",
)


@cache
def own_checks() -> Mapping[str, str]:
    """Return what each check of ours says, by name: the docstring of its function."""
    folders = [one.name for one in _modules_of(_SUITE) if one.ispkg and one.name not in _WITHOUT]
    found = {name: text for folder in folders for name, text in _of_folder(folder)}
    return dict(sorted({**found, **_SHARED}.items()))


def known_checks() -> tuple[str, ...]:
    """Return the names of all checks that `check` and `fuzz` can be limited to."""
    return (*own_checks(), *OF_SCHEMATHESIS)


def _of_folder(folder: str) -> Iterator[tuple[str, str]]:
    for found in _modules_of(folder):
        if found.ispkg:
            yield from _of_folder(found.name)
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            text = inspect.getdoc(value) or ""
            here = inspect.isfunction(value) and value.__module__ == module.__name__
            if here and not name.startswith("_") and text.startswith(_BEGINNING):
                yield name, text


def _modules_of(package: str) -> Iterator[pkgutil.ModuleInfo]:
    yield from pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")
