"""Mutated operation: an operation of the contract, with what a mutant can break and the findings expected for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from mockserver.contract.exchanges import presumed_success
from mockserver.contract.message_texts import Place
from mockserver.contract.model import Contract, DocumentedResponse, MediaType, Operation
from mockserver.contract.resources.singletons import envelope_place, name_members
from mockserver.contract.roles import CredentialPlaces, credential_places, is_login, is_revocation
from mockserver.contract.schema.marks import marked_names
from mockserver.contract.schema.validator import SchemaViolation
from mockserver.contract.source.references import follow
from mockserver.http import basic
from mockserver.http.media_types import is_json
from mockserver.http.pointers import child, lookup
from mockserver.selftest.entrances import Entrance, Shown, entrance_of, owner_of
from mockserver.selftest.samples import Samples
from mockserver.selftest.traffic import MutantRequest, json_content
from mockserver.stub.store.seed import Account

Level = Literal["violation", "drift"]
Change = Callable[[Any], Any]
#: Names and indexes that lead to a part of a JSON value.
Path = tuple[str | int, ...]


class Sign(NamedTuple):
    """Finding that is expected for a mutant: check, level and label of the operation."""

    check: str
    level: Level
    operation: str


class ExampleResponse(NamedTuple):
    """Response of an operation for which the contract has an example."""

    status: int
    response: DocumentedResponse
    content: MediaType
    value: Any


@dataclass(frozen=True)
class MutatedOperation:
    """Operation of a contract, with what there is to break in its requests and responses.

    Attributes:
        index: its place in the contract; chooses among several members, so that over all operations each has its turn.
        accounts: the seeded accounts, by username.
    """

    contract: Contract
    operation: Operation
    index: int
    accounts: Mapping[str, Account]
    samples: Samples

    def other(self, operation: Operation) -> MutatedOperation:
        """Return another operation of the contract, with the same turn in choices."""
        return MutatedOperation(self.contract, operation, self.index, self.accounts, self.samples)

    @property
    def label(self) -> str:
        """Label of the operation in findings, as `GET /path`."""
        return self.operation.label

    @property
    def role(self) -> str:
        """Role of the operation for a singleton: `read`, `write`, `reset`, or "" for any other operation."""
        behaviour = self.operation.behaviour
        return behaviour.role if behaviour is not None and behaviour.resource else ""

    @property
    def is_login(self) -> bool:
        """Whether the operation exchanges a password for a token."""
        return is_login(self.operation)

    @cached_property
    def credential_places(self) -> CredentialPlaces | None:
        """Places of user name and password in a login's request, None for any other operation."""
        return credential_places(self.contract, self.operation) if self.is_login else None

    @property
    def revocation(self) -> Operation | None:
        """The contract's operation that revokes a token, None if there is none."""
        return next(filter(is_revocation, self.contract.operations), None)

    @property
    def generated(self) -> bool:
        """Whether the server generates the value that the operation sets."""
        return self.operation.behaviour is not None and self.operation.behaviour.generated

    @property
    def is_of_others(self) -> bool:
        """Whether the contract says nothing of behaviours, so that the stub infers what its operations do."""
        return all(operation.behaviour is None for operation in self.contract.operations)

    @property
    def first_at_its_path(self) -> bool:
        """Whether the operation is the first one of its path, which then represents the path."""
        same = (operation for operation in self.contract.operations if operation.path == self.operation.path)
        return next(same) is self.operation

    def sibling(self, role: str) -> Operation | None:
        """Return the operation that has another role (`read`, `write`, `reset`) for the same resource."""
        behaviour = self.operation.behaviour
        return None if behaviour is None else self.role_of(behaviour.resource, role)

    def role_of(self, resource: str, role: str) -> Operation | None:
        """Return the operation that has a role (`read`, `write`, `reset`) for a resource, or None."""
        for operation in self.contract.operations:
            behaviour = operation.behaviour
            if behaviour is not None and resource and (behaviour.resource, behaviour.role) == (resource, role):
                return operation
        return None

    @cached_property
    def neighbours(self) -> tuple[str, ...]:
        """Names of the other singleton resources, beginning with the next one in the contract."""
        names = list(dict.fromkeys(o.behaviour.resource for o in self.contract.operations if o.behaviour))
        names = [name for name in names if name and self.role_of(name, "read") and self.role_of(name, "write")]
        own = self.operation.behaviour.resource if self.operation.behaviour else ""
        start = names.index(own) if own in names else 0
        return tuple(name for name in names[start:] + names[:start] if name != own)

    @cached_property
    def main(self) -> ExampleResponse | None:
        """Main response of the operation: the JSON success, else the first other response with an example."""
        if self.is_of_others and (seen := self.samples.response(self.operation)) is not None and seen.json is not None:
            return self._responded()  # which may be other than the example: a contract of ours says when that comes
        responses = sorted(self.operation.responses.items(), key=lambda item: not item[0].startswith("2"))
        shown = [found for status, response in responses if status.isdecimal() for found in _shown(status, response)]
        if any(found.status < 300 for found in shown):
            return next(found for found in shown if found.status < 300)
        if (responded := self._responded()) is not None:
            return responded
        if any(status.startswith("2") for status, _ in responses):
            return None  # a success without JSON
        # For an operation that never succeeds: the response to a caller who is allowed.
        return next((found for found in shown if found.status not in {401, 403}), None)

    @cached_property
    def body(self) -> MediaType | None:
        """JSON request content of the operation, None without a schema that a value is known for."""
        content = json_content(self.operation)
        return None if content is None or not content.schema or self.samples.content(content) is None else content

    @cached_property
    def sample(self) -> Any:
        """Copy of the first request example, or a generated value; None if there is no JSON content."""
        return _copy(self.samples.content(self.body)) if self.body is not None else None

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is valid request content for the operation."""
        assert self.body is not None
        assert self.body.schema is not None
        try:
            return bool(self.contract.validator(self.body.schema, "request").is_valid(value))
        except ValueError:  # half a character, which the validator cannot take, or nesting that is too deep
            return False

    @cached_property
    def secret_members(self) -> tuple[str, ...]:
        """Names of the request example's string members that are `writeOnly`."""
        if self.body is None or self.body.schema is None or not isinstance(self.sample, dict):
            return ()
        names, _ = marked_names(self.contract.document.data, self.body.schema)
        return tuple(name for name, value in self.sample.items() if name in names and isinstance(value, str))

    @cached_property
    def entrance(self) -> Entrance | None:
        """Where a request shows credentials, None if the operation requires none of seeded accounts."""
        entrance = entrance_of(self.contract, self.operation)
        return entrance if entrance is not None and any(map(entrance.secret, self.accounts.values())) else None

    @property
    def is_guarded(self) -> bool:
        """Whether the operation requires credentials of seeded accounts, by schemes that each suffice alone."""
        return self.entrance is not None

    @property
    def names_users(self) -> bool:
        """Whether the operation's credentials name a user besides the token (HTTP Basic)."""
        return self.entrance is not None and self.entrance.names_users

    def shown(self, request: MutantRequest) -> Shown:
        """Return the credentials that a request shows for the operation; the user of a token is its owner."""
        if self.entrance is None or self.entrance.names_users:
            username, _, token = (basic.user_pass(request.authorization or "") or "").partition(":")
            return Shown(username, token)
        token = self.entrance.text(request) or ""
        owner = owner_of(token, self.accounts.values())
        return Shown("" if owner is None else owner.username, token)

    def by(self, request: MutantRequest, account: Account) -> MutantRequest:
        """Return a request with the credentials of an account for the operation in place of its own."""
        assert self.entrance is not None
        return self.entrance.by(request, account)

    @property
    def rejection(self) -> int | None:
        """Status code with which the stub refuses content that breaks the schema, None if none is documented."""
        return next((status for status in (422, 400) if str(status) in self.operation.responses), None)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Documented refusing status codes that a client can provoke."""
        can = {
            "401": bool(self.operation.security) or self.is_login,
            "403": self.is_guarded and not set(self.contract.levels) <= set(self.operation.levels or ()),
            "404": self.main is not None and self.main.status == 404,
            str(self.rejection): self.body is not None,
        }
        return tuple(status for status in self.operation.responses if can.get(status))

    @cached_property
    def highest_account(self) -> Account:
        """Account of the highest level that may call the operation; the one of its example if there are several."""
        ranks = {level: rank for rank, level in enumerate(self.contract.levels)}
        levels = self.operation.levels
        able = [
            account
            for account in self.accounts.values()
            if (levels is None or account.level in levels) and (not self.entrance or self.entrance.secret(account))
        ]
        presumed = presumed_success(self.operation).identity
        return min(able, key=lambda account: (ranks.get(account.level, len(ranks)), account.username != presumed))

    def pick(self, options: Iterable[Any]) -> Any:
        """Return one of several options, a different one for each operation; None without options."""
        found = list(options)
        return found[self.index % len(found)] if found else None

    # What a mutant must be called.

    def universal(self, *checks: str, label: str | None = None) -> frozenset[Sign]:
        """Return the findings expected when a mutant breaks a rule that holds for every server.

        Where the contract documents the failure of a server, a crash shows by its HTML alone.
        """
        found = frozenset(Sign(check, "violation", label or self.label) for check in checks)
        if "no_server_error" in checks:
            for status in {"500", "503", "5XX"} & self.operation.responses.keys():
                for content in self.operation.responses[status].content.values():
                    found |= self.stated(content.pointer, "media_type_is_documented", label=label)
        return found

    def silent(self, *checks: str, label: str | None = None) -> frozenset[Sign]:
        """Return the findings expected when a mutant does something about which the contract says nothing."""
        return frozenset(Sign(check, "drift", label or self.label) for check in checks)

    def stated(self, pointer: str, *checks: str, label: str | None = None) -> frozenset[Sign]:
        """Return the findings expected when a mutant contradicts a statement of the contract."""
        return frozenset(Sign(check, self.level(pointer), label or self.label) for check in checks)

    def level(self, pointer: str) -> Level:
        """Return the level of a finding that contradicts a statement: violation if documented, else drift."""
        return "violation" if self.contract.provenance(pointer).documented else "drift"

    def content_signs(self, change: Change) -> frozenset[Sign]:
        """Return the findings expected for a changed content of the main response; none if the change is allowed."""
        if self.main is None or self.main.content.schema is None:
            return frozenset()
        before = self.main.value
        try:
            after = change(_copy(before))
        except (LookupError, TypeError, AttributeError, ValueError):
            return frozenset()
        validator = self.contract.validator(self.main.content.schema, "response")
        signs: set[Sign] = set()
        for violation in validator.violations(after):
            signs |= self.stated(violation.keyword_pointer, "body_conforms_to_its_schema")
        if self.main.content.name == "application/problem+json" and signs:
            signs |= self.silent("problem_details_are_well_formed")
        return frozenset(signs) | self._of_the_resource(before, after)

    def acceptance_signs(self, value: Any) -> frozenset[Sign]:
        """Return the findings expected when a mutant accepts a value that breaks the request's schema."""
        assert self.body is not None
        assert self.body.schema is not None
        violations = list(self.contract.validator(self.body.schema, "request").violations(value))
        if not violations:
            return frozenset()
        documented = any(self.level(violation.keyword_pointer) == "violation" for violation in violations)
        level: Level = "violation" if documented else "drift"
        return frozenset(
            Sign(check, level, self.label)
            for check in ("bodies_that_break_the_schema_are_refused", "negative_data_rejection")
        )

    def violations(self, value: Any) -> list[SchemaViolation]:
        """Return the violations of the request's schema by a value."""
        assert self.body is not None
        assert self.body.schema is not None
        return list(self.contract.validator(self.body.schema, "request").violations(value))

    def _responded(self) -> ExampleResponse | None:
        """Return the clean stub's successful JSON response to a sample request, else one generated from its schema."""
        found = self.samples.response(self.operation)
        if found is not None and found.json is not None and (known := self.operation.response_for(found.status)):
            content = known.content.get((found.field("Content-Type") or "").partition(";")[0])
            if content is not None and is_json(content.name):
                return ExampleResponse(found.status, known, content, found.json)
        for status, response in self.operation.responses.items():
            for content in response.content.values() if status.isdecimal() and status.startswith("2") else ():
                value = self.samples.generated(content.schema, response=True) if content.schema is not None else None
                if is_json(content.name) and value is not None:
                    return ExampleResponse(int(status), response, content, value)
        return None

    def _of_the_resource(self, before: Any, after: Any) -> frozenset[Sign]:
        """Return the findings expected from checks of state for a response with a changed value, name or status."""
        behaviour = self.operation.behaviour
        if behaviour is None or not self.role:
            return frozenset()
        signs: set[Sign] = set()
        changed = at(before, behaviour.value) != at(after, behaviour.value) if behaviour.value else False
        if self.role == "read" and changed:
            signs |= self.stated(behaviour.pointer, "reads_show_the_last_write")
        if self.role == "write" and changed and not self.generated:
            signs |= self.stated(behaviour.pointer, "writes_echo_the_request")
        place = child("", *(envelope_place(self.operation) or ()))
        held, then = at(before, place), at(after, place)
        if isinstance(held, dict) and isinstance(then, dict):
            names = name_members(self.contract, self.operation)
            if any(held.get(name) != then.get(name) is not None for name in names):
                signs |= self.stated(behaviour.pointer, "answers_name_the_resource")
        return frozenset(signs)


def subjects(contract: Contract, accounts: Mapping[str, Account]) -> tuple[MutatedOperation, ...]:
    """Return every operation of a contract as a `MutatedOperation`."""
    samples = Samples(contract, accounts)
    return tuple(
        MutatedOperation(contract, operation, index, accounts, samples)
        for index, operation in enumerate(contract.operations)
    )


def member_schema(subject: MutatedOperation, name: str) -> Any:
    """Return the schema of a member of an operation's request body, {} if it has none of its own."""
    if subject.body is None or subject.body.schema is None:
        return {}
    document = subject.contract.document.data
    raw, pointer = follow(document, subject.body.schema)
    return follow(document, child(pointer, "properties", name))[0] if name in (raw.get("properties") or {}) else {}


def at(value: Any, pointer: str) -> Any:
    """Return the part of a JSON value at a JSON pointer, or None."""
    try:
        return lookup(value, pointer)
    except (LookupError, ValueError):
        return None


def text_at(value: Any, place: Place) -> str | None:
    """Return the string at a place in a JSON value, or None."""
    found = at(value, child("", *place))
    return found if isinstance(found, str) else None


def replaced(value: Any, place: Place, text: str | None) -> Any:
    """Return a copy of a JSON value with another string at a place that exists."""
    changed = _copy(value)
    holder(changed, place)[place[-1]] = text
    return changed


def members(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of all object members in a JSON value, outer ones first; of an array only the first item's."""
    if isinstance(value, list) and value:
        yield from members(value[0], (*path, 0))
    if isinstance(value, dict):
        for name in value:
            yield (*path, name)
        for name, member in value.items():
            yield from members(member, (*path, name))


def holder(value: Any, path: Path) -> dict[Any, Any]:
    """Return the JSON object that contains the member at a path.

    Raises:
        LookupError: nothing stands there.
    """
    for name in path[:-1]:
        value = value[name]
    if not isinstance(value, dict) or path[-1] not in value:
        raise LookupError(path)
    return value


def _shown(status: str, response: DocumentedResponse) -> Iterator[ExampleResponse]:
    for name, content in response.content.items():
        for example in content.examples.values():
            if is_json(name):
                yield ExampleResponse(int(status), response, content, example.value)
                break


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))
