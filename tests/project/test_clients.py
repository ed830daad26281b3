"""What docs/contract.md says of other tools, as far as it can be counted without them."""

from __future__ import annotations

import re
from pathlib import Path

from mockserver.contract.exchanges import pairs_in
from mockserver.contract.reading.document import load_contract
from tests import defaults

TEXT = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")
CONTRACT = load_contract(defaults.CONTRACT)


def test_paths_with_a_slash_at_their_end_are_as_many_as_linters_say() -> None:
    paths = {one.path for one in CONTRACT.operations if one.path.endswith("/")}
    told = re.findall(r"`(?:no-path|path-keys-no)-trailing-slash`[^|]*\| (\d+) \|", TEXT)
    assert told == [str(len(paths))] * 2


def test_clients_make_every_documented_call() -> None:
    pairs = list(pairs_in(CONTRACT))
    rows = re.findall(r"^\| (?:Python|TypeScript) \(`[a-z-]+`\) \| (\d+) \| (\d+) \| ?(\d*)", TEXT, flags=re.MULTILINE)
    assert [int(calls) for calls, *_ in rows] == [len(pairs)] * 2
    assert [int(right) + int(wrong or 0) for _, right, wrong in rows] == [len(pairs)] * 2
    assert {pair.operation.id for pair in pairs} == set(CONTRACT.by_id)
    # Those that the TypeScript client does not make: it looks for content in a 204 that documents a media type.
    empty = [pair for pair in pairs if pair.status == "204" and "200" in pair.operation.responses]
    assert [int(wrong or 0) for *_, wrong in rows] == [0, len(empty)]
