"""Mutants that change values while storing or showing them."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from mockserver.http.pointers import split
from mockserver.selftest.catalogue import Catalogue, Mutation
from mockserver.selftest.interceptors import with_main
from mockserver.selftest.mutated_operation import MutatedOperation, Sign, at, holder

VALUES = Catalogue("values")
_LENGTH = 64
_SMALLINT = 32767
#: At least one of these is changed by each class, where a contract allows such a value.
_TRIALS: tuple[Any, ...] = (
    0,
    1,
    17,
    32768,
    " Ab\u00e9 \ufb01 e\u0301 '\" <&> %41+ \U0001f600 ",
    "x" * 65,
    "x" * 256,
    "b\u00fccher.example",
)


def _to_ascii(text: str) -> str:
    """Return a host name in its ASCII form (RFC 3492), other strings unchanged."""
    try:
        return text.encode("idna").decode()
    except UnicodeError:
        return text


def _clipped(number: int) -> int:
    return min(number, _SMALLINT)


#: Name, fault, change of each text.
_TEXTS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("text_trimmed", "Server that strips spaces from strings.", str.strip),
    ("text_lower_cased", "Server that stores strings in lower case.", str.lower),
    ("text_normalised", "Server that normalises strings to Unicode NFKC, which composes characters.",
     lambda text: unicodedata.normalize("NFKC", text)),
    ("text_decomposed", "Server that normalises strings to Unicode NFD, which decomposes characters.",
     lambda text: unicodedata.normalize("NFD", text)),
    ("text_ascii_only", "Server that replaces characters beyond ASCII with question marks.",
     lambda text: text.encode("ascii", "replace").decode()),
    ("text_without_accents", "Server that strips accents from letters.",
     lambda text: "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))),
    ("text_mojibake", "Server that decodes UTF-8 as Latin-1.",
     lambda text: text.encode().decode("latin-1")),
    ("text_without_emoji", "Server that drops characters above U+FFFF.",
     lambda text: "".join(char for char in text if char <= "\uffff")),
    ("text_escaped_for_html", "Server that stores strings escaped for HTML.", html.escape),
    ("text_unescaped", "Server that percent-decodes strings as if they came in a URL.", unquote_plus),
    ("text_quotes_doubled", "Server that doubles single quotes, as SQL literals do.",
     lambda text: text.replace("'", "''")),
    ("text_cut", "Server that cuts strings after 64 characters.", lambda text: text[:_LENGTH]),
    ("text_cut_at_255", "Server that cuts strings to 255 characters, as a database column does.",
     lambda text: text[:255]),
    ("text_in_punycode", "Server that shows international host names in their ASCII form.", _to_ascii),
)  # fmt: skip

#: Name, fault, change of each number.
_NUMBERS: tuple[tuple[str, str, Callable[[int], int]], ...] = (
    ("number_clipped", "Server that clips numbers to the largest signed 16-bit integer.", _clipped),
    ("number_wrapped", "Server whose numbers overflow a signed 16-bit integer.",
     lambda number: (number + 2**15) % 2**16 - 2**15),
    ("number_rounded", "Server that rounds numbers to tens.", lambda number: round(number, -1)),
    ("number_zero_is_default", "Server that takes 0 for a missing value and stores a default.",
     lambda number: number or 30),
    ("number_one_more", "Server that adds one to numbers.", lambda number: number + 1),
    ("number_ignored", "Server that stores the same number whatever was sent.", lambda _number: 25),
)  # fmt: skip


def _of_the_value(
    subject: MutatedOperation, change: Callable[[Any], Any], suits: Callable[[Any], bool]
) -> Mutation | None:
    """Return a mutation of the stub that changes suitable members of the resource's value in the main response."""
    behaviour = subject.operation.behaviour
    if behaviour is None or not behaviour.value or subject.role not in {"read", "write"} or subject.generated:
        return None
    write = subject.sibling("write")
    if write is None or (write.behaviour is not None and write.behaviour.generated):
        return None
    shown = at(subject.main.value, behaviour.value) if subject.main else None
    if not any(map(suits, shown.values() if isinstance(shown, dict) else [shown])):
        return None
    path = tuple(split(behaviour.value))

    def change_value(content: Any) -> Any:
        held = holder(content, path)
        held[path[-1]] = _changed(held[path[-1]], change, suits)
        return content

    # A change that touches no value that can be written changes nothing.
    samples = subject.other(write)
    if not _can_show(samples, change, suits):
        return None
    check = "writes_echo_the_request" if subject.role == "write" else "reads_show_the_last_write"
    signs: frozenset[Sign] = subject.stated(behaviour.pointer, check)
    return with_main(subject, signs, lambda response: response.changed(change_value))


def _can_show(write: MutatedOperation, change: Callable[[Any], Any], suits: Callable[[Any], bool]) -> bool:
    """Tell whether any valid write could carry a value that the mutation changes."""
    if not isinstance(write.sample, dict):
        return True
    return any(
        write.accepts(write.sample | {name: trial})
        for name, member in write.sample.items()
        if suits(member) and name not in write.secret_members
        for trial in _TRIALS
        if suits(trial) and change(trial) != trial
    )


def _changed(value: Any, change: Callable[[Any], Any], suits: Callable[[Any], bool]) -> Any:
    if isinstance(value, dict):
        return {name: _changed(member, change, suits) for name, member in value.items()}
    return change(value) if suits(value) else value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _register(name: str, fault: str, change: Callable[[Any], Any], suits: Callable[[Any], bool]) -> None:
    VALUES.add(name, fault, lambda subject: _of_the_value(subject, change, suits))


for _name, _fault, _change in _TEXTS:
    _register(_name, _fault, _change, _is_text)
for _name, _fault, _change_number in _NUMBERS:
    _register(_name, _fault, _change_number, _is_number)


@VALUES.mutant
def members_swapped(subject: MutatedOperation) -> Mutation | None:
    """Server that swaps the values of two members of the same type."""
    behaviour = subject.operation.behaviour
    shown = at(subject.main.value, behaviour.value) if subject.main and behaviour and behaviour.value else None
    if not isinstance(shown, dict):
        return None
    names = list(shown)
    pairs = [(one, other) for one in names for other in names if one < other and _same_type(shown[one], shown[other])]
    chosen = subject.pick(pairs)
    if chosen is None:
        return None
    one, other = chosen

    def swap(value: Any) -> Any:
        return value | {one: value[other], other: value[one]}

    return _whole(subject, swap)


def _whole(subject: MutatedOperation, change: Callable[[Any], Any]) -> Mutation | None:
    """Return a mutation of the stub that changes the resource's whole value in the main response."""
    behaviour = subject.operation.behaviour
    if behaviour is None or subject.role not in {"read", "write"}:
        return None
    path = tuple(split(behaviour.value))

    def change_value(content: Any) -> Any:
        held = holder(content, path)
        held[path[-1]] = change(held[path[-1]])
        return content

    check = "writes_echo_the_request" if subject.role == "write" else "reads_show_the_last_write"
    return with_main(subject, subject.stated(behaviour.pointer, check), lambda response: response.changed(change_value))


def _same_type(one: Any, other: Any) -> bool:
    return type(one) is type(other)
