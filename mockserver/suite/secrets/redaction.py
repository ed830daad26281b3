"""Members of a JSON text masked where they stand, without reading the text: it may be cut, deep, or no JSON at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from mockserver.suite.secrets.known_secrets import MASK

#: Names of members, and `*` for any index, that lead to a part of a value.
Path = tuple[str, ...]
#: A text, also one that was cut; a sign; a number or word.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")


def redacted(text: str, paths: Iterable[Path]) -> str:
    """Return a JSON text in which the values at some paths are masked, each in all of its places; the rest as it is."""
    wanted = tuple(paths)
    if not wanted:
        return text
    parts: list[str] = []
    # What is wanted below each open array or object, and whether it is an object.
    above: list[tuple[tuple[Path, ...], bool]] = []
    below, in_object, name = wanted, False, ""
    at_name, hidden, done = False, 0, 0  # hidden: open arrays and objects within a value that is masked
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if hidden:
            hidden += (sign in _OPENING) - (sign in _CLOSING)
            if not hidden:
                done = token.end()
        elif sign in _CLOSING:
            if above:
                below, in_object = above.pop()
            at_name = False
        elif sign == ",":
            at_name = in_object
        elif sign == ":":
            at_name = False
        elif at_name:
            name = _name(sign)
        else:
            found = _below(below, name if in_object else "*") if above else wanted
            if () in found:
                parts += [text[done : token.start()], f'"{MASK}"']
                done = token.end()
                hidden = int(sign in _OPENING)
                done = len(text) if hidden else done  # until its end is found
            elif sign in _OPENING:
                above.append((below, in_object))
                below, in_object = found, sign == "{"
                at_name = in_object
    return "".join((*parts, text[done:]))


def _name(token: str) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return token


def _below(paths: tuple[Path, ...], name: str) -> tuple[Path, ...]:
    return tuple(path[1:] for path in paths if path and path[0] == name)
