"""Contracts by URL: fetched only with `--allow-remote`, within a limit of size and time."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from pathlib import Path

from mockserver.errors import ContractError

#: Set by `--allow-remote`. The environment carries it to the processes that a run starts.
VARIABLE = "MOCKSERVER_ALLOW_REMOTE"
_TIMEOUT_SECONDS = 20
_URL = re.compile(r"(https?):/+(.+)", re.IGNORECASE | re.DOTALL)
_ON = frozenset({"1", "true", "yes", "on", "y", "t"})


def url_of(location: Path | str) -> str | None:
    """Return the URL that a location is, None for a file; restores the slash that a URL loses as a `Path`."""
    found = _URL.fullmatch(str(location))
    return None if found is None else f"{found[1].lower()}://{found[2]}"


def allowed() -> bool:
    """Tell whether the user allowed to fetch contracts by URL, with `--allow-remote`."""
    return os.environ.get(VARIABLE, "").lower() in _ON


def fetch(url: str, most_bytes: int) -> bytes:
    """Return the content at a URL, at most one byte more than `most_bytes`.

    Raises:
        ContractError: not allowed, or not to be had in time.
    """
    if not allowed():
        raise ContractError(f"{url}: is a URL, which is fetched only with --allow-remote")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - url_of saw http or https
            content: bytes = response.read(most_bytes + 1)
    except (OSError, ValueError) as error:  # URLError is an OSError; ValueError: no host, a bad port
        reason = getattr(error, "reason", None) or error
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is the response, too, and holds its socket
        raise ContractError(f"{url}: cannot be fetched: {reason}; check the URL") from error
    return content
