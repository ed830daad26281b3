"""Samples of requests and responses where a contract has no examples: generated, and what the clean stub responds.

The clean stub is asked once, in process: items are created first, those below others after these, and what a creation
shows names the item in the paths of later calls; items are deleted last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation, Parameter
from mockserver.contract.resources.state_model import CREATE, DELETE, state_model
from mockserver.contract.values.generator import CannotGenerate, Generator
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import lookup
from mockserver.http.styles import encode_query, encode_text
from mockserver.selftest import clean_stub
from mockserver.selftest.entrances import entrance_of
from mockserver.selftest.traffic import MutantRequest, MutantResponse, json_content
from mockserver.stub.store.seed import Account, Seed

_SEED = 0


class Samples:
    """Sample requests of a contract's operations, and the clean stub's responses to them.

    Args:
        contract: what is sent is made from.
        accounts: the seeded accounts, by username; the first one that has credentials calls.
    """

    def __init__(self, contract: Contract, accounts: Mapping[str, Account]) -> None:
        self._contract = contract
        self._accounts = accounts
        self._generator = Generator(contract, _SEED)

    def content(self, media_type: MediaType) -> Any:
        """Return a value that is valid as request content: the first example, else a generated one; None without."""
        for example in media_type.examples.values():
            return example.value
        return None if media_type.schema is None else self.generated(media_type.schema, response=False)

    def generated(self, schema: str, *, response: bool) -> Any:
        """Return a value of the schema at a pointer, None if none can be generated."""
        try:
            return self._generator.generate(schema, "response" if response else "request")
        except CannotGenerate:
            return None

    def response(self, operation: Operation) -> MutantResponse | None:
        """Return the clean stub's successful response to a sample request, None if there was none."""
        return self._responses.get(operation.id)

    @cached_property
    def _responses(self) -> dict[str, MutantResponse]:
        stub = clean_stub.clean_stub(self._contract, Seed(accounts=self._accounts))
        found: dict[str, MutantResponse] = {}
        names: dict[str, str] = {}
        try:
            for operation in self._ordered():
                response = clean_stub.send(stub, self._request(operation, names))
                if response.ok:
                    found[operation.id] = response
                    names |= self._named(operation, response)
        finally:
            stub.close()
        return found

    def _ordered(self) -> Iterator[Operation]:
        """Yield the operations: creations of outer items first, deletions of inner ones first of all deletions."""
        model = state_model(self._contract)

        def rank(operation: Operation) -> tuple[int, int]:
            depth = operation.path.count("{")
            found = model.collection_of(operation)
            if operation.method == "DELETE" or (found is not None and found[1] == DELETE):
                return 2, -depth
            return (0, depth) if found is not None and found[1] == CREATE else (1, depth)

        yield from sorted((one for one in self._contract.operations if not one.refused), key=rank)

    def _named(self, operation: Operation, response: MutantResponse) -> dict[str, str]:
        """Return the name of a created item, by the path template of such items without parameter names."""
        found = state_model(self._contract).collection_of(operation)
        if found is None or found[1] != CREATE or not found[0].identifier:
            return {}
        collection = found[0]
        try:
            item = lookup(response.json, collection.places.get(CREATE, ""))
            name = item[collection.identifier]
        except (LookupError, TypeError, ValueError):
            return {}
        return {parse_template(collection.item).nameless: str(name)}

    def _request(self, operation: Operation, names: Mapping[str, str]) -> MutantRequest:
        environ: dict[str, Any] = {"QUERY_STRING": "&".join(self._query(operation))}
        for parameter in operation.parameters:
            if parameter.location == "header" and parameter.required:
                text = encode_text(parameter.name, self._value(parameter), explode=parameter.explode)
                environ["HTTP_" + parameter.name.upper().replace("-", "_")] = text
        content = json_content(operation)
        body, media_type = b"", None
        if content is not None:
            body, media_type = json.dumps(self.content(content)).encode(), content.name
        request = MutantRequest(
            operation.method, self._path(operation, names), operation, None, media_type, body, "samples", environ
        )
        entrance = entrance_of(self._contract, operation)
        caller = next((one for one in self._accounts.values() if entrance and entrance.secret(one)), None)
        return request if entrance is None or caller is None else entrance.by(request, caller)

    def _query(self, operation: Operation) -> Iterator[str]:
        for parameter in operation.parameters:
            if parameter.location == "query" and parameter.required:
                yield from encode_query(
                    parameter.name, self._value(parameter), parameter.style, explode=parameter.explode
                )

    def _path(self, operation: Operation, names: Mapping[str, str]) -> str:
        path, so_far = "", ""
        by_name = {one.name: one for one in operation.parameters if one.location == "path"}
        for segment in parse_template(operation.path).segments:
            so_far = f"{so_far}/{segment.text}"
            known = names.get(parse_template(so_far).nameless)
            text = segment.text
            for name in segment.parameters:
                value = known if known is not None else self._path_text(by_name.get(name))
                text = text.replace(f"{{{name}}}", value)
            path = f"{path}/{text}"
        return path + "/" * (operation.path.endswith("/") and not path.endswith("/"))

    def _path_text(self, parameter: Parameter | None) -> str:
        return "x" if parameter is None else encode_text(parameter.name, self._value(parameter), parameter.style)

    def _value(self, parameter: Parameter) -> Any:
        for example in parameter.examples.values():
            return example.value
        value = None if parameter.schema is None else self.generated(parameter.schema, response=False)
        return "x" if value is None else value
