"""Crashes of an application: an exception that it raises is the response 500, which says what and where."""

from __future__ import annotations

import sys
import sysconfig
import traceback
from pathlib import Path

from mockserver.suite.target.framing import ResponseHead

#: So many are told.
_MOST_TOLD = 20
#: The head of the response to a request on which the application failed.
CRASHED = ResponseHead("1", 500, "Internal Server Error", (("Content-Type", "text/plain; charset=utf-8"),))


def place_of(error: BaseException) -> str:
    """Return an exception in one line, with the last place of the user's own code that it came through."""
    if isinstance(error, SyntaxError):
        frames = [(error.filename or "?", error.lineno or 0)]
    else:
        frames = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    here, libraries = f"{Path.cwd()}/", tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
    foreign = (*libraries, "<frozen", str(Path(__file__).parents[2]))
    own = [frame for frame in frames if not frame[0].startswith(foreign)] or frames
    said = " ".join(str(error).split())
    text = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if not own:
        return text
    file, line = own[-1]
    return f"{text} ({file.removeprefix(here)}:{line})"


def crash_report(error: BaseException) -> bytes:
    """Return the content of the response 500 that stands for an exception."""
    return place_of(error).encode("utf-8", "backslashreplace")


class ToldErrors:
    """Exceptions of an application, told once for each place: no server is there that would log them."""

    def __init__(self) -> None:
        self._places: set[str] = set()

    def tell(self, error: BaseException) -> None:
        """Print an exception and its place on standard error, unless that place was told before."""
        text = place_of(error)
        kind = f"{type(error).__name__} {text.rpartition('(')[2]}"
        if kind not in self._places and len(self._places) < _MOST_TOLD:
            self._places.add(kind)
            sys.stderr.write(f"mockserver: the application raised {text}\n")
