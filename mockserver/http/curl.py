"""Command lines of curl that repeat a request, for a POSIX shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from urllib.parse import unquote

_VARIABLE = re.compile(r"(\$[A-Z][A-Z0-9_]*)")
#: A few characters repeated many times.
_RUN = re.compile(r"(.{1,4}?)\1{499,}", re.DOTALL)
#: Content up to this length is given in the command line.
_LONG = 2000


def method_words(method: str) -> list[str]:
    """Return the curl arguments that set a request's method; HEAD needs `-I`, so that curl expects no content."""
    return ["-I"] if method == "HEAD" else ["-X", method]


def field_words(name: str, value: str) -> list[str]:
    """Return the curl arguments that send a header field; an empty value is written with a semicolon."""
    return ["-H", f"{name}: {value}" if value.strip() else f"{name};"]


def content_words(content: str, option: str = "-d") -> list[str]:
    """Return the curl arguments that send content as it is, also if it begins with `@`."""
    return ["--data-raw" if content.startswith("@") else option, content]


def url_words(url: str) -> list[str]:
    """Return the curl arguments for a URL: `-g` if it has brackets or braces, `--path-as-is` if it has dot segments."""
    dots = any(unquote(segment) in {".", ".."} for segment in url.partition("?")[0].split("/"))
    return [*(["--path-as-is"] if dots else []), *(["-g"] if set(url) & set("[]{}") else []), url]


def quoted(word: str, is_variable: Callable[[str], bool]) -> str:
    """Return a word quoted for the shell, so that only our own `$VARIABLES` in it are expanded."""
    quoted, plain = "", ""
    for part in _VARIABLE.split(word):
        if part.startswith("$") and is_variable(part[1:]):
            quoted += (shlex.quote(plain) if plain else "") + f'"{part}"'
            plain = ""
        else:
            plain += part
    return quoted + (shlex.quote(plain) if plain or not quoted else "")


def writer(content: str) -> str:
    """Return a shell command that pipes long repetitive content to curl, "" if the content fits in an argument.

    A shell does not accept an argument of megabytes, and nobody can read it.
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
