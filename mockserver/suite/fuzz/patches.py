"""Temporary patches of schemathesis and Hypothesis: each internal name that a fuzz run replaces, and why.

Both are pinned exactly (the extra `fuzz`), and a run compares each of these names with what it is in that version
before it replaces any. Nothing is replaced for speed alone (docs/decisions/0057); what is for speed, the tables that
Hypothesis would make and how often Python looks for garbage, is set by public means and replaces no name.
"""

from __future__ import annotations

import gc
import gzip
import inspect
import json
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from hypothesis import configuration
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.charmap import charmap_file
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from schemathesis.engine import context
from schemathesis.engine.run.unit import _case
from schemathesis.specs.openapi import examples
from schemathesis.transport.requests import REQUESTS_TRANSPORT

from mockserver.errors import MockServerError

#: Generated cases are many small objects without cycles; at its own threshold of 700, Python looks for some all along.
_GC_THRESHOLD = 50_000
#: What UTF-8 can encode: everything but surrogates.
_UTF_8 = [[[0, 0xD7FF], [0xE000, 0x10FFFF]], []]
_PLANE = 0x10000
#: Planes without a single character so far, and the two that are for private use.
_EVEN_PLANES = frozenset({*range(4, 14), 15, 16})


@dataclass(frozen=True, slots=True)
class Patch:
    """A name inside schemathesis or Hypothesis that is replaced while a run lasts.

    Attributes:
        owner: the module or object that holds it.
        name: the attribute.
        form: of a function its parameters, of anything else its type, as the pinned version has them.
        why: what would be wrong without it.
    """

    owner: Any
    name: str
    form: tuple[str, ...] | type
    why: str

    def difference(self) -> str | None:
        """Return how the patched name differs from the pinned version, None if it does not."""
        place = f"{getattr(self.owner, '__name__', type(self.owner).__name__)}.{self.name}"
        if not hasattr(self.owner, self.name):
            return f"{place} is gone"
        value = getattr(self.owner, self.name)
        if isinstance(self.form, type):
            return None if isinstance(value, self.form) else f"{place} is no {self.form.__name__}"
        if not callable(value):
            return f"{place} is no function"
        found = tuple(inspect.signature(value).parameters)
        return None if found == self.form else f"{place} takes {found}, not {self.form}"

    @contextmanager
    def replaced(self, value: Any) -> Iterator[Any]:
        """Replace the name by a value while the context lasts; yield the original."""
        before = getattr(self.owner, self.name)
        own = self.name in vars(self.owner)
        setattr(self.owner, self.name, value)
        try:
            yield before
        finally:
            if own:
                setattr(self.owner, self.name, before)
            else:
                delattr(self.owner, self.name)


LOCAL_CONSTANTS = Patch(
    providers,
    "_get_local_constants",
    (),
    "Hypothesis draws constants of source code that is not in `site-packages`: ours in a checkout, none in an installed"
    " package. The same seed has to make the same cases in both.",
)
CONSTANTS_CACHE = Patch(providers, "CONSTANTS_CACHE", LRUCache, "It keeps what was drawn before.")
EXTERNAL_EXAMPLE = Patch(
    examples,
    "load_external_example",
    ("url",),
    "schemathesis fetches what `externalValue` names: nobody allowed requests to other hosts.",
)
MAKE_SESSION = Patch(
    context,
    "make_session",
    ("config", "operation"),
    "Probes before the first case have to pass the rate limiter and the guard, and no .netrc may add credentials.",
)
SEND = Patch(
    REQUESTS_TRANSPORT,
    "send",
    ("case", "session", "kwargs"),
    "A generated case goes the way of the suite's own requests, rate limiter and guard included.",
)
CALL_AND_VALIDATE = Patch(
    _case,
    "_do_call_and_validate",
    ("case", "ctx", "scenario", "pending_events"),
    "Each part of a run has to generate all cases and to send its own: Hypothesis makes up another for one refused.",
)
#: All of them.
PATCHES = (LOCAL_CONSTANTS, CONSTANTS_CACHE, EXTERNAL_EXAMPLE, MAKE_SESSION, SEND, CALL_AND_VALIDATE)


@contextmanager
def patched_generation() -> Iterator[None]:
    """Make generated cases depend on the seed alone while the context lasts, not on this machine.

    Raises:
        MockServerError: another version is installed than the one that is patched.
    """
    differences = [difference for patch in PATCHES if (difference := patch.difference())]
    if differences:
        raise MockServerError(
            f"fuzz needs the versions that it is made for ({differences[0]}): pip install 'mockserver[fuzz]'"
        )
    nothing = Constants()
    with (
        _own_folder(),
        LOCAL_CONSTANTS.replaced(lambda: nothing),
        CONSTANTS_CACHE.replaced(LRUCache(providers.CONSTANTS_CACHE.max_size)),
        EXTERNAL_EXAMPLE.replaced(_refuse),
        _rare_collections(),
    ):
        yield


def _refuse(url: str) -> bytes:
    raise requests.RequestException(f"{url} is not fetched")


@contextmanager
def _own_folder() -> Iterator[None]:
    """Give Hypothesis a temporary storage folder instead of `.hypothesis` in the current one."""
    before = configuration.storage_directory(intent_to_write=False).home_directory
    with tempfile.TemporaryDirectory(prefix="mockserver-fuzz-") as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            _write_tables()
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Make Python collect cyclic garbage less often while the context lasts."""
    before = gc.get_threshold()
    gc.freeze()  # without a collection before it: that takes longer than all that it saves in a short run
    gc.set_threshold(_GC_THRESHOLD, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _write_tables() -> None:
    """Write two character tables into the storage folder that Hypothesis would take a second to compute.

    A version that wants another form does not find a file, or cannot read it, and makes the table by itself.
    """
    for name, table in (("codec-v2-utf-8", _UTF_8), ("charmap", sorted(categories().items()))):
        path = charmap_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", compresslevel=1) as file:
            json.dump(table, file)


def categories() -> dict[str, list[tuple[int, int]]]:
    """Return the ranges of code points in each character category (Unicode Standard, section 4.5).

    Eleven of the seventeen planes hold one category each, but for the two last code points, so they are not walked.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    start, last = 0, ""
    for number in _places():
        category = unicodedata.category(chr(number))
        if category != last:
            if last:
                found.setdefault(last, []).append((start, number - 1))
            start, last = number, category
    found.setdefault(last, []).append((start, sys.maxunicode))
    return found


def _places() -> Iterator[int]:
    """Yield the code points at which a character category can begin; few in planes that hold one category."""
    for plane in range(17):
        first = plane * _PLANE
        if plane in _EVEN_PLANES:
            yield from (first, first + _PLANE - 2, first + _PLANE - 1)
        else:
            yield from range(first, first + _PLANE)
