"""Reading the `x-mockserver-*` extensions of a contract; a mistake in one of them is an error at start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mockserver.contract.model import Behaviour, Objects, Presumptions
from mockserver.contract.reading.reader import Reader
from mockserver.contract.source.loading import FILES
from mockserver.http.json import excerpt
from mockserver.http.pointers import child

_ERROR = re.compile("[45][0-9][0-9]")
_EXTENSION = re.compile(r"x-mockserver-[A-Za-z0-9_-]+")
_NAMES = (
    *("levels", "objects", "effect", "behaviour", "presumes", "response", "stripped", "differs", "instead-of"),
    *("errors", "shows", "api", "reasons"),
)
#: Every extension the package reads; any other `x-mockserver-*` key is a mistake.
EXTENSIONS = frozenset(f"x-mockserver-{name}" for name in _NAMES)

#: Errors of the server itself that no operation lists, at the root.
ERRORS = "x-mockserver-errors"
_BEHAVIOUR = frozenset(
    {
        *("handler", "role", "resource", "value", "status", "generated"),
        *("identifier", "parameter", "items", "answers", "keys", "item", "names", "home"),
        *("username", "password"),
    }
)
#: Kinds of members that are no texts.
_KINDS: Mapping[str, tuple[type, str]] = {
    "generated": (bool, "true or false"),
    "answers": (bool, "true or false"),
    "names": (list, "a list of members by which an item is found"),
    "keys": (dict, "an object that maps members to the `resource` whose items they name"),
}
#: Where a runtime expression of `x-mockserver-objects` may find names: parameters, contents.
OBJECT_PLACE = re.compile(r"\$request\.(path|query)\..+|\$(request|response)\.body#(/.*)")
#: What a caller's own objects are.
OWN = ("self", "account", "name")
_MARKS = frozenset({"x-source", "x-assumed", "x-observed"})


class Extensions:
    """Reader of the `x-mockserver-*` extensions of one document.

    Attributes:
        levels: the root's `x-mockserver-levels`.
        api: the root's `x-mockserver-api`, "" for none.
        differences: by label or path, what servers were seen to do otherwise; grows as operations are read.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.levels = self._texts("/x-mockserver-levels", reader.data.get("x-mockserver-levels", []))
        self.api = self._api()
        self.differences: dict[str, Mapping[str, frozenset[str]]] = {}

    def _api(self) -> str:
        found = self._reader.data.get("x-mockserver-api", "")
        if not isinstance(found, str):
            raise self._reader.error("/x-mockserver-api", "must be the name of an API that is installed")
        return found

    def check_names(self) -> None:
        """Raise ContractError if the document has an unknown `x-mockserver-*` key anywhere."""
        if not self._reader.document.mentions(_EXTENSION) - EXTENSIONS:
            return  # nearly always; a walk over the whole document is for the rest
        pending: list[tuple[str, Any]] = [("", self._reader.data)]
        while pending:
            pointer, value = pending.pop()
            if isinstance(value, dict):
                for key, item in value.items():
                    if _EXTENSION.fullmatch(key) and key not in EXTENSIONS and key != FILES:
                        known = ", ".join(sorted(EXTENSIONS))
                        raise self._reader.error(child(pointer, key), f"unknown extension; known are {known}")
                    pending.append((child(pointer, key), item))
            elif isinstance(value, list):
                pending.extend((child(pointer, str(index)), item) for index, item in enumerate(value))

    def note_differences(self, place: str, pointer: str, raw: dict[str, Any]) -> None:
        """Add the `x-mockserver-differs` of an operation or path item to `differences`, under its label or path."""
        found = raw.get("x-mockserver-differs")
        if found is None:
            return
        pointer = child(pointer, "x-mockserver-differs")
        if not isinstance(found, dict):
            raise self._reader.error(pointer, "must map names of checks to lists of observations")
        self.differences[place] = {
            check: frozenset(self._texts(child(pointer, check), seen)) for check, seen in found.items()
        }

    def behaviour(self, pointer: str, raw: dict[str, Any]) -> Behaviour | None:
        """Return the `x-mockserver-behaviour` of an operation, None if it has none."""
        behaviour = raw.get("x-mockserver-behaviour")
        if behaviour is None:
            return None
        pointer = child(pointer, "x-mockserver-behaviour")
        if not isinstance(behaviour, dict) or "handler" not in behaviour or behaviour.keys() - _BEHAVIOUR - _MARKS:
            known = ", ".join(sorted(_BEHAVIOUR - {"handler"}))
            raise self._reader.error(pointer, f"must be an object with `handler` and optionally {known}")
        for name in _BEHAVIOUR & behaviour.keys():
            wanted, kind = _KINDS.get(name, (str, "text"))
            if not isinstance(behaviour[name], wanted):
                raise self._reader.error(child(pointer, name), f"must be {kind}")
        members = {key: behaviour[key] for key in _BEHAVIOUR & behaviour.keys()}
        if "keys" in members:
            if not all(isinstance(value, str) for value in members["keys"].values()):
                raise self._reader.error(child(pointer, "keys"), f"must be {_KINDS['keys'][1]}")
            members["keys"] = tuple(members["keys"].items())
        if "names" in members:
            members["names"] = self._texts(child(pointer, "names"), members["names"])
        return Behaviour(**members, pointer=pointer)

    def instead_of(self, pointer: str, raw: dict[str, Any]) -> tuple[int, ...]:
        """Return the `x-mockserver-instead-of` of a response: status codes that it was observed in place of."""
        found = raw.get("x-mockserver-instead-of", [])
        if not isinstance(found, list) or not all(isinstance(item, int) and 100 <= item <= 599 for item in found):
            raise self._reader.error(child(pointer, "x-mockserver-instead-of"), "must be a list of status codes")
        return tuple(found)

    def errors(self) -> Any:
        """Return the document's `x-mockserver-errors`: Response Objects by status code, for server failures.

        Raises:
            ContractError: it is none, or has a status that is no error.
        """
        pointer = f"/{ERRORS}"
        found = self._reader.data.get(ERRORS, {})
        if not isinstance(found, dict):
            raise self._reader.error(pointer, "must map status codes from 400 to 599 to Response Objects")
        for code, response in found.items():
            if not code.startswith("x-") and (not _ERROR.fullmatch(code) or not isinstance(response, dict)):
                raise self._reader.error(
                    child(pointer, code), "must be a status code from 400 to 599 with a Response Object"
                )
        return found

    def presumptions(self, pointer: str, raw: dict[str, Any]) -> Presumptions:
        """Return the `x-mockserver-presumes` of an example: clock, earlier calls, caller and seed."""
        pointer = child(pointer, "x-mockserver-presumes")
        presumes = raw.get("x-mockserver-presumes", {})
        if not isinstance(presumes, dict) or presumes.keys() - {"clock", "calls", "identity", "seed"}:
            raise self._reader.error(pointer, "must be an object of `clock`, `calls`, `identity` and `seed`")
        clock, identity, seed = presumes.get("clock"), presumes.get("identity"), presumes.get("seed")
        if clock is not None and (not isinstance(clock, int) or isinstance(clock, bool)):
            raise self._reader.error(child(pointer, "clock"), "must be UNIX time in whole seconds")
        if identity is not None and not isinstance(identity, str):
            raise self._reader.error(child(pointer, "identity"), "must be a user name")
        if seed is not None and not isinstance(seed, str):
            raise self._reader.error(child(pointer, "seed"), "must be the name of an overlay of the seed data")
        return Presumptions(clock, self._texts(child(pointer, "calls"), presumes.get("calls", [])), identity, seed)

    def stripped(self, pointer: str, raw: dict[str, Any]) -> tuple[str, ...]:
        """Return the `x-mockserver-stripped` of an example: pointers to values that the documentation does not show."""
        pointer = child(pointer, "x-mockserver-stripped")
        found = self._texts(pointer, raw.get("x-mockserver-stripped", []))
        for place in found:
            if not place.startswith("/"):
                raise self._reader.error(pointer, f"{excerpt(place)} is not a JSON pointer into the value")
        return found

    def known_levels(self, pointer: str, raw: dict[str, Any]) -> tuple[str, ...] | None:
        """Return the `x-mockserver-levels` of an operation, each checked against the root's; None if not limited."""
        found = raw.get("x-mockserver-levels")
        if found is None:
            return None
        return self._levels(child(pointer, "x-mockserver-levels"), found)

    def objects(self, pointer: str, raw: dict[str, Any]) -> Objects | None:
        """Return the `x-mockserver-objects` of an operation, its levels checked against the root's, or None."""
        found = raw.get("x-mockserver-objects")
        if found is None:
            return None
        pointer = child(pointer, "x-mockserver-objects")
        if not isinstance(found, dict) or found.keys() - _MARKS != {"at", "own", "foreign"}:
            raise self._reader.error(pointer, "must be an object of `at`, `own` and `foreign`")
        at, own = found["at"], found["own"]
        if not isinstance(at, str) or not OBJECT_PLACE.fullmatch(at):
            raise self._reader.error(
                child(pointer, "at"),
                "must be a runtime expression such as `$request.path.id` or `$response.body#/items/*/owner`",
            )
        if own not in OWN:
            raise self._reader.error(child(pointer, "own"), f"must be one of {', '.join(OWN)}")
        return Objects(at, own, self._levels(child(pointer, "foreign"), found["foreign"]), pointer)

    def _levels(self, pointer: str, raw: Any) -> tuple[str, ...]:
        levels = self._texts(pointer, raw)
        for level in levels:
            if level not in self.levels:
                raise self._reader.error(pointer, f"{excerpt(level)} is not a level of the root's x-mockserver-levels")
        return levels

    def _texts(self, pointer: str, raw: Any) -> tuple[str, ...]:
        if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
            raise self._reader.error(pointer, "must be a list of texts")
        return tuple(raw)
