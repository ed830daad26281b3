"""Are the labelled resources of resources.yaml detected rightly, and do they hold the round trip?

`python -m tests.breadth.resources DIRECTORY` prints a row for each, and both shares. A pair of paths that is labelled
as none is right when its reads are left alone. Exit code 1 where less than 90 % are right in both.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import requests
import yaml

from mockserver.contract.reading.document import load_contract
from mockserver.contract.resources.collections import InferredResource, infer
from tests.breadth.asking import Asking
from tests.breadth.contracts import RawDocument
from tests.breadth.roundtrip import BrokenError, Label, RoundTrip
from tests.breadth.servers import in_process

LABELS = Path(__file__).with_name("resources.yaml")
_AIM = 0.9
_RESET = "http://127.0.0.1/__mock__/reset"


def main(folder: Path) -> int:
    """Print the table and return the exit code."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    detected = held = both = total = 0
    for name, rows in yaml.safe_load(LABELS.read_text(encoding="utf-8")).items():
        for path, difference, broken in _judged(folder / name, rows):
            total += 1
            detected += not difference
            held += not broken
            both += not difference and not broken
            said = "; ".join(text for text in (difference, broken) if text)
            sys.stdout.write(f"{'BAD' if said else 'ok '} {name} {path} {said}\n")
            sys.stdout.flush()
    shares = [
        f"{count} {what} ({count / total:.1%})"
        for count, what in ((detected, "detected rightly"), (held, "held"), (both, "both"))
    ]
    sys.stdout.write(f"{total} labelled resources: {', '.join(shares)}\n")
    return 0 if both >= _AIM * total else 1


def _judged(document: Path, rows: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each item path with how it is detected otherwise than labelled, and where its round trip breaks."""
    found = {resource.item: resource for resource in infer(load_contract(document)).resources}
    raw = RawDocument(document)
    asking = Asking(raw)
    with in_process(document) as send:
        for row in rows:
            path, _, rest = row.partition(" | ")
            if rest.startswith("none"):
                yield path, "detected, and is none" if path in found else "", ""
                continue
            label = _label(path, rest)
            send(requests.Request("POST", _RESET).prepare())
            broken = ""
            try:
                RoundTrip(raw, asking, send, label).run()
            except BrokenError as error:
                broken = str(error)
            except Exception as error:  # noqa: BLE001 - a crash breaks the round trip, too, and is told
                broken = f"crash: {error!r}"[:300]
            yield path, _difference(found.get(path), label), broken


def _label(path: str, rest: str) -> Label:
    identifier, items, value, roles = rest.split(" | ")
    pointers = {"-": None, ".": ""}
    return Label(path, identifier, pointers.get(items, items), pointers.get(value, value), frozenset(roles.split()))


def _difference(resource: InferredResource | None, label: Label) -> str:
    if resource is None:
        return "not detected"
    said = []
    if resource.identifier != label.identifier:
        said.append(f"identifier {resource.identifier}")
    got = {behaviour.role: behaviour for behaviour in resource.behaviours.values()}
    if got.keys() != label.roles:
        said.append(f"roles {sorted(got)}")
    if label.items is not None and "list" in got and got["list"].items != label.items:
        said.append(f"items {got['list'].items}")
    if label.value is not None and "read" in got and got["read"].value != label.value:
        said.append(f"value {got['read'].value}")
    return ", ".join(said)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
