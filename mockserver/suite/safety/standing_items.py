"""Standing items: what was on the target before the run, which it leaves alone unless `--allow-writes` covers it."""

from __future__ import annotations

import re
from collections.abc import Container

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import CREATE, Collection, state_model
from mockserver.http.path_templates import parse_template
from mockserver.suite.run.session import Run
from mockserver.suite.safety.item_restorer import ItemRestorer
from mockserver.suite.safety.policy import matches_glob
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.paths import read_off

#: How many paths are looked at before their first write; each costs a request.
_MAX_LOOKS = 500


class StandingItems:
    """Tells whether a request would change an item that was there before the run, or a whole collection.

    Off loopback the guard lets unsafe methods only touch what the run created, without a look.
    """

    def __init__(self, run: Run, items: ItemRestorer) -> None:
        self._run = run
        self._restorer = items
        self._there: dict[str, bool] = {}
        model = state_model(run.contract)
        self._model = model
        self._shapes = [(one, _item_or_below(one.item)) for one in model.collections]
        self._whole = {parse_template(one.path.rstrip("/")).nameless for one in model.collections}

    def refusal(self, operation: Operation, request: WireRequest, made: Container[str]) -> str | None:
        """Return why a request must not be sent, None if it may.

        Args:
            operation: at the path of the request.
            request: whose method is not safe.
            made: paths of the items that the run created, without a last slash.
        """
        run = self._run
        if run.target.foreign or matches_glob(operation, run.policy.patterns):
            return None
        path = request.path.partition("?")[0].rstrip("/")
        found = self._item_at(path)
        if _is_below(path, made):
            return None
        whole = parse_template(operation.path.rstrip("/")).nameless in self._whole
        if whole and request.method in {"PUT", "PATCH", "DELETE"} and operation.method == request.method:
            return f"it changes all of {operation.path} at once; --allow-writes {operation.id} allows it"
        if found is None:
            return None
        collection, item = found
        if not parse_template(operation.path).nameless.startswith(parse_template(collection.item.rstrip("/")).nameless):
            return None  # `/pets/search` is no pet
        adds = any(one.operations.get(CREATE) is operation and one is not collection for one in self._model.collections)
        if adds or self._model.singleton_of(operation) is not None:
            return None  # what it adds is deleted again, and a singleton is put back
        if self._is_setting_of_an_example(operation, collection, request):
            return None
        if self._was_there(collection, item):
            return f"{collection.item} names an item that was there before; --allow-writes {operation.id} allows it"
        return None

    def _is_setting_of_an_example(self, operation: Operation, collection: Collection, request: WireRequest) -> bool:
        """Tell whether a PUT writes a part of the very item that the contract's own examples name, for all to try."""
        template = collection.item.rstrip("/")
        part = operation.path.rstrip("/").removeprefix(template)
        if request.method != "PUT" or operation.method != "PUT" or part in {"", operation.path} or "{" in part:
            return False
        named = read_off(operation.path, request.path.partition("?")[0])
        shown = {
            parameter.name: {str(example.value) for example in parameter.examples.values()}
            for parameter in operation.parameters
            if parameter.location == "path"
        }
        return bool(named) and all(value in shown.get(name, ()) for name, value in named.items())

    def _item_at(self, path: str) -> tuple[Collection, str] | None:
        """Return the innermost item that a path names or is below of, with its collection."""
        found = ((one, match[1]) for one, shape in self._shapes if (match := shape.match(path)) is not None)
        return max(found, key=lambda pair: len(pair[1]), default=None)

    def _was_there(self, collection: Collection, path: str) -> bool:
        if path not in self._there:
            if len(self._there) >= _MAX_LOOKS:
                return False
            whole = path + "/" * collection.item.endswith("/")
            self._there[path] = self._restorer.is_there(collection.item, whole)
        return self._there[path]


def _is_below(path: str, made: Container[str]) -> bool:
    """Tell whether a path is that of an item that the run made, or below one."""
    while path:
        if path in made:
            return True
        path = path.rpartition("/")[0]
    return False


def _item_or_below(template: str) -> re.Pattern[str]:
    """Return a pattern for the paths of an item and all below it; the item's path is its first group."""
    return re.compile(f"({parse_template(template.rstrip('/')).expression})(?:/|$)")
