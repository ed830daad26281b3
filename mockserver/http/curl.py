"""Command lines of curl that repeat a request, for a POSIX shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

_VARIABLE = re.compile(r"(\$[A-Z][A-Z0-9_]*)")
#: A few characters, again and again.
_RUN = re.compile(r"(.{1,4}?)\1{499,}", re.DOTALL)
#: Of shorter content nobody minds that it stands in the command line.
_LONG = 2000


def method_words(method: str) -> list[str]:
    """Return what makes curl use a method; with `-X HEAD` it would wait for content that never comes."""
    return ["-I"] if method == "HEAD" else ["-X", method]


def field_words(name: str, value: str) -> list[str]:
    """Return what sends a header field; without a value it takes a semicolon, for a colon alone removes the field."""
    return ["-H", f"{name}: {value}" if value.strip() else f"{name};"]


def content_words(content: str, option: str = "-d") -> list[str]:
    """Return what sends content: by an option of curl, but for a leading `@`, which would name a file to it."""
    return ["--data-raw" if content.startswith("@") else option, content]


def url_words(url: str) -> list[str]:
    """Return what names a URL: as it is, for curl has a meaning of its own for brackets and braces."""
    return ["-g", url] if set(url) & set("[]{}") else [url]


def quoted(word: str, is_variable: Callable[[str], bool]) -> str:
    """Return a word for the shell in which our `$VARIABLES`, and nothing else, are replaced by it."""
    quoted, plain = "", ""
    for part in _VARIABLE.split(word):
        if part.startswith("$") and is_variable(part[1:]):
            quoted += (shlex.quote(plain) if plain else "") + f'"{part}"'
            plain = ""
        else:
            plain += part
    return quoted + (shlex.quote(plain) if plain or not quoted else "")


def writer(content: str) -> str:
    """Return a command that writes long content of few words and pipes it on, "" where it can be given as it is.

    A shell takes no argument of megabytes, and nobody reads one.
    """
    if len(content) <= _LONG:
        return ""
    parts, done = [], 0
    for run in _RUN.finditer(content):
        count = len(run[0]) // len(run[1])
        parts += [repr(content[done : run.start()]), f"{run[1]!r} * {count}"]
        done = run.end()
    if not parts or _VARIABLE.search(content):
        return ""
    code = f"import sys; sys.stdout.write({' + '.join([*parts, repr(content[done:])])})"
    return f"python3 -c {shlex.quote(code)} | "
