"""Cache of parsed YAML contracts in the user's cache folder, because parsing takes much of the start-up time.

A file is named by the digest of the text and the version of our rules for reading it, so it is never wrong. Any failure
of the cache, such as a full disk or a read-only folder, only costs the time that it would have saved.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from mockserver.http import json

#: Shorter texts are parsed as fast as a file is opened.
MIN_LENGTH = 20_000
#: Limit on the cached texts; the one written first is removed first.
MAX_KEPT = 50
#: Version of the values that `yaml` makes of a text, so that those of an older mockserver are not used.
_RULES = "1"


def find(text: str) -> Any:
    """Return the cached value of a YAML text, None if it is not in the cache."""
    if len(text) < MIN_LENGTH:
        return None
    try:
        return json.decode_exactly(_file(text).read_bytes())
    except (OSError, ValueError, RuntimeError):
        return None


def keep(text: str, value: Any) -> None:
    """Write the value of a YAML text to the cache, unless JSON cannot represent it."""
    if len(text) < MIN_LENGTH:
        return
    try:
        content = json.encode(value)
        if len(content) > 4 * len(text) or json.decode_exactly(content) != value:
            return  # anchors that expand to much, or a value that is not JSON
        file = _file(text)
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, content)
        _forget(file.parent)
    except (OSError, TypeError, ValueError, RecursionError, RuntimeError):
        return


def _file(text: str) -> Path:
    """Return the cache file of a text; raises RuntimeError if the user has no home folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(base) if base else Path.home() / ".cache"
    digest = hashlib.sha256(f"{_RULES}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
    return folder / "mockserver" / "parsed" / f"{digest}.json"


def _write(file: Path, content: bytes) -> None:
    """Write a file atomically, so that no reader sees a part of it."""
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _forget(folder: Path) -> None:
    files = sorted(folder.glob("*"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[MAX_KEPT:]:
        with contextlib.suppress(OSError):
            file.unlink()
