"""What Hypothesis and Python keep for themselves, set for as long as a run lasts."""

from __future__ import annotations

import gc
import gzip
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import configuration
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.charmap import charmap_file
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

#: Generated cases are many small objects without cycles; at its own threshold of 700, Python looks for some all along.
_GC_THRESHOLD = 50_000
#: What UTF-8 can encode: everything but surrogates.
_UTF_8 = [[[0, 0xD7FF], [0xE000, 0x10FFFF]], []]


@contextmanager
def no_files_in_the_users_folder() -> Iterator[None]:
    """Give Hypothesis a folder of its own for as long as the run lasts; it keeps tables in `.hypothesis`."""
    before = configuration.storage_directory(intent_to_write=False).home_directory
    with tempfile.TemporaryDirectory(prefix="mockserver-fuzz-") as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            _write_tables()
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


@contextmanager
def no_words_of_ours() -> Iterator[None]:
    """Keep Hypothesis from drawing constants of whatever source code is not in `site-packages`.

    It would find ours in a checkout and none in an installed package: the same seed has to make the same cases in both.
    """
    before, seen = providers._get_local_constants, providers.CONSTANTS_CACHE
    nothing = Constants()
    providers._get_local_constants = lambda: nothing
    providers.CONSTANTS_CACHE = LRUCache(seen.max_size)
    try:
        yield
    finally:
        providers._get_local_constants, providers.CONSTANTS_CACHE = before, seen


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for cyclic garbage less often for as long as the run lasts."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _write_tables() -> None:
    """Write the table of what UTF-8 can encode, which takes Hypothesis most of a second to find out.

    A version that wants another form does not find the file, or cannot read it, and finds out by itself.
    """
    path = charmap_file("codec-v2-utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        json.dump(_UTF_8, file)
