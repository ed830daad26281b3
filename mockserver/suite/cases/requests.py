"""Valid requests: composed from a contract's examples and schemas, with the credentials of an identity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mockserver.contract.exchanges import ExamplePair, pairs_of
from mockserver.contract.message_texts import Place, required_members
from mockserver.contract.model import Contract, Example, MediaType, Operation, Parameter
from mockserver.contract.roles import credential_places, is_login
from mockserver.http.media_types import concrete, covering, is_json, json_content
from mockserver.http.path_templates import parse_template
from mockserver.http.styles import encode_query, encode_text
from mockserver.suite.cases.contents import encoded, file_of, is_file, preferred
from mockserver.suite.cases.sample_values import sample_argument, sample_value
from mockserver.suite.identities.identities import Identities, Identity, credentials
from mockserver.suite.identities.object_owners import may_call, own_name, place_name, usual_name
from mockserver.suite.target.exchange import WireRequest
from mockserver.suite.target.paths import UNDECLARED, fill, in_query, query_parts
from mockserver.suite.verdicts.failures import NotRun

if TYPE_CHECKING:
    from mockserver.suite.survey.knowledge import Knowledge

#: Why checks of JSON are not made.
NO_JSON = "its request has no JSON content"
#: Why no login is made where the contract does not say which members hold the credentials.
NO_LOGIN = (
    "nothing says where in its JSON content user name and password belong; name them, as JSON pointers, in "
    "x-mockserver-behaviour (username, password)"
)
#: Placeholder for no value, since None is one.
_NOTHING = object()


class Composer:
    """Composes requests for the operations of a contract.

    Attributes:
        contract: what the requests are made by.
        known: what is known of the target, None for nothing.
    """

    def __init__(self, contract: Contract, identities: Identities, known: Knowledge | None = None) -> None:
        self.contract = contract
        self.known = known
        self._identities = identities

    def in_world(self, request: WireRequest) -> WireRequest:
        """Return a request addressed to the world that it is meant for; unchanged where there are no worlds."""
        return request

    def request(
        self,
        operation: Operation,
        identity: Identity | None,
        *,
        body: bytes | None = None,
        media_type: str | None = None,
        path_values: Mapping[str, Any] | None = None,
        arguments: Mapping[tuple[str, str], Any] | None = None,
        about: str | None = None,
        learned: bool = True,
    ) -> WireRequest:
        """Return a request for an operation with the given content and the credentials of an identity.

        The request has the parameters in `arguments`, by location and name, and all required ones. It is about the
        object `about`, or else about one that the identity may use, where the contract says which. Other parameters
        have the values with which the operation succeeded before, and name items that are there; with an unsafe
        method those that the run created, if there are any.

        Args:
            operation: what is called.
            identity: whose credentials are shown, None for none.
            body: its content.
            media_type: of the content.
            path_values: values of parameters of the path.
            arguments: values of other parameters.
            about: name of the object.
            learned: whether what is known of the target fills in the rest.

        Raises:
            NotRun: a required parameter has no value, or the identity has no credential that fits.
        """
        fields: list[tuple[str, str]] = [("Accept", "*/*")]
        query: list[str] = []
        if identity is not None:
            shown = credentials(self.contract, operation, identity)
            if shown is None:
                raise NotRun(f"the identity {identity.label} has no credential for its security scheme")
            fields += shown[0]
            query += [part for name, secret in shown[1] for part in query_parts(name, secret)]
        else:
            fields += self._identities.with_no_identity(self.contract, operation)
        settled = {name.lower() for name, _ in (*fields, *self._identities.always)}
        values = dict(path_values or {})
        given = dict(arguments or {})
        if identity is not None and operation.objects is not None and operation.objects.requested and not values:
            body, named = self._about(operation, identity, body, given, about)
            given |= named
        elif learned and self.known is not None and operation.objects is None:
            values |= self.item_values(operation, values)
            given = {**self.known.arguments(operation), **given}
        for parameter in operation.parameters:
            place = (parameter.location, parameter.name)
            if place not in given and not parameter.required:
                continue
            if parameter.name in values:
                continue
            if parameter.location == "header" and parameter.name.lower() in settled:
                continue  # it is the identity's, or that of --header
            value = given[place] if place in given else self._argument(operation, parameter)
            if parameter.location == "path":
                values[parameter.name] = value
            elif parameter.location == "query":
                query += in_query(parameter, value)
            elif parameter.location == "header":
                fields.append((parameter.name, encode_text(parameter.name, value, explode=parameter.explode)))
            elif parameter.location == "cookie":
                fields = with_cookie(fields, parameter, value)
        for name in parse_template(operation.path).parameters:
            values.setdefault(name, UNDECLARED)  # the contract does not define this parameter, so any text will do
        if media_type is not None:
            fields.append(("Content-Type", media_type))
        return self.in_world(WireRequest(operation.method, _target(operation, values, query), tuple(fields), body))

    def item_values(self, operation: Operation, fixed: Mapping[str, Any]) -> dict[str, Any]:
        """Return values of path parameters that name an item which is there, {} if none is known.

        Args:
            operation: what is called.
            fixed: parameters that have a value already.
        """
        return self.known.path_values(operation, None, fixed, own=not operation.safe) if self.known is not None else {}

    def _argument(self, operation: Operation, parameter: Parameter) -> Any:
        """Return a value for a parameter: one that was given, its first valid example, else one made from its schema.

        Raises:
            NotRun: none can be made.
        """
        schema, content = parameter.schema, parameter.content
        given = self.known.given.of(operation, parameter.name) if self.known is not None else []
        if given:
            return given[0]
        if schema is None and content is not None and (content.schema is not None or content.examples):
            return encoded(self.contract, content, self._value_of(content))[0].decode("utf-8", "replace")
        if schema is None:
            return next((example.value for example in parameter.examples.values()), UNDECLARED)
        validator = self.contract.validator(schema, "request")
        valid = (example.value for example in parameter.examples.values() if validator.is_valid(example.value))
        found = next(valid, _NOTHING)
        value = sample_argument(self.contract, schema) if found is _NOTHING else found
        if parameter.location == "path" and not operation.safe and self._is_somebodys(value):
            return sample_argument(self.contract, schema, examples=False)
        return value

    def _is_somebodys(self, value: Any) -> bool:
        """Tell whether a value names something that was seen on the target, and that the run may not have made."""
        return self.known is not None and self.known.items.has_shown(value)

    def _about(
        self,
        operation: Operation,
        identity: Identity,
        body: bytes | None,
        given: Mapping[tuple[str, str], Any],
        about: str | None,
    ) -> tuple[bytes | None, dict[tuple[str, str], Any]]:
        """Return content and parameters changed to name an object; parameters in `given` are left unchanged."""
        identities = self._identities
        if about is None:
            if identity.level not in (operation.levels or (identity.level,)):
                return body, {}  # a caller that is not allowed at all has no object for the call
            usual = usual_name(self.contract, operation, self.valid_body(operation)[0])
            if may_call(operation, self.contract.levels, identities, identity, usual):
                return body, {}
            try:
                if usual != usual_name(self.contract, operation, body):
                    return body, {}  # a request that is about something else on purpose
            except NotRun:
                return body, {}  # content that is wrong on purpose
            about = own_name(self.contract, operation, identities, identity, usual)
        body, named = place_name(operation, about, body)
        return body, {place: value for place, value in named.items() if place not in given}

    def valid_request(
        self, operation: Operation, identity: Identity | None, *, variant: int = 0, about: str | None = None
    ) -> WireRequest:
        """Return a request that is valid by the contract, from its examples where it has some.

        Raises:
            NotRun: none can be made.
        """
        body, media_type = self.valid_body(operation, variant=variant)
        return self.request(operation, identity, body=body, media_type=media_type, about=about)

    def valid_body(
        self, operation: Operation, *, variant: int = 0, media_type: str | None = None
    ) -> tuple[bytes | None, str | None]:
        """Return valid content for an operation and its media type, (None, None) if the operation takes no content.

        Args:
            operation: what the content is for.
            variant: another one takes other examples.
            media_type: one that the operation documents, None for the most telling one.

        Raises:
            NotRun: none can be made.
        """
        if operation.request_body is None:
            return None, None
        if is_login(operation):
            return self._login_content(operation, self._with_password(operation))
        before = self._accepted(operation, media_type) if variant == 0 else None
        if before is not None:
            return encoded(self.contract, before[1], before[0])
        named = self.media_type(operation, media_type)
        return encoded(self.contract, named, self.body_value(operation, named, variant=variant))

    def _accepted(self, operation: Operation, media_type: str | None) -> tuple[Any, MediaType] | None:
        """Return content that the operation accepted before, or that the user gave, None if there is none."""
        known = self.known
        if known is None or operation.behaviour is not None or operation.objects is not None or media_type is not None:
            return None
        found = known.body(operation)
        if found is None and operation.id in known.given.bodies:
            found = known.given.bodies[operation.id], self.media_type(operation, None)
        return found

    def media_type(self, operation: Operation, name: str | None) -> MediaType:
        """Return the Media Type Object of a request in which content is written, the most telling one first.

        Raises:
            NotRun: the contract names none.
        """
        content = operation.request_body.content if operation.request_body is not None else {}
        if name is not None and (named := covering(content, name)) is not None:
            return named
        if not content:
            raise NotRun("nothing says in which media type its content is written")
        return preferred(content)[0]

    def body_value(self, operation: Operation, media_type: MediaType, *, variant: int = 0) -> Any:
        """Return a valid value for an operation's content in a media type, from an example where there is one.

        Raises:
            NotRun: none can be made.
        """
        # An example that names its response may be a refused one.
        allowed = (example for example in media_type.examples.values() if not is_refused(operation, example))
        example = next(allowed, None) if variant == 0 else None
        return example.value if example is not None else self._value_of(media_type, variant)

    def _value_of(self, media_type: MediaType, variant: int = 0) -> Any:
        """Return a value in a media type: of its schema, else its first example, a file, or a text."""
        if is_file(self.contract, media_type):
            return file_of(concrete(media_type.name))
        if media_type.schema is not None:
            return sample_value(self.contract, media_type.schema, variant=variant)
        if media_type.item_schema is not None:
            return [sample_value(self.contract, media_type.item_schema, variant=variant)]
        example = next(iter(media_type.examples.values()), None)
        if example is not None:
            return example.value
        if is_json(media_type.name):
            raise NotRun(f"nothing says what its {media_type.name} content is; give it a schema or an example")
        return UNDECLARED

    def example_request(
        self,
        pair: ExamplePair,
        identity: Identity | None,
        path_values: Mapping[str, Any] | None = None,
        *,
        about: str | None = None,
    ) -> WireRequest:
        """Return the documented request of an example, with given path values or about a given object."""
        sound: dict[tuple[str, str], Any] = {
            place: example.value
            for parameter in pair.operation.parameters
            for place, example in pair.arguments.items()
            if place == (parameter.location, parameter.name)
            and parameter.schema is not None
            and self.contract.validator(parameter.schema, "request").is_valid(example.value)
        }
        body, media_type = None, pair.request_media_type
        if pair.request is not None:
            named = self.media_type(pair.operation, media_type)
            body, media_type = encoded(self.contract, named, pair.request.value)
        return self.request(
            pair.operation,
            identity,
            body=body,
            media_type=media_type,
            path_values=path_values,
            arguments=sound if about is None else {},
            about=about,
        )

    def login_request(self, operation: Operation, identity: Identity) -> WireRequest:
        """Return the request that logs an identity in.

        Raises:
            NotRun: the contract does not tell where user name and password belong.
        """
        body, media_type = self._login_content(operation, identity)
        return self.request(operation, None, body=body, media_type=media_type)

    def _login_content(self, operation: Operation, identity: Identity) -> tuple[bytes, str]:
        found = json_content(operation.request_body.content if operation.request_body is not None else {})
        places = credential_places(self.contract, operation)
        if found is None or places is None:
            raise NotRun(NO_LOGIN)
        media_type, documented = found
        value: dict[str, Any] = {}
        _put(value, places.username, identity.username)
        _put(value, places.password, identity.password)
        missing = required_members(self.contract, documented.schema) - value.keys()
        if missing:
            usual = self._usual(documented)
            value |= {name: usual[name] for name in sorted(missing) if name in usual}
        return json.dumps(value).encode(), media_type

    def _usual(self, documented: MediaType) -> dict[str, Any]:
        """Return the first example that is an object, else an object made from the schema."""
        shown = (example.value for example in documented.examples.values() if isinstance(example.value, dict))
        found = next(shown, None)
        if found is None and documented.schema is not None:
            found = sample_value(self.contract, documented.schema)
        return found if isinstance(found, dict) else {}

    def _with_password(self, operation: Operation) -> Identity:
        found = next((identity for identity in self._identities.all if identity.password), None)
        if found is None:
            raise NotRun(f"{operation.label} needs an identity with a password (--identities)")
        return found


def with_cookie(fields: list[tuple[str, str]], parameter: Parameter, value: Any) -> list[tuple[str, str]]:
    """Return header fields with a cookie added to the one `Cookie` field that a request has (RFC 6265, section 5.4)."""
    text = encode_text(parameter.name, value, explode=False, quote=quote)
    if isinstance(value, list | dict) and parameter.explode and parameter.style == "form":
        text = "; ".join(encode_query(parameter.name, value, explode=True)) or f"{parameter.name}="
    else:
        text = f"{parameter.name}={text}"
    shown = [held for name, held in fields if name.lower() == "cookie"]
    kept = [(name, held) for name, held in fields if name.lower() != "cookie"]
    return [*kept, ("Cookie", "; ".join([*shown, text]))]


def _put(value: dict[str, Any], place: Place, text: str | None) -> None:
    for name in place[:-1]:
        value = value.setdefault(name, {})
    value[place[-1]] = text


def is_refused(operation: Operation, example: Example) -> bool:
    """Tell whether the contract documents an error as the response to the request of an example."""
    return example.names_response() and any(
        pair.request is example and not pair.status.startswith("2") for pair in pairs_of(operation)
    )


def _target(operation: Operation, values: Mapping[str, Any], query: list[str]) -> str:
    path = fill(operation, values)
    return f"{path}?{'&'.join(query)}" if query else path


def taken(operation: Operation) -> tuple[str, MediaType]:
    """Return media type and schema of the JSON content of an operation that is known to take JSON."""
    found = json_content_of(operation)
    assert found is not None
    return found


def json_content_of(operation: Operation) -> tuple[str, MediaType] | None:
    """Return the media type of an operation's JSON content and its Media Type Object, None if it takes no JSON."""
    return json_content(operation.request_body.content) if operation.request_body is not None else None
