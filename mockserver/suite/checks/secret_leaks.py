"""The check of secret leaks: no response shows a credential or a `writeOnly` value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.roles import looks_like_a_login
from mockserver.http.pointers import child
from mockserver.suite.cases.member_names import member_names
from mockserver.suite.cases.observed_response import ObservedResponse, content_value
from mockserver.suite.secrets.encoded_secrets import fold, folded_forms, readings
from mockserver.suite.secrets.known_secrets import MIN_SECRET, marked, mask_paths, texts_of, values_at, visible_text
from mockserver.suite.secrets.salted_digests import is_digest_of
from mockserver.suite.target.exchange import NotJSON, WireRequest, is_json, parse_json
from mockserver.suite.verdicts.failures import CheckFailure

#: Words that responses show in place of a secret.
_PLACEHOLDERS = frozenset({"", "hidden", "masked", "redacted", "removed", "secret", "set", "unset", "none", "null"})
#: Words that a response may contain whatever secret the request sent.
_HTTP_WORDS = ("Content-Type", "Content-Length", "WWW-Authenticate", "Authorization", "application/problem+json")


#: Digests of passwords in LDAP's form; the schemes with an S have the salt behind the digest.
_SALTED = re.compile(r"\{(S?SHA(?:256|384|512)?|S?MD5)\}([A-Za-z0-9+/]{20,}={0,2})")
#: Digests of passwords as libraries write them: bcrypt, Argon2, crypt(3), scrypt, PBKDF2.
_PASSWORD_DIGEST = re.compile(
    r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$argon2(?:id|i|d)\$.{20,}|\$[156y]\$[^$]{1,40}\$.{20,}"
    r"|(?:pbkdf2|scrypt|argon2|bcrypt)[_:$][\w:.-]*\$.{20,}|\{S?SHA(?:256|384|512)?\}[A-Za-z0-9+/]{20,}={0,2}"
)
_SECRET_NAME = re.compile(
    r"(?:\w+_)?(?:password|passwd|passphrase|pwd|secret|api_?key|secret_key|private_key|access_key)"
    r"|(?:\w+_)?(?:password|passwd|pwd)_?(?:hash|digest|salt)|(?:hashed|encrypted|crypted)_?password|salt|hash_?salt"
)
#: The place before a capital in a name of several words.
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SHORTEST = 4


def no_secret_comes_back(observed: ObservedResponse) -> bool:
    """Check that a response, errors included, shows no credential and no `writeOnly` value in any encoding."""
    # A member that the contract marks as writeOnly is the cause, whatever value it has.
    for name, pointer in shown_write_only(observed):
        raise _leak(observed, f"a value of {name}, which is writeOnly", pointer)
    text = visible_text(observed.response, observed.issued)
    if looks_like_a_login(observed.operation):
        text = observed.secrets.without_issued(text)  # many servers give out the same token until it ends
    for secret in observed.secrets.leaked(text):
        raise _leak(observed, f"the secret ${observed.secrets.name_of(secret)}", _secret_pointer(observed))
    _refuse_digests(observed, text)
    _refuse_names(observed)
    read: list[str] = []
    for value, pointer, public in _sent_texts(observed.contract, observed.operation, observed.exchange.request):
        read = read or [fold(reading) for reading in readings(text)]
        # Whether the text is public is slow to find out, so it is asked only about a match.
        if any(form in reading for form in folded_forms(value) for reading in read) and not public():
            raise _leak(observed, "the writeOnly value of the request", pointer)
    return True


def _refuse_digests(observed: ObservedResponse, text: str) -> None:
    """Raise the failure for a salted digest in a response that one of the run's secrets matches.

    Raises:
        CheckFailure: there is one.
    """
    for scheme, digits in _SALTED.findall(text) if "{" in text else ():
        for secret in observed.secrets.long_values():
            if is_digest_of(secret, scheme, digits):
                raise _leak(
                    observed, f"a salted digest of ${observed.secrets.name_of(secret)}", _secret_pointer(observed)
                )


def _refuse_names(observed: ObservedResponse) -> None:
    """Raise the failure for an undocumented member that is named like a secret, or holds the digest of a password.

    Raises:
        CheckFailure: there is one: drift where the contract does not say which members there are.
    """
    response = observed.response
    if not response.successful or not is_json(response.media_type):
        return
    sent = (observed.exchange.request.body or b"").decode("utf-8", "replace")
    for name, held in _members(mask_paths(content_value(response), observed.issued)):
        if not isinstance(held, str) or len(held) < _SHORTEST or _is_placeholder(held):
            continue
        digest = _PASSWORD_DIGEST.fullmatch(held) is not None
        if not digest and not _SECRET_NAME.fullmatch(_CAMEL.sub("_", name).lower().replace("-", "_")):
            continue
        if held in sent:
            continue  # the request said it, so it is no secret of the server's
        schema = observed.media_type.schema if observed.media_type is not None else None
        names = member_names(observed.contract, schema) if schema is not None else frozenset()
        if name in names:
            continue
        what = f"the digest of a password in {name}" if digest else f"a value of {name}"
        failure = _leak(observed, f"{what}, which is not documented", _secret_pointer(observed))
        failure.title = "a response has an undocumented member that is named like a secret"
        failure.rule = "universal" if names else "silent"
        raise failure


def _leak(observed: ObservedResponse, what: str, pointer: str) -> CheckFailure:
    return observed.failure(
        "no_secret_comes_back",
        f"a {observed.response.status} shows a secret",
        expected="a response without secrets, except those that it is documented to issue",
        got=what,
        pointer=pointer,
        rule="universal",
    )


def shown_write_only(observed: ObservedResponse) -> Iterator[tuple[str, str]]:
    """Yield name and pointer of each `writeOnly` member of a resource that a response shows, whatever its value.

    Any value counts: it may have been written long before this run.
    """
    hidden = _write_only_names(observed.contract, observed.operation) if observed.response.successful else {}
    value = mask_paths(content_value(observed.response), observed.issued) if hidden else None
    for name, held in _members(value):
        if name in hidden and isinstance(held, str) and not _is_placeholder(held):
            yield name, hidden[name]


def _write_only_names(contract: Contract, operation: Operation | None) -> dict[str, str]:
    """Return the names of the `writeOnly` members of an operation's resource, with the pointers of their schemas."""
    if operation is None or operation.behaviour is None:
        return {}
    writers = contract.by_resource.get(operation.behaviour.resource, (operation,))
    return {
        path[-1]: pointer
        for writer in writers
        for content in (writer.request_body.content.values() if writer.request_body else ())
        for path, pointer in marked(contract, content.schema, "writeOnly")
    }


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield from item.items()
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _is_placeholder(text: str) -> bool:
    """Tell whether a text stands in place of a secret, such as asterisks or `hidden`."""
    return text.strip("*•●xX.#-_<>[](){} ").lower() in _PLACEHOLDERS


def _secret_pointer(observed: ObservedResponse) -> str:
    return child(observed.place, "responses") if observed.operation else ""


def sent_secrets(contract: Contract, operation: Operation | None, request: WireRequest) -> Iterator[tuple[str, str]]:
    """Yield the request's `writeOnly` texts that a response can hold only by a leak, with their schema pointers."""
    for secret, pointer, public in _sent_texts(contract, operation, request):
        if not public():
            yield secret, pointer


def _sent_texts(
    contract: Contract, operation: Operation | None, request: WireRequest
) -> Iterator[tuple[str, str, Callable[[], bool]]]:
    """Yield the request's long `writeOnly` texts, their pointers, and a function that tells if the text is public."""
    body = request.body
    if operation is None or operation.request_body is None or body is None:
        return
    every = [marked(contract, content.schema, "writeOnly") for content in operation.request_body.content.values()]
    try:
        value = parse_json(body) if any(every) else None
    except NotJSON:
        return
    for places in every:
        for path, pointer in places:
            for secret in values_at(value, path):
                if isinstance(secret, str) and len(secret) >= MIN_SECRET:
                    yield secret, pointer, partial(_is_public, contract, value, places, secret)


def _is_public(contract: Contract, value: Any, places: tuple[tuple[tuple[str, ...], str], ...], secret: str) -> bool:
    """Tell whether a secret text also stands in another member or in the contract, so that showing it is no leak.

    Generated passwords often are such texts: Hypothesis likes `application/json`.
    """
    others = _without(value, tuple(path for path, _ in places))
    said = "\n".join((*texts_of(others), *_HTTP_WORDS)).lower()
    return any(form in said or form in contract.vocabulary for form in folded_forms(secret))


def _without(value: Any, paths: tuple[tuple[str, ...], ...]) -> Any:
    if not isinstance(value, dict):
        return value
    below = {name: tuple(path[1:] for path in paths if path[0] == name) for name in value}
    return {
        name: _without(member, tuple(path for path in below[name] if path))
        for name, member in value.items()
        if () not in below[name]
    }
