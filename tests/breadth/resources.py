"""`python -m tests.breadth.resources DIR`: are the labelled resources of resources.yaml detected rightly?"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from mockserver.contract.building import load_contract
from mockserver.contract.inference import Resource, infer

LABELS = Path(__file__).with_name("resources.yaml")


def main(folder: Path) -> int:
    right = total = 0
    for name, rows in yaml.safe_load(LABELS.read_text()).items():
        contract = load_contract(folder / name)
        found = {resource.item: resource for resource in infer(contract).resources}
        for row in rows:
            path, _, rest = row.partition(" | ")
            total += 1
            resource = found.get(path)
            if rest.startswith("none"):
                good, said = resource is None, "detected, and is none" if resource else ""
            else:
                identifier, items, value, roles = rest.split(" | ")
                said = "not detected" if resource is None else _difference(resource, identifier, items, value, roles)
                good = not said
            right += good
            sys.stdout.write(f"{'ok  ' if good else 'BAD '} {name} {path} {said}\n")
    sys.stdout.write(f"{right} of {total} detected rightly ({100 * right / total:.1f} %)\n")
    return 0


def _difference(resource: Resource, identifier: str, items: str, value: str, roles: str) -> str:
    said = []
    if resource.identifier != identifier:
        said.append(f"identifier {resource.identifier}")
    got = {b.role: b for b in resource.behaviours.values()}
    if set(got) != set(roles.split()):
        said.append(f"roles {sorted(got)}")
    if items != "-" and "list" in got and (got["list"].items or ".") != items:
        said.append(f"items {got['list'].items}")
    if value != "-" and "read" in got and (got["read"].value or ".") != value:
        said.append(f"value {got['read'].value}")
    return ", ".join(said)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
