"""Extras: packages that one command needs, and that `pip install mockserver` alone does not bring."""

from __future__ import annotations

from importlib.util import find_spec

from mockserver.errors import UsageError

#: Extra of `pyproject.toml` -> the modules that it brings.
_BRINGS = {"fuzz": ("schemathesis", "hypothesis")}


def require_extra(extra: str, needed_for: str) -> None:
    """Tell in one line what to install if an extra is missing.

    Raises:
        UsageError: it is; asked before anything of it is imported.
    """
    missing = [module for module in _BRINGS[extra] if find_spec(module) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise UsageError(
            f"{needed_for} needs {' and '.join(missing)}, which {verb} not installed: pip install 'mockserver[{extra}]'"
        )
