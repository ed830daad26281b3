"""`mockserver lint`: all mistakes in a contract, each finding with its place and remedy.

::

    file -> document -> every element with its kind and place   (loading, elements)
                             |
          validity  examples  marks  pairing  exposure  extensions       (the rules, one module each)
                             |
                        LintFinding                                      (subject)

The rules check the document as written, not as the stub serves it, and report all findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import build, load_document
from mockserver.contract.source.loading import Document
from mockserver.contract.source.openapi2 import upgraded
from mockserver.errors import ContractError
from mockserver.lint.exposure import check_exposure
from mockserver.lint.extension_keys import check_extensions
from mockserver.lint.invalid_examples import check_examples
from mockserver.lint.linted_contract import LintedContract, LintFinding
from mockserver.lint.pairing import check_pairing
from mockserver.lint.provenance_marks import check_marks, check_named_reasons, check_provenance
from mockserver.lint.validity import check_openapi, check_references

__all__ = ["RULES", "LintFinding", "lint"]

#: Every check; each is one function that takes the contract and yields its findings.
RULES: tuple[Callable[[LintedContract], Iterator[LintFinding]], ...] = (
    check_references,
    check_openapi,
    check_examples,
    check_provenance,
    check_marks,
    check_named_reasons,
    check_pairing,
    check_exposure,
    check_extensions,
)


def lint(contract_path: Path | str, overlays: Sequence[Path | str] = ()) -> list[LintFinding]:
    """Return all findings about a contract in the order of the file; empty for a contract without mistakes.

    With overlays, the contract after all of them is checked, and each action without effect is a finding.
    A file that cannot be read, or is not an OpenAPI document, is one finding of the rule `contract`.
    """
    try:
        document = load_document(contract_path, overlays)
    except ContractError as error:
        return [_unusable(_file_of(error, contract_path, overlays), error)]
    contract: Contract | None = None
    findings = {_without_effect(note) for note in document.notes}
    try:
        contract = build(document)
    except ContractError as error:
        if not _is_openapi(document):
            return [_unusable(str(contract_path), error)]
        findings.add(_unusable(_file_of(error, contract_path, overlays), error))
    subject = LintedContract(upgraded(document), contract, document.data)
    for warning in contract.warnings if contract is not None else ():
        findings.add(
            subject.finding("contract", warning.pointer, warning.message, "the contract is served all the same")
        )
    for rule in RULES:
        findings.update(rule(subject))
    return sorted(findings)


def _is_openapi(document: Document) -> bool:
    data = document.data
    return str(data.get("openapi", "")).startswith("3.") or str(data.get("swagger")) == "2.0"


def _file_of(error: ContractError, contract_path: Path | str, overlays: Sequence[Path | str]) -> str:
    """Return the file that a ContractError from loading is about."""
    named = (str(path) for path in overlays if str(error).startswith(f"{path}:"))
    return next(named, str(contract_path))


def _without_effect(note: str) -> LintFinding:
    """Return the finding for a note about an overlay without effect, `file:line: message`."""
    place, _, message = note.partition(": ")
    path, _, line = place.rpartition(":")
    return LintFinding(path, int(line), "", "overlay", message, "correct the target, or remove the action")


def _unusable(path: str, error: ContractError) -> LintFinding:
    """Return the finding for a ContractError, whose text is `file[:line]: [pointer: ]message[; remedy]`."""
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
        remedy=remedy or "the contract cannot be served until this is corrected",
    )
