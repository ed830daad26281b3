"""Clock and random values of the package: the same seed, clock and requests give the same bytes."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from datetime import UTC, datetime
from random import Random

_SECONDS = re.compile(r"-?[0-9]{1,15}")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#: The latest UNIX time that a clock is set to: a day before the year 10000, which a token issued then still reaches.
LATEST = 253_402_300_799 - 86_400
#: Seconds since 1970 on the machine's clock.
wall_clock = time.time
#: Seconds that only grow, for durations.
stopwatch = time.perf_counter
#: Waits for some seconds.
pause = time.sleep


def parse_time(text: str) -> int:
    """Return the UNIX time in whole seconds of a text: a number of seconds, or an RFC 3339 date-time.

    Raises:
        ValueError: neither form, before 1970 or beyond LATEST; the message shows the text.
    """
    shown = repr(text[:40])
    if _SECONDS.fullmatch(text) is not None:
        seconds = int(text)
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{shown} is neither UNIX seconds nor a date-time like 2020-02-24T09:20:47Z") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = int(moment.timestamp())
    if not 0 <= seconds <= LATEST:
        raise ValueError(f"{shown} is not between 1970 and 9999")
    return seconds


def make_secret(seed: int, world: str, purpose: str, number: int, length: int = 40) -> str:
    """Return the `number`-th generated secret for a purpose in a world: letters and digits, reproducible.

    They protect nothing: anybody who knows the seed can compute them, as a test should be able to.
    """
    digest = hashlib.shake_256(f"{seed}\0{world}\0{purpose}\0{number}".encode()).digest(length * 2)
    # Two bytes a character keep the bias of the modulus below a tenth of a percent.
    return "".join(
        _ALPHABET[int.from_bytes(digest[index : index + 2]) % len(_ALPHABET)] for index in range(0, length * 2, 2)
    )


def make_uuid(*parts: object) -> str:
    """Return a generated UUID (RFC 9562, version 4), always the same for the same parts."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def chance(*parts: object) -> Random:
    """Return a random generator seeded by some parts, for made-up content; not for secrets."""
    return Random("\0".join(map(str, parts)))  # noqa: S311 - it protects nothing
