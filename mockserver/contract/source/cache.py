"""What the YAML of contracts was parsed to, kept in the user's cache folder: reading YAML is a good part of a start.

A file is named by the digest of the text and of our rules for reading it, so it can be old but never wrong. Whatever
goes wrong with it, from a full disk to a folder that cannot be written, costs but the time that it would have saved.
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
#: So many texts are kept; the one that was written first goes first.
MAX_KEPT = 50
#: Changes with what `yamltext` makes of a text, so that no older version's values are taken for today's.
_RULES = "1"


def find(text: str) -> Any:
    """Return the value that a text was parsed to before, None if it is not known."""
    if len(text) < MIN_LENGTH:
        return None
    try:
        return json.decode_exactly(_file(text).read_bytes())
    except (OSError, ValueError, RuntimeError):
        return None


def keep(text: str, value: Any) -> None:
    """Keep the value that a text was parsed to, where JSON can say it."""
    if len(text) < MIN_LENGTH:
        return
    try:
        content = json.encode(value)
        if len(content) > 4 * len(text) or json.decode_exactly(content) != value:
            return  # anchors that expand to much, or what is no JSON
        file = _file(text)
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, content)
        _forget(file.parent)
    except (OSError, TypeError, ValueError, RecursionError, RuntimeError):
        return


def _file(text: str) -> Path:
    """Return the file of a text; RuntimeError where there is no home folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(base) if base else Path.home() / ".cache"
    digest = hashlib.sha256(f"{_RULES}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
    return folder / "mockserver" / "parsed" / f"{digest}.json"


def _write(file: Path, content: bytes) -> None:
    """Write a file so that nobody ever reads half of it."""
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
