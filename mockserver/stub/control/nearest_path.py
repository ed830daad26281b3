"""Suggestion for a request's path that the contract does not have: the slash, the base path or one segment is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

#: How alike two segments must be (difflib's ratio, 0 to 1) for one to be a misspelling of the other.
_ALIKE = 0.7
_NUMBER = re.compile(r"\d+")
#: Longer paths are nobody's typing error, and cost time to compare.
_MOST_CHARACTERS = 300


def nearest_path(path: str, templates: Iterable[str]) -> str | None:
    """Return the path that a client most likely meant, None if no path template of the contract is near.

    Path parameters have the values of the request's path. In this order: another slash at the end; the base path left
    out, or a different one in front; one segment that is written alike, or in another case.
    """
    if len(path) > _MOST_CHARACTERS:
        return None
    asked = _segments(path)
    found: tuple[float, str] | None = None
    for template in templates:
        segments = _segments(template)
        score = _score(asked, segments, same_slash=path.endswith("/") == template.endswith("/"))
        if score and (found is None or score > found[0]):
            tail = "/" if template.endswith("/") and segments else ""
            found = score, "/" + "/".join(_filled(asked, segments)) + tail
    return found[1] if found is not None and found[1] != path else None


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _score(asked: list[str], known: list[str], *, same_slash: bool) -> float:
    """Return a score of how near a path is to a path template: 0 if not at all, 4 if all segments are equal."""
    if not asked or not known:
        return 0
    if len(asked) == len(known):
        wrong = [(one, other) for one, other in zip(asked, known, strict=True) if not _fits(one, other)]
        if not wrong:
            return 4
        one, other = wrong[0][0].lower(), wrong[0][1].lower()
        alike = difflib.SequenceMatcher(None, one, other).ratio()
        if _NUMBER.sub("", one) == _NUMBER.sub("", other) != "":  # another version: `v2` for `v1`
            alike = max(alike, _ALIKE)
        return 1 + alike + 0.1 * same_slash if len(wrong) == 1 and alike >= _ALIKE else 0
    least = min(len(asked), len(known))
    ends = zip(asked[-least:], known[-least:], strict=True)
    # A parameter alone fits anything: at least one segment of the contract has to be there, too.
    literal = sum(not other.startswith("{") for other in known[-least:])
    return 2 + 0.1 * same_slash + 0.01 * least if literal and all(_fits(one, other) for one, other in ends) else 0


def _fits(segment: str, known: str) -> bool:
    return segment == known or ("{" in known and "}" in known)


def _filled(asked: list[str], known: list[str]) -> list[str]:
    """Return a template's segments with the values of a path's last segments for its parameters."""
    shift = len(asked) - len(known)
    return [
        asked[index + shift] if "{" in segment and 0 <= index + shift < len(asked) else segment
        for index, segment in enumerate(known)
    ]
