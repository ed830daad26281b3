"""Known secrets: the secrets of a run, masked in output and searched for in responses."""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections.abc import Iterable, Iterator
from typing import Any

from mockserver.contract.model import Contract
from mockserver.suite.secrets.encoded_secrets import Finder, MatchKind, fold, folded_digits, folded_texts, readings
from mockserver.suite.target.exchange import NotJSON, WireResponse, is_json

#: A text shorter than this may appear in a response by chance.
MIN_SECRET = 12
MASK = "********"
_MIN_DISTINCT = 8
_ALPHABET = string.ascii_letters + string.digits


def is_distinctive(value: str) -> bool:
    """Tell whether a text is long and varied enough that its appearance in a response is no coincidence."""
    return len(value) >= MIN_SECRET and len(set(value)) >= _MIN_DISTINCT and not any(map(str.isspace, value))


class Canaries:
    """Makes up secrets: the same seed gives the same secrets in the same order, no secret twice."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._count = 0

    def make(self, purpose: str, length: int = 24) -> str:
        """Return a new secret of letters and digits, at least `MIN_SECRET` characters long."""
        self._count += 1
        digest = hashlib.shake_256(f"{self._seed}/{self._count}/{purpose}".encode()).digest(max(length, MIN_SECRET))
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)


class Secrets:
    """All secrets of a run, each with the name of the variable that replaces it in output."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._public: set[str] = set()
        self._issued: set[str] = set()
        self._leaks = Finder()
        self._all = Finder()

    def add(self, name: str, value: str, *, may_come_back: bool = False, issued: bool = False) -> None:
        """Register a secret under the name of its `$VARIABLE`; a secret keeps its first name.

        What `may_come_back`, such as the name of a tenant or a CSRF token, is masked, and no leak in a response. What
        was `issued` in this run is none in the response to a login.
        """
        if not value or value in self._names:
            return
        self._names[value] = name
        if may_come_back:
            self._public.add(value)
        if issued:
            self._issued.add(value)
        kind: MatchKind = "text" if len(value) >= MIN_SECRET // 2 else "word"
        digits = folded_digits(value)
        finders = (self._all, self._leaks) if len(value) >= MIN_SECRET else (self._all,)
        for form in folded_texts(value) | digits:
            self._values.setdefault(form, value)
            for finder in finders:
                finder.add(form, "digits" if form in digits else kind)

    def leaked(self, text: str) -> Iterator[str]:
        """Yield the secrets that a text contains, also escaped, encoded or in another case."""
        found = dict.fromkeys(form for reading in readings(text) for form in self._leaks.found(fold(reading)))
        yield from dict.fromkeys(value for form in found if (value := self._values[form]) not in self._public)

    def long_values(self) -> tuple[str, ...]:
        """Return the secrets that are long enough to be told from chance."""
        return tuple(value for value in self._names if len(value) >= MIN_SECRET)

    def without_issued(self, text: str) -> str:
        """Return a text without the secrets that the server gave out in this run, in response to a login."""
        for value in self._issued:
            text = text.replace(value, "")
        return text

    def name_of(self, value: str) -> str | None:
        """Return the name of the variable that replaces a secret, or None if the text is not a secret."""
        return self._names.get(value)

    def has_name(self, name: str) -> bool:
        """Tell whether a variable name is in use for a secret."""
        return name in self._names.values()

    def mask(self, text: str) -> str:
        """Return a text with every secret, in any form, replaced by its `$VARIABLE`.

        A secret that is too short to be told from chance is masked where it is a word of its own.
        """
        return self._masked(text, self._all)

    def redact(self, text: str) -> str:
        """Return finished output with each long secret that is left in it replaced by its `$VARIABLE`.

        Only secrets that cannot be a part of the document's own syntax by chance.
        """
        return self._masked(text, self._leaks)

    def mask_json(self, value: Any) -> Any:
        """Return a JSON value with secrets masked in all its texts and member names."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask(name): self.mask_json(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.mask_json(item) for item in value]
        return value

    def _masked(self, text: str, finder: Finder) -> str:
        places = sorted(finder.places(text), key=lambda place: (place.start, -place.end))
        if not places:
            return text
        parts, done = [], 0
        for place in places:
            if place.start >= done:
                parts += [text[done : place.start], f"${self._names[self._values[place.form]]}"]
            done = max(done, place.end)
        return "".join([*parts, text[done:]])


def marked(contract: Contract, schema: str | None, keyword: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    """Return path and pointer of each property below a schema that has a keyword such as `writeOnly`.

    `*` in a path is any index of an array. True or text counts: `writeOnly: true`, `x-secret: issued`.
    """
    return () if schema is None else contract.marks(keyword).below(schema)


def values_at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield the values at a path in a JSON value; `*` in the path goes through all items of an array."""
    if not path:
        yield value
    elif path[0] == "*" and isinstance(value, list):
        for item in value:
            yield from values_at(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from values_at(value[path[0]], path[1:])


def mask_paths(value: Any, paths: tuple[tuple[str, ...], ...]) -> Any:
    """Return a JSON value with the members at some paths masked."""
    if not paths:
        return value
    if () in paths:
        return MASK
    if isinstance(value, list):
        return [mask_paths(item, _below(paths, "*")) for item in value]
    if isinstance(value, dict):
        return {name: mask_paths(item, _below(paths, name)) for name, item in value.items()}
    return value


def visible_text(response: WireResponse, issued: tuple[tuple[str, ...], ...]) -> str:
    """Return the fields and decoded content of a response as one text, without the secrets it may issue."""
    shown = [value for _, value in response.fields]
    body = response.body.decode("utf-8", "replace")
    if is_json(response.media_type) and (issued or "\\" in body):  # else the content is plain text
        try:
            value = mask_paths(response.json(), issued)
        except NotJSON:
            shown.append(body)
        else:
            shown.append(json.dumps(value, ensure_ascii=False))
            shown.extend(texts_of(value))
    else:
        shown.append(body)
    return "\n".join(shown)


def _below(paths: tuple[tuple[str, ...], ...], name: str) -> tuple[tuple[str, ...], ...]:
    return tuple(path[1:] for path in paths if path and path[0] == name)


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, member names included."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


#: Names of members, and `*` for any index, that lead to a part of a value.
MemberPath = tuple[str, ...]
#: A text, also one that was cut; a sign; a number or word.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")


def redacted(text: str, paths: Iterable[MemberPath]) -> str:
    """Return a JSON text with the values at some paths masked, and all else unchanged to the byte."""
    wanted = tuple(paths)
    if not wanted:
        return text
    parts: list[str] = []
    # What is wanted below each open array or object, and whether it is an object.
    above: list[tuple[tuple[MemberPath, ...], bool]] = []
    below, in_object, name = wanted, False, ""
    at_name, hidden, done = False, 0, 0  # hidden: open arrays and objects within a value that is masked
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if hidden:
            hidden += (sign in _OPENING) - (sign in _CLOSING)
            if not hidden:
                done = token.end()
        elif sign in _CLOSING:
            if above:
                below, in_object = above.pop()
            at_name = False
        elif sign == ",":
            at_name = in_object
        elif sign == ":":
            at_name = False
        elif at_name:
            name = _name(sign)
        else:
            found = _below_member(below, name if in_object else "*") if above else wanted
            if () in found:
                parts += [text[done : token.start()], f'"{MASK}"']
                done = token.end()
                hidden = int(sign in _OPENING)
                done = len(text) if hidden else done  # until its end is found
            elif sign in _OPENING:
                above.append((below, in_object))
                below, in_object = found, sign == "{"
                at_name = in_object
    return "".join((*parts, text[done:]))


def _name(token: str) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return token


def _below_member(paths: tuple[MemberPath, ...], name: str) -> tuple[MemberPath, ...]:
    return tuple(path[1:] for path in paths if path and path[0] == name)
