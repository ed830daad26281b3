"""Regular expressions of contracts (ECMA-262 and common mistakes), rewritten for the validator."""

from __future__ import annotations

import re
from functools import lru_cache

import jsonschema_rs

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: What people write and what is meant, tried one after another; all but the first two are not ECMA-262 with `u` flag.
_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\[\^\]"), r"[\\s\\S]"),  # any character at all; ECMA only
    (re.compile(r"(?<!\\)\{,(\d+)\}"), r"{0,\1}"),
    (re.compile(r"(?<=\\[wWdDsS])-(?!\])"), r"\\-"),  # `[\w-.]`: no range begins with a class
    (re.compile(r"(?<!\\)-(?=\\[wWdDsS])"), r"\\-"),
    (re.compile(r"(?<!\\)\\A"), "^"),
    (re.compile(r"(?<!\\)\\[zZ]"), "$"),
    (re.compile(r"(?<!\\)\\([-_@#%&\"'`~!:;,<>= /])"), r"\1"),  # needless escapes
)
_NAMED_GROUP = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")
_GROUP = re.compile(r"(?<!\\)\((?!\?)|\(\?P?<[A-Za-z_]\w*>")


@lru_cache(maxsize=4096)
def usable(pattern: str) -> str | None:
    """Return an equivalent regular expression that the validator accepts, None if there is none."""
    if _compiles(pattern):
        return pattern
    changed = _numbered(pattern)
    if changed != pattern and _compiles(changed):
        return changed
    for wrong, right in _REWRITES:
        changed = wrong.sub(right, changed)
        if _compiles(changed):
            return changed
    return None


def _numbered(pattern: str) -> str:
    r"""Return a regular expression with its references to named groups (`\k<name>`) replaced by numbers."""
    if "\\k<" not in pattern:
        return pattern
    for number, group in enumerate(_GROUP.finditer(pattern), start=1):
        named = _NAMED_GROUP.fullmatch(group[0])
        if named is not None:
            pattern = pattern.replace(f"\\k<{named[1]}>", f"\\{number}")
    return _NAMED_GROUP.sub("(", pattern)


def _compiles(pattern: str) -> bool:
    try:
        jsonschema_rs.validator_for({"$schema": _DIALECT, "pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True
