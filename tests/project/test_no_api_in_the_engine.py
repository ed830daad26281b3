"""The engine knows no API: no word of the built-in contract stands in it, in code, texts or comments.

The words are made from the contract and its seed data when the test runs: a new operation brings its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mockserver
from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.contract.source.loading import parse_yaml
from tests.defaults import CONTRACT, SEED_DATA

PACKAGE = Path(mockserver.__file__).parent
#: What is written in words of the engine, by the end of its name; the rest is somebody else's or no text.
_TEXTS = {".py", ".yaml", ".json", ".html"}
#: Folders that are no part of the engine: the built-in API itself, and a viewer of others.
_APART = {"builtin", "swagger-ui"}

#: Words that the built-in API shares with everybody, by the reason why the engine has them.
ORDINARY: dict[str, set[str]] = {
    "words of HTTP, OpenAPI and their neighbours": {
        *("api", "auth", "authentication", "credentials", "options", "v1", "password", "domain", "mail"),
        *("Credentials", "Problem", "Timeout", "Violation"),
    },
    "words of the engine: handlers and what it calls their business": {
        *("setting", "settings", "accounts", "users", "overlays", "issue"),
    },
    "members of the engine's own records of accounts and tokens, which any seed data may give": {
        *("valid_from", "valid_to", "password_hash", "last_login"),
    },
    "ordinary English": {
        *("addresses", "aliases", "disable", "global", "registration", "share", "statistics", "verify", "Count"),
    },
    "a variable of CGI, in capitals (RFC 3875, section 4.1.15)": {"server_port"},
}


def _segments(contract: Contract) -> Iterator[str]:
    for operation in contract.operations:
        yield from (segment for segment in operation.path.split("/") if segment and not segment.startswith("{"))


def _properties(value: Any) -> Iterator[str]:
    """Yield the names of properties in a schema, or many; those of one word are anybody's."""
    if isinstance(value, dict):
        named = value.get("properties")
        yield from (name for name in named if "_" in name) if isinstance(named, dict) else ()
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _properties(item)


def _words() -> set[str]:
    contract = load_contract(CONTRACT)
    schemas = contract.document.data["components"]["schemas"]
    behaviours = [one.behaviour for one in contract.operations if one.behaviour is not None]
    return {
        *_segments(contract),
        *(operation.id for operation in contract.operations),
        *contract.levels,
        *parse_yaml(SEED_DATA, SEED_DATA.read_text(encoding="utf-8")),
        *schemas,
        *_properties(schemas),
        *(behaviour.handler for behaviour in behaviours),
        *(behaviour.resource for behaviour in behaviours if behaviour.resource),
    }


WORDS = _words()
_ALLOWED = {word for words in ORDINARY.values() for word in words}


def _pattern(words: set[str]) -> re.Pattern[str]:
    """Return what matches one of some words, whole; a part of a longer name counts, as in `has_domains`."""
    parts = [re.escape(word) if word != word.lower() else f"(?i:{re.escape(word)})" for word in sorted(words)]
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(parts)})(?![A-Za-z0-9])")


FILES = sorted(
    path for path in PACKAGE.rglob("*") if path.suffix in _TEXTS and _APART.isdisjoint(path.relative_to(PACKAGE).parts)
)
_FORBIDDEN = _pattern(WORDS - _ALLOWED)


def test_the_list_is_made_from_all_that_the_contract_names() -> None:
    assert len(WORDS) > 300
    assert {"domains", "auth_post", "MasterAdmin", "sieve_filters", "twofactor", "perm_level"} <= WORDS - _ALLOWED
    assert {path.relative_to(PACKAGE).parts[0] for path in FILES} >= {"http", "contract", "lint", "stub", "suite"}


def _found(path: Path) -> list[str]:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    return [f"{number}: {match[0]}: {line.strip()}" for number, line in lines for match in _FORBIDDEN.finditer(line)]


def test_no_word_of_the_built_in_api_stands_in_the_engine() -> None:
    found = {str(path.relative_to(PACKAGE)): _found(path) for path in FILES}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("reason", ORDINARY)
def test_an_exception_is_a_word_of_the_contract_and_stands_in_the_engine(reason: str) -> None:
    assert ORDINARY[reason] - WORDS == set()
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    assert {word for word in ORDINARY[reason] if not _pattern({word}).search(text)} == set()
