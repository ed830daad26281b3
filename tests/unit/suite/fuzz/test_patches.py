"""Every name inside schemathesis and Hypothesis that a run replaces is what it was when it was patched."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis.internal import charmap
from schemathesis.specs.openapi import examples

from mockserver.errors import MockServerError
from mockserver.suite.fuzz import patches
from mockserver.suite.fuzz.patches import PATCHES, Patch, patched_generation


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_what_is_patched_is_as_the_pinned_version_has_it(patch: Patch) -> None:
    difference = patch.difference()
    assert difference is None, f"{difference}; it is replaced because: {patch.why}"


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_a_patch_lasts_as_long_as_its_context(patch: Patch) -> None:
    before = getattr(patch.owner, patch.name)
    with pytest.raises(KeyError), patch.replaced("ours") as found:  # noqa: PT012 - what leads to it is the point
        assert (found, getattr(patch.owner, patch.name)) == (before, "ours")
        raise KeyError
    assert getattr(patch.owner, patch.name) == before
    assert patch.difference() is None


def _send(case: Any, session: Any = None) -> None: ...


@pytest.mark.parametrize(
    ("owner", "form", "told"),
    [
        (SimpleNamespace(), ("case",), "SimpleNamespace.send is gone"),
        (SimpleNamespace(send=1), ("case",), "SimpleNamespace.send is no function"),
        (SimpleNamespace(send=_send), ("case",), "SimpleNamespace.send takes ('case', 'session'), not ('case',)"),
        (SimpleNamespace(send=_send), dict, "SimpleNamespace.send is no dict"),
        (SimpleNamespace(send=_send), ("case", "session"), None),
        (SimpleNamespace(send={}), dict, None),
    ],
)
def test_what_is_gone_or_differs_is_told(owner: Any, form: Any, told: str | None) -> None:
    assert Patch(owner, "send", form, "").difference() == told


def test_another_version_than_the_pinned_one_ends_a_run_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = Patch(SimpleNamespace(), "send", ("case",), "")
    monkeypatch.setattr(patches, "PATCHES", (*PATCHES, changed))
    with (
        pytest.raises(MockServerError, match=r"SimpleNamespace.send is gone.*pip install 'mockserver\[fuzz\]'$"),
        patched_generation(),
    ):
        pass


def test_examples_of_other_hosts_are_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("requests.get", lambda url, **_: fetched.append(url))
    held = {"externalValue": "http://127.0.0.1:9/example.json"}
    with patched_generation():
        assert list(examples.extract_named_inner_examples({"one": held}, None)) == []  # type: ignore[arg-type]
    assert fetched == []


def test_no_words_of_this_checkout_are_drawn() -> None:
    from hypothesis.internal.conjecture import providers

    with patched_generation():
        assert list(providers._get_local_constants().set_for_type("string")) == []


def test_tables_are_those_that_hypothesis_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with patched_generation():
        ours = [_table("charmap"), _table("codec-v2-utf-8")]
    monkeypatch.setattr(charmap, "charmap_file", lambda name="charmap": tmp_path / f"{name}.json.gz")
    monkeypatch.setattr(charmap, "_charmap", None)
    charmap.charmap()
    charmap.intervals_from_codec.__wrapped__("utf-8")
    assert ours == [_table("charmap"), _table("codec-v2-utf-8")]


def _table(name: str) -> Any:
    """Return what Hypothesis keeps in a file, whatever the order of its members."""
    table = json.loads(gzip.decompress(charmap.charmap_file(name).read_bytes()))
    return sorted(table) if name == "charmap" else table
