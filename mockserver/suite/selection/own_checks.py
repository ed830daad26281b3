"""Checks of one's own: functions of a Python module, made like ours; a mistake in one is contained and told.

::

    def every_response_has_a_request_id(observed: ObservedResponse) -> bool:      # one argument: made on every response
        \"\"\"Check that every response has the field X-Request-Id.\"\"\"

    def reads_are_cached(session: Session, operation: Operation) -> int:          # two: made once on every operation
        \"\"\"Check that a read may be cached.\"\"\"
"""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from mockserver.contract.model import Operation
from mockserver.errors import MockServerError, UsageError
from mockserver.plugins.discovery import find
from mockserver.plugins.user_modules import import_module, missing_module
from mockserver.suite.run.internal_errors import CheckMistake
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, others_in

#: How the docstring of a check begins.
BEGINNING = "Check that "
_OF_RESPONSES, _OF_OPERATIONS = 1, 2


@dataclass(frozen=True, slots=True)
class OwnChecks:
    """Checks of the user's own modules, ready to be made.

    Attributes:
        responses: made on every response; each takes an observed response.
        operations: made once on every selected operation; each takes a session and the operation.
    """

    responses: tuple[Callable[[Any], bool], ...] = ()
    operations: tuple[Callable[[Any, Operation], int], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all these checks."""
        return tuple(check.__name__ for check in (*self.responses, *self.operations))


NONE = OwnChecks()


def load_own_checks(modules: Sequence[str], api: str, known: Sequence[str]) -> OwnChecks:
    """Return the checks of the modules that `--checks-from` names, and of those of an installed API.

    Args:
        modules: as `import` names them.
        api: name of the API whose plug-in may have checks, "" for none.
        known: names of our checks, which no other may have.

    Raises:
        UsageError: a module cannot be imported or has no check, or two checks have one name.
    """
    sources = dict.fromkeys(find(api).checks if api else (), f"API {api}: checks")
    sources |= {module: f"--checks-from {module}" for module in modules}
    functions = [found for module, source in sources.items() for found in _of(module, source)]
    taken = set(known)
    for function in functions:
        if function.__name__ in taken:
            raise UsageError(f"{_place(function)}: there is another check {function.__name__}; give it another name")
        taken.add(function.__name__)
    return OwnChecks(
        tuple(_on_responses(one) for one in functions if _arguments(one) == _OF_RESPONSES),
        tuple(_on_operations(one) for one in functions if _arguments(one) == _OF_OPERATIONS),
    )


def _of(name: str, source: str) -> Iterator[Callable[..., Any]]:
    """Yield the checks of a module.

    Raises:
        UsageError: it has none, or one that is no check.
    """
    module = imported(name, source)
    found = [
        value
        for key, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not key.startswith("_")
        and (inspect.getdoc(value) or "").startswith(BEGINNING)
    ]
    if not found:
        raise UsageError(
            f"{source}: no function there has a docstring that begins {BEGINNING!r}; see docs/extending.md"
        )
    for function in found:
        if _arguments(function) not in {_OF_RESPONSES, _OF_OPERATIONS}:
            raise UsageError(
                f"{_place(function)}: the check {function.__name__} must take one argument, an observed response, "
                "or two, session and operation"
            )
    yield from found


def _arguments(function: Callable[..., Any]) -> int:
    return len(inspect.signature(function).parameters)


def imported(name: str, source: str) -> ModuleType:
    """Return a module of the current folder or an installed one.

    Args:
        name: as `import` names it.
        source: the option that names it, for messages.

    Raises:
        UsageError: it cannot be imported.
    """
    try:
        return import_module(name)
    except Exception as error:  # whatever a user's module raises is told in one line, without a traceback
        if missing := missing_module(name, error):
            hint = "; write the module's name, without .py" if name.endswith(".py") else ""
            raise UsageError(f"{source}: there is no module {missing!r} in {Path.cwd()} or installed{hint}") from error
        raise UsageError(f"{source}: cannot be imported: {_line_of(error)}{type(error).__name__}: {error}") from error


def _on_responses(function: Callable[[Any], Any]) -> Callable[[Any], bool]:
    @functools.wraps(function)
    def check(observed: Any) -> bool:
        try:
            made = function(observed)
        except AssertionError as error:
            place = observed.documented.pointer if observed.documented is not None else observed.place
            raise _failure(function, error, observed.label, place, observed.exchange) from None
        except Exception as error:
            _contain(function, error)
            raise
        return made is not False

    return check


def _on_operations(function: Callable[[Any, Operation], Any]) -> Callable[[Any, Operation], int]:
    @functools.wraps(function)
    def check(session: Any, operation: Operation) -> int:
        try:
            made = function(session, operation)
        except AssertionError as error:
            raise _failure(function, error, operation.label, operation.pointer, session.last) from None
        except Exception as error:
            _contain(function, error)
            raise
        return made if isinstance(made, int) and not isinstance(made, bool) else 1

    return check


def _failure(
    function: Callable[..., Any], error: AssertionError, label: str, pointer: str, exchange: Any
) -> CheckFailure:
    """Return the failure that an assertion of a check stands for."""
    demanded = (inspect.getdoc(function) or "").partition("\n")[0].removeprefix(BEGINNING).rstrip(".")
    frames = traceback.extract_tb(error.__traceback__)
    got = " ".join(str(error).split()) or (frames[-1].line if frames else "") or "an assertion that does not hold"
    return CheckFailure(
        function.__name__,
        label,
        f"it is not so that {demanded}",
        expected=demanded,
        got=got,
        pointer=pointer,
        rule="own",
        exchange=exchange,
    )


def _contain(function: Callable[..., Any], error: Exception) -> None:
    """Raise a mistake of a check as one; results, and errors that are about the whole run, pass.

    Raises:
        CheckMistake: the check failed itself.
    """
    if isinstance(error, MockServerError | CheckFailure | NotRun):
        return
    if isinstance(error, ExceptionGroup) and next(others_in(error), None) is None:
        return
    raise CheckMistake(function.__name__, f"{_line_of(error)}{type(error).__name__}: {error}") from error


def _line_of(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{_short(error.filename or '?')}:{error.lineno}: "
    ours = str(Path(__file__).parents[2])
    frames = [
        one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith((ours, "<frozen"))
    ]
    return f"{_short(frames[-1].filename)}:{frames[-1].lineno}: " if frames else ""


def _place(function: Callable[..., Any]) -> str:
    return f"{_short(function.__code__.co_filename)}:{function.__code__.co_firstlineno}"


def _short(file: str) -> str:
    return file.removeprefix(f"{Path.cwd()}/")
