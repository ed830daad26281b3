"""Application that a name such as `package.module:app` leads to, of the current folder or installed."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockserver.errors import UsageError
from mockserver.plugins.user_modules import import_module, missing_module
from mockserver.suite.applications.application_errors import place_of

#: `package.module:name`, `:name()` for what a factory returns, and the base path of the API in it.
_NAME = re.compile(
    r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)(?P<call>\(\))?(?P<base>/\S*)?"
)
#: Positional parameters of the two kinds: `environ, start_response`, and `scope, receive, send`.
_WSGI, _ASGI = 2, 3


@dataclass(frozen=True, slots=True)
class LoadedApplication:
    """Application that is judged in this process.

    Attributes:
        name: how reports call it.
        application: what is called.
        asgi: whether it is an ASGI application; else it is one for WSGI.
        base: base path of the API in it, "" for none.
    """

    name: str
    application: Any
    asgi: bool
    base: str = ""


def is_application_name(target: str) -> bool:
    """Tell whether a target is the name of an application, and no URL."""
    return _NAME.fullmatch(target) is not None


def load_application(target: str) -> LoadedApplication:
    """Return the application that a name such as `package.module:app` or `package.module:create_app()` leads to.

    Raises:
        UsageError: it cannot be imported, is not there, or is no application.
    """
    found = _NAME.fullmatch(target)
    if found is None:
        raise UsageError(f"{target!r} is not an application; write it as package.module:app")
    value: Any = _imported(target, found["module"])
    for name in found["name"].split("."):
        if not hasattr(value, name):
            close = difflib.get_close_matches(name, [one for one in dir(value) if not one.startswith("_")], n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise UsageError(f"{target}: {found['module']} has no {name!r}{hint}")
        value = getattr(value, name)
    if found["call"]:
        if not callable(value):
            raise UsageError(f"{target}: {found['name']} cannot be called; leave the brackets out")
        try:
            value = value()
        except Exception as error:  # whatever a foreign factory raises is told in one line, without a traceback
            raise UsageError(f"{target}: {found['name']}() failed: {place_of(error)}") from error
    return of_object(value, target.removesuffix(found["base"] or ""), (found["base"] or "").rstrip("/"))


def of_object(application: Any, name: str = "", base: str = "") -> LoadedApplication:
    """Return an application object as it is judged; whether it speaks WSGI or ASGI is seen by its signature.

    Raises:
        UsageError: it is no application.
    """
    name = name or f"{type(application).__module__}.{type(application).__qualname__}"
    if not callable(application) or inspect.isclass(application):
        raise UsageError(f"{name}: is {_described(application)}, and no WSGI or ASGI application")
    return LoadedApplication(name, application, _speaks_asgi(application, name), base)


def _speaks_asgi(application: Any, name: str) -> bool:
    called = application
    while isinstance(called, functools.partial):
        called = called.func
    if not (inspect.isfunction(called) or inspect.ismethod(called)):
        called = type(called).__call__.__get__(called)
    if inspect.iscoroutinefunction(called):
        return True
    try:
        needed = [
            one
            for one in inspect.signature(application).parameters.values()
            if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD} and one.default is one.empty
        ]
    except (TypeError, ValueError):
        return False
    if not needed and inspect.isroutine(application) and not _takes_any(application):
        raise UsageError(f"{name}: takes no arguments, so it is a factory and no application; write {name}()")
    return len(needed) == _ASGI


def _takes_any(application: Any) -> bool:
    return any(one.kind is one.VAR_POSITIONAL for one in inspect.signature(application).parameters.values())


def _described(value: Any) -> str:
    return f"the class {value.__qualname__}" if inspect.isclass(value) else f"an object of type {type(value).__name__}"


def _imported(target: str, module: str) -> Any:
    try:
        return import_module(module)
    except Exception as error:  # whatever a user's module raises is told in one line, without a traceback
        if missing := missing_module(module, error):
            raise UsageError(f"{target}: there is no module {missing!r} in {Path.cwd()} or installed") from error
        raise UsageError(f"{target}: {module} cannot be imported: {place_of(error)}") from error
