"""Line numbers of elements in a JSON text, found without parsing the whole text into a tree of positions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]  # the decoder's own, in C

_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


class JsonLines:
    """Finder of the lines of elements in one JSON text; scanned objects and arrays are cached."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._members: dict[int, dict[str, tuple[int, int]]] = {}

    def line(self, parts: Sequence[str]) -> int | None:
        """Return the line, from 1, of the element at a path, None if there is no such element.

        The line of a member is that of its name, and of an item that of its value.

        Raises:
            ValueError: the text is not JSON.
        """
        start, place = _after_space(self._text, 0), 0
        for part in parts:
            found = self._members_at(start).get(part)
            if found is None:
                return None
            place, start = found
        return self._text.count("\n", 0, place) + 1

    def _members_at(self, start: int) -> dict[str, tuple[int, int]]:
        """Return the offsets of each member's name and value, or twice of each item's value, in an object or array."""
        known = self._members.get(start)
        if known is None:
            kind = self._text[start : start + 1]
            known = self._members[start] = _scanned(self._text, start, kind) if kind in {"{", "["} else {}
        return known


def _scanned(text: str, start: int, kind: str) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    end = "}" if kind == "{" else "]"
    at = _after_space(text, start + 1)
    while text[at : at + 1] != end:
        place, name = at, str(len(found))
        if kind == "{":
            if text[at : at + 1] != '"':
                raise ValueError(f"no name at {at}")
            name, at = scanstring(text, at + 1, True)  # noqa: FBT003 - as the decoder calls it
            at = _after_space(text, _after_space(text, at) + 1)  # behind the colon
        found[name] = (place, at)
        at = _after_space(text, _decode(text, at)[1])
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
        elif text[at : at + 1] != end:
            raise ValueError(f"not JSON at {at}")
    return found


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
