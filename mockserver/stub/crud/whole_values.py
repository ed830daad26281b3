"""Values that are written and read as a whole, such as a list of labels: PUT stores one, GET shows it."""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.resources.shapes import json_content
from mockserver.contract.resources.state_roles import SHOW
from mockserver.messages import NO_CONTENT, Outcome
from mockserver.plugins.calls import Call
from mockserver.stub.crud.collection_names import PREFIX, PathText
from mockserver.stub.crud.tombstones import Tombstones

_ONLY = "it"


class WholeValueHandler:
    """Behaviour of an operation that shows or stores a value as it is."""

    def __init__(
        self, contract: Contract, operation: Operation, behaviour: Behaviour, relatives: Mapping[str, Behaviour]
    ) -> None:
        self._path = PathText(operation.path, ())
        self._tombstones = Tombstones(operation, relatives.values())
        self._shows = behaviour.role == SHOW
        self._answers = behaviour.answers and json_content(operation) is not None
        media_type = json_content(operation)
        schema = media_type.schema if media_type is not None else None
        self._validator = contract.validator(schema, "response") if schema is not None else None

    def __call__(self, call: Call) -> Outcome:
        """Show the value, or store the content of the request in its place.

        Raises:
            RequestRejected: 404, something above it was deleted.
        """
        values, _ = self._tombstones.check(call.arguments.path, call.transaction.get)
        collection = PREFIX + self._path(values)
        template = call.representation.value
        if self._shows:
            record = call.transaction.get(collection, _ONLY)
            if record is not None and self._is_valid(record["value"]):
                return Outcome(0, record["value"], "what was written")
            return Outcome(0, template, "example: nothing was written yet")
        call.transaction.put(collection, _ONLY, {"value": call.content})
        if self._answers and self._is_valid(call.content):
            return Outcome(0, call.content, "written")
        return Outcome(0, NO_CONTENT if template is None else template, "written")

    def _is_valid(self, value: object) -> bool:
        return self._validator is None or self._validator.is_valid(value)
