"""`mockserver lint`: what is wrong with a contract, each finding with its place and remedy.

::

    file -> document -> every element with its kind and place   (loading, elements)
                             |
          validity  examples  marks  pairing  exposure  extensions       (the rules, one module each)
                             |
                        LintFinding                                      (subject)

The rules judge what is written, not what the stub makes of it, and none stops at its first finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from mockserver.contract.building import load_contract
from mockserver.contract.lint.examples import check_examples
from mockserver.contract.lint.exposure import check_exposure
from mockserver.contract.lint.extensions import check_extensions
from mockserver.contract.lint.marks import check_marks, check_provenance
from mockserver.contract.lint.pairing import check_pairing
from mockserver.contract.lint.subject import LintFinding, Subject
from mockserver.contract.lint.validity import check_openapi, check_references
from mockserver.contract.loading import load
from mockserver.contract.model import Contract
from mockserver.errors import ContractError

__all__ = ["RULES", "LintFinding", "lint"]

#: Every check; each is one function that takes the contract and yields its findings.
RULES: tuple[Callable[[Subject], Iterator[LintFinding]], ...] = (
    check_references,
    check_openapi,
    check_examples,
    check_provenance,
    check_marks,
    check_pairing,
    check_exposure,
    check_extensions,
)


def lint(contract_path: Path | str) -> list[LintFinding]:
    """Return all that has to be mended in a contract, in the order of the file; nothing for a good one.

    A file that cannot be read, or is no OpenAPI 3 document, is one finding of the rule `contract`.
    """
    try:
        document = load(contract_path)
    except ContractError as error:
        return [_unusable(str(contract_path), error)]
    contract: Contract | None = None
    findings: set[LintFinding] = set()
    try:
        contract = load_contract(contract_path)
    except ContractError as error:
        if not str(document.data.get("openapi", "")).startswith("3."):
            return [_unusable(str(contract_path), error)]
        findings.add(_unusable(str(contract_path), error))
    subject = Subject(document, contract)
    for rule in RULES:
        findings.update(rule(subject))
    return sorted(findings)


def _unusable(path: str, error: ContractError) -> LintFinding:
    """Return an error of the loader as a finding; its text is `file[:line]: [pointer: ]message[; remedy]`."""
    text = str(error)
    match = re.match(rf"{re.escape(path)}(?::(\d+))?: (?:(/\S*|document): )?", text)
    line, pointer = (match[1], match[2]) if match else (None, None)
    message, _, remedy = text[match.end() if match else 0 :].partition("; ")
    return LintFinding(
        file=path,
        line=int(line or 1),
        pointer="" if pointer in (None, "document") else pointer,
        rule="contract",
        message=message,
        remedy=remedy or "without that the contract cannot be served",
    )
