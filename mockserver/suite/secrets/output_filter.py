"""Output filter: removes known secrets from everything that is printed, as the last line of defence."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from mockserver.errors import InternalError, MockServerError
from mockserver.suite.run.internal_errors import place_of
from mockserver.suite.secrets.known_secrets import Secrets

#: Longest message, since an error may quote a whole response.
_MAX_MESSAGE = 500


class OutputFilter:
    """Removes the secrets of a run from output.

    Attributes:
        secrets: the secrets to mask; a run adds its own.
    """

    def __init__(self) -> None:
        self.secrets = Secrets()

    def __call__(self, text: str) -> str:
        """Return an output text with its secrets masked."""
        return self.secrets.redact(text)

    def line(self, text: str) -> str:
        """Return a message on one line, with all secrets masked and at most `_MAX_MESSAGE` characters."""
        shown = " ".join(self.secrets.mask(text).split())
        return shown if len(shown) <= _MAX_MESSAGE else shown[:_MAX_MESSAGE] + "…"


class FilteredStream(io.TextIOBase):
    """A text stream that filters text, line by line, before it writes it to another stream."""

    def __init__(self, stream: TextIO, redact: Callable[[str], str]) -> None:
        self._stream = stream
        self._redact = redact
        self._pending = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property of every text stream, an attribute in typeshed
        """Encoding of the underlying stream."""
        return self._stream.encoding or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]  # as above
        """Error handler of the underlying stream."""
        return self._stream.errors or "strict"

    def write(self, text: str) -> int:
        """Filter a text and write its complete lines; the last, incomplete line is buffered."""
        if not isinstance(text, str):
            raise TypeError(f"only text can be written, not {type(text).__name__}")
        head, newline, self._pending = (self._pending + text).rpartition("\n")
        if newline:
            self._stream.write(self._written(self._redact(head)) + newline)
        return len(text)

    def flush(self) -> None:
        """Write the buffered text of the last, incomplete line."""
        if self._pending:
            waiting, self._pending = self._pending, ""
            self._stream.write(self._written(self._redact(waiting)))
        self._stream.flush()

    def _written(self, text: str) -> str:
        """Return a text with the characters escaped that the stream's encoding lacks."""
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def isatty(self) -> bool:
        """Tell whether the underlying stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the file descriptor of the underlying stream."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Return True: the stream can be written to."""
        return True


@contextmanager
def filtered_output(redact: OutputFilter) -> Iterator[None]:
    """Filter standard output, standard error and error messages for secrets while the context lasts.

    That is also for what libraries print: warnings, log lines, tracebacks of threads.

    Raises:
        MockServerError: what went wrong, in one line without secrets.
        InternalError: a mistake of ours, likewise.
    """
    outputs = sys.stdout, sys.stderr
    streams = FilteredStream(sys.stdout, redact), FilteredStream(sys.stderr, redact)
    sys.stdout, sys.stderr = streams
    try:
        yield
    except MockServerError as error:
        error.args = (redact.line(str(error)),)
        raise
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - a traceback would show the messages of its frames
        raise InternalError(redact.line(_told(error))) from None
    finally:
        sys.stdout, sys.stderr = outputs
        for stream in streams:
            with suppress(OSError, ValueError):
                stream.flush()


def _told(error: Exception) -> str:
    """Return the message for an error of mockserver itself: what happened, where, and a request to report it."""
    place = place_of(error, besides=filtered_output.__name__)
    return f"an error of mockserver itself{place}: {type(error).__name__}: {error}; please report it"
