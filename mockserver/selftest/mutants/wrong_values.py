"""Values that are changed on their way in or out."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from mockserver.http.pointers import split
from mockserver.selftest.catalogue import Catalogue, Mutation
from mockserver.selftest.mutated_operation import Sign, Subject, at, holder
from mockserver.selftest.plants import with_main

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
    """Return a host name's ASCII form (RFC 3492), other texts as they are."""
    try:
        return text.encode("idna").decode()
    except UnicodeError:
        return text


def _clipped(number: int) -> int:
    return min(number, _SMALLINT)


#: Name, claim, change of each text.
_TEXTS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("text_trimmed", "Spaces around a text are dropped.", str.strip),
    ("text_lower_cased", "Texts are kept in lower case.", str.lower),
    ("text_normalised", "Texts are normalised: one character stands for two (NFKC).",
     lambda text: unicodedata.normalize("NFKC", text)),
    ("text_decomposed", "Texts are normalised: two characters stand for one (NFD).",
     lambda text: unicodedata.normalize("NFD", text)),
    ("text_ascii_only", "Letters that ASCII does not have become question marks.",
     lambda text: text.encode("ascii", "replace").decode()),
    ("text_without_accents", "Letters lose their accents.",
     lambda text: "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))),
    ("text_mojibake", "The database connection takes UTF-8 for Latin-1.",
     lambda text: text.encode().decode("latin-1")),
    ("text_without_emoji", "Characters beyond 16 bits are cut.",
     lambda text: "".join(char for char in text if char <= "\uffff")),
    ("text_escaped_for_html", "Texts are escaped for HTML before they are kept.", html.escape),
    ("text_unescaped", "Texts are decoded as if they came in a URL.", unquote_plus),
    ("text_quotes_doubled", "A quote becomes two, as SQL writes it.", lambda text: text.replace("'", "''")),
    ("text_cut", "A column of 64 characters cuts longer texts.", lambda text: text[:_LENGTH]),
    ("text_cut_at_255", "A column of 255 characters cuts longer texts.", lambda text: text[:255]),
    ("text_in_punycode", "International host names come back in their ASCII form.", _to_ascii),
)  # fmt: skip

#: Name, claim, change of each number.
_NUMBERS: tuple[tuple[str, str, Callable[[int], int]], ...] = (
    ("number_clipped", "Numbers are clipped to 16 bits with a sign.", _clipped),
    ("number_wrapped", "Numbers beyond 16 bits with a sign wrap around.",
     lambda number: (number + 2**15) % 2**16 - 2**15),
    ("number_rounded", "Numbers are rounded to tens.", lambda number: round(number, -1)),
    ("number_zero_is_default", "0 counts as not set, and becomes a default.", lambda number: number or 30),
    ("number_one_more", "Numbers are one more: somebody counts from 1.", lambda number: number + 1),
    ("number_ignored", "A number is always the same, whatever was sent.", lambda _number: 25),
)  # fmt: skip


def _of_the_value(subject: Subject, change: Callable[[Any], Any], suits: Callable[[Any], bool]) -> Mutation | None:
    """Return the mutation that changes the suitable parts of the resource's value in the main answer."""
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

    def on_answer(answer: Any) -> Any:
        held = holder(answer, path)
        held[path[-1]] = _changed(held[path[-1]], change, suits)
        return answer

    # A change that touches no value that can be written changes nothing.
    samples = Subject(subject.contract, write, subject.index, subject.accounts)
    if not _can_show(samples, change, suits):
        return None
    check = "writes_echo_the_request" if subject.role == "write" else "reads_show_the_last_write"
    signs: frozenset[Sign] = subject.stated(behaviour.pointer, check)
    return with_main(subject, signs, lambda reply: reply.changed(on_answer))


def _can_show(write: Subject, change: Callable[[Any], Any], suits: Callable[[Any], bool]) -> bool:
    """Tell whether a value that the write takes is changed: one of its example, with a suitable member set."""
    if not isinstance(write.sample, dict):
        return True
    return any(
        write.takes(write.sample | {name: trial})
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


def _register(name: str, claim: str, change: Callable[[Any], Any], suits: Callable[[Any], bool]) -> None:
    VALUES.add(name, claim, lambda subject: _of_the_value(subject, change, suits))


for _name, _claim, _change in _TEXTS:
    _register(_name, _claim, _change, _is_text)
for _name, _claim, _change_number in _NUMBERS:
    _register(_name, _claim, _change_number, _is_number)


@VALUES.mutant
def members_swapped(subject: Subject) -> Mutation | None:
    """Two members of the same type are swapped: the parameters of an INSERT stand in the wrong order."""
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


def _whole(subject: Subject, change: Callable[[Any], Any]) -> Mutation | None:
    """Return the mutation that changes the resource's value as a whole."""
    behaviour = subject.operation.behaviour
    if behaviour is None or subject.role not in {"read", "write"}:
        return None
    path = tuple(split(behaviour.value))

    def on_answer(answer: Any) -> Any:
        held = holder(answer, path)
        held[path[-1]] = change(held[path[-1]])
        return answer

    check = "writes_echo_the_request" if subject.role == "write" else "reads_show_the_last_write"
    return with_main(subject, subject.stated(behaviour.pointer, check), lambda reply: reply.changed(on_answer))


def _same_type(one: Any, other: Any) -> bool:
    return type(one) is type(other)
