"""What Hypothesis and Python keep for themselves, set for as long as a run lasts."""

from __future__ import annotations

import gc
import gzip
import json
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import Any

import requests
from hypothesis import configuration, control
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.charmap import charmap_file
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.strategies import SearchStrategy
from hypothesis.strategies._internal import core, lazy, strategies
from schemathesis.config import GenerationConfig, ProjectConfig
from schemathesis.engine import outage
from schemathesis.specs.openapi import examples
from schemathesis.transport.requests import REQUESTS_TRANSPORT

#: Generated cases are many small objects without cycles; at its own threshold of 700, Python looks for some all along.
_GC_THRESHOLD = 50_000
#: What UTF-8 can encode: everything but surrogates.
_UTF_8 = [[[0, 0xD7FF], [0xE000, 0x10FFFF]], []]
_PLANE = 0x10000
#: Planes without a single character so far, and the two that are for private use.
_EVEN_PLANES = frozenset({*range(4, 14), 15, 16})


@contextmanager
def no_descriptions() -> Iterator[None]:
    """Keep Hypothesis from reading the source of each function for messages that nobody sees."""
    module = vars(lazy)
    before = module["get_pretty_function_description"]
    module["get_pretty_function_description"] = lambda function: getattr(function, "__name__", "a function")
    try:
        yield
    finally:
        module["get_pretty_function_description"] = before


@contextmanager
def prepared_surroundings() -> Iterator[None]:
    """Set all of it for as long as a run lasts."""
    with (
        no_files_in_the_users_folder(),
        no_words_of_ours(),
        no_examples_from_elsewhere(),
        no_descriptions(),
        no_eye_on_chance(),
        short_properties(),
        answers_kept(),
        rare_collections(),
    ):
        yield


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
def no_examples_from_elsewhere() -> Iterator[None]:
    """Keep schemathesis from fetching what `externalValue` names: nobody allowed requests to other hosts."""
    before = examples.load_external_example

    def refuse(url: str) -> bytes:
        raise requests.RequestException(f"{url} is not fetched")

    vars(examples)["load_external_example"] = refuse
    try:
        yield
    finally:
        vars(examples)["load_external_example"] = before


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
def no_eye_on_chance() -> Iterator[None]:
    """Keep Hypothesis from looking, twice a draw, whether a strategy used Python's `random` behind its back."""
    before = control.deprecate_random_in_strategy
    for module in (control, core):
        vars(module)["deprecate_random_in_strategy"] = lambda *_: nullcontext()
    try:
        yield
    finally:
        for module in (control, core):
            vars(module)["deprecate_random_in_strategy"] = before


class _Cycle(Exception):  # noqa: N818 - what was met, in a word
    """A property of a strategy depends on itself."""


@contextmanager
def short_properties() -> Iterator[None]:
    """Work out what strategies are (empty, reusable) by plain recursion where none depends on itself.

    Strategies are made anew for each case, and Hypothesis prepares a search for a fixed point for each of them. Where
    there is no cycle, that search ends with its first pass, whose values these are.
    """
    module = vars(strategies)
    thorough = module["recursive_property"]

    def short(strategy: SearchStrategy[Any], name: str, default: object) -> Any:
        cached, forced, calculation = f"cached_{name}", f"force_{name}", f"calc_{name}"
        running: set[int] = set()

        def value(one: SearchStrategy[Any]) -> Any:
            held = one.__dict__
            if forced in held:
                return held[forced]
            if cached in held:
                return held[cached]
            if id(one) in running or hasattr(one, forced):
                raise _Cycle
            running.add(id(one))
            held[cached] = getattr(one, calculation)(value)
            return held[cached]

        try:
            return value(strategy)
        except _Cycle:
            return thorough(strategy, name, default)

    module["recursive_property"] = short
    try:
        yield
    finally:
        module["recursive_property"] = thorough


@contextmanager
def answers_kept() -> Iterator[None]:
    """Keep what schemathesis works out anew for each case and finds to be the same: settings and the like."""
    settings = ProjectConfig.generation_for
    address = outage._address
    found: dict[tuple[int, str | None, str | None], GenerationConfig] = {}

    def generation_for(self: ProjectConfig, *, operation: Any = None, phase: str | None = None) -> GenerationConfig:
        key = (id(self), operation and operation.label, phase)
        if key not in found:
            found[key] = settings(self, operation=operation, phase=phase)
        return found[key]

    ProjectConfig.generation_for = generation_for  # type: ignore[method-assign]
    outage._address = lru_cache(maxsize=16)(address)
    matching = REQUESTS_TRANSPORT.get_first_matching_media_type
    REQUESTS_TRANSPORT.get_first_matching_media_type = lru_cache(maxsize=256)(matching)  # type: ignore[method-assign]
    try:
        yield
    finally:
        ProjectConfig.generation_for = settings  # type: ignore[method-assign]
        outage._address = address
        del REQUESTS_TRANSPORT.get_first_matching_media_type


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for cyclic garbage less often for as long as the run lasts."""
    before = gc.get_threshold()
    gc.freeze()  # without a collection before it: that takes longer than all that it saves in a short run
    gc.set_threshold(_GC_THRESHOLD, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _write_tables() -> None:
    """Write two tables that Hypothesis takes a second to make: what UTF-8 can encode, and categories of characters.

    A version that wants another form does not find a file, or cannot read it, and makes the table by itself.
    """
    for name, table in (("codec-v2-utf-8", _UTF_8), ("charmap", sorted(categories().items()))):
        path = charmap_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", compresslevel=1) as file:
            json.dump(table, file)


def categories() -> dict[str, list[tuple[int, int]]]:
    """Return the ranges of characters of each category (Unicode Standard, section 4.5).

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
    """Yield the code points at which a category can begin: all, or a few of the planes that hold one category."""
    for plane in range(17):
        first = plane * _PLANE
        if plane in _EVEN_PLANES:
            yield from (first, first + _PLANE - 2, first + _PLANE - 1)
        else:
            yield from range(first, first + _PLANE)
