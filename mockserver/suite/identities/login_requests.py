"""Requests that log in: what an identity sends to get a token or a session, and where the response holds it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from mockserver.contract.message_texts import Place, required_members, texts
from mockserver.contract.model import Contract, MediaType, Operation
from mockserver.contract.roles import credential_places, is_login, issued_places, looks_like_a_login
from mockserver.errors import UsageError
from mockserver.http import basic
from mockserver.http.media_types import json_content
from mockserver.http.pointers import lookup, split
from mockserver.suite.cases.sample_values import sample_value
from mockserver.suite.identities.identities import Identity
from mockserver.suite.identities.issued_credentials import IssuedCredentials
from mockserver.suite.identities.login_settings import LoginSettings
from mockserver.suite.secrets.issued_tokens import MIN_TOKEN, find_token, lifetime, seconds_of
from mockserver.suite.target.exchange import Fields, NotJSON, WireRequest, WireResponse, parse_json
from mockserver.suite.target.origins import CannotLogIn, Origins, told
from mockserver.suite.verdicts.failures import NotRun

_FORM = "application/x-www-form-urlencoded"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH"})
_TOKEN_FIELDS = ("authorization", "x-auth-token", "x-access-token", "x-session-token", "x-subject-token")
_CODE = re.compile(r"otp|totp|mfa|2_?fa|two_?-?factor|one_?-?time|(^|_)code$|verification_?code", re.IGNORECASE)


class LoginRequests:
    """Logs one identity in.

    Attributes:
        described: the call, `POST /login`.
        besides: calls that are made before it.
    """

    def __init__(self, contract: Contract, identity: Identity, settings: LoginSettings, place: str) -> None:
        """Find out which call the login is.

        Raises:
            UsageError: nothing says which, or it is not in the contract; begins with the place.
        """
        self._contract = contract
        self._identity = identity
        self._settings = settings
        self._operation = _operation(contract, settings, place)
        if self._operation is not None:
            self._method, self._where = self._operation.method, self._operation.path
        else:
            method, _, where = settings.operation.rpartition(" ")
            self._method, self._where = method.strip().upper() or "POST", where
        if "{" in self._where:
            raise UsageError(f"{place}: {self._where} has a path parameter; write the path with its value")
        self.described = f"{self._method} {self._where}"
        self.besides = (settings.csrf.request,) if settings.csrf is not None and settings.csrf.request else ()

    def obtain(self, issued: IssuedCredentials, origins: Origins) -> None:
        """Log in, and keep what the response gives in `issued`.

        Raises:
            CannotLogIn: it was refused, or gives nothing to call with.
        """
        issued.jar.clear()
        csrf = self._settings.csrf
        if csrf is not None and csrf.request:
            self.fetch_csrf(issued, origins)
        response = origins.send(self._where, self._request(issued, self._url(origins)))
        for value in _values(response, "set-cookie"):
            issued.take_cookie(value, urlsplit(self._url(origins)).path)
        if response.status >= 400 or (300 <= response.status < 400 and not _values(response, "set-cookie")):
            raise CannotLogIn(f"{self.described} was answered with {told(response)}")
        token = self._token(response)
        if token is not None:
            issued.take_token(token, self._lifetime(response, token))
        elif self._settings.cookie or any(True for _ in issued.jar.sent()):
            self._begin_session(issued)
        else:
            raise CannotLogIn(
                f"{self.described} was answered with {response.status}, and nothing in it looks like a token; say "
                f"where it is with `token: /pointer`, `header: NAME` or `cookie: NAME`{_shown(response)}"
            )
        if csrf is not None and (csrf.token or csrf.field) and not self._take_csrf(issued, response) and csrf.request:
            self.fetch_csrf(issued, origins)

    def fetch_csrf(self, issued: IssuedCredentials, origins: Origins) -> None:
        """Make the call that shows a CSRF token, with the cookies of the identity.

        Raises:
            CannotLogIn: it fails.
        """
        csrf = self._settings.csrf
        assert csrf is not None
        method, _, where = csrf.request.rpartition(" ")
        request = WireRequest(method.strip().upper() or "GET", where, (("Accept", "*/*"), *cookie_fields(issued)))
        response = origins.send(where, request)
        if response.status >= 400:
            raise CannotLogIn(f"{csrf.request}, which gives a CSRF token, was answered with {told(response)}")
        for value in _values(response, "set-cookie"):
            issued.take_cookie(value, urlsplit(origins.url(where)).path)
        self._take_csrf(issued, response)

    def _take_csrf(self, issued: IssuedCredentials, response: WireResponse) -> bool:
        csrf = self._settings.csrf
        assert csrf is not None
        found: Any = None
        if csrf.field:
            found = next(iter(_values(response, csrf.field)), None)
        elif csrf.token:
            found = _at(_json(response), csrf.token)
        if isinstance(found, str) and found:
            issued.take_csrf(found)
        return bool(found)

    def _url(self, origins: Origins) -> str:
        return origins.url(self._where)

    def _request(self, issued: IssuedCredentials, url: str) -> WireRequest:
        settings, identity = self._settings, self._identity
        fields: list[tuple[str, str]] = [("Accept", "application/json, */*;q=0.5")]
        body: bytes | None = None
        if settings.basic:
            fields.append(("Authorization", basic.encode(f"{identity.username}:{identity.password}")))
        elif self._method != "GET":
            media_type, body = self.content()
            fields.append(("Content-Type", media_type))
        if cookies := cookie_fields(issued):
            name, csrf = issued.csrf_field()
            fields += [*cookies, *([(name, csrf)] if csrf else []), ("Referer", url)]
        fields += [(name, value) for name, value in identity.headers.items()]
        fields += list(settings.headers.items())
        return WireRequest(self._method, self._where, tuple(fields), body)

    def is_by(self, operation: Operation) -> bool:
        """Tell whether the login is the content of a call of an operation."""
        return self._operation is operation and not self._settings.basic and operation.request_body is not None

    def content(self) -> tuple[str, bytes]:
        """Return media type and content of the request."""
        settings = self._settings
        if settings.form is not None:
            filled = {**settings.form, **{name: str(value) for name, value in self._filled({}, {}).items()}}
            return _FORM, urlencode(filled).encode()
        if settings.body is not None:
            return "application/json", json.dumps(self._filled(settings.body, {})).encode()
        media_type, documented = self._documented()
        places = self._places(documented)
        value = self._usual(documented, places)
        value = self._filled(value, places)
        if media_type == _FORM:
            return media_type, urlencode({name: str(held) for name, held in value.items()}).encode()
        return media_type, json.dumps(value).encode()

    def _documented(self) -> tuple[str, MediaType | None]:
        body = self._operation.request_body if self._operation is not None else None
        content = body.content if body is not None else {}
        found = json_content(content)
        if found is None and _FORM in content:
            return _FORM, content[_FORM]
        return found if found is not None else ("application/json", None)

    def _places(self, documented: MediaType | None) -> dict[str, Place]:
        """Return where user name, password and code belong in documented content."""
        found = credential_places(self._contract, self._operation) if self._operation is not None else None
        places: dict[str, Place] = {"username": ("username",), "password": ("password",)}
        if found is not None:
            places = {"username": found.username, "password": found.password}
        elif documented is not None and documented.schema is not None:
            members = list(texts(self._contract, documented.schema))
            secret = [one.place for one in members if re.search(r"pass|pwd", one.place[-1], re.IGNORECASE)]
            named = [one.place for one in members if re.search(r"user|mail|login|name", one.place[-1], re.IGNORECASE)]
            places = {
                "username": (named or [("username",)])[0],
                "password": (secret or [("password",)])[0],
            }
        if self._identity.totp_secret and documented is not None and documented.schema is not None:
            codes = (one.place for one in texts(self._contract, documented.schema) if _CODE.search(one.place[-1]))
            code = next(codes, None)
            if code is not None:
                places["totp"] = code
        return places

    def _usual(self, documented: MediaType | None, places: Mapping[str, Place]) -> dict[str, Any]:
        """Return values for the members that the contract requires besides user name and password."""
        if documented is None or documented.schema is None:
            return {}
        missing = required_members(self._contract, documented.schema) - {place[0] for place in places.values()}
        if not missing:
            return {}
        try:
            usual = sample_value(self._contract, documented.schema)
        except NotRun:
            return {}
        return {name: usual[name] for name in sorted(missing) if name in usual} if isinstance(usual, dict) else {}

    def _filled(self, value: Any, places: Mapping[str, Place]) -> Any:
        """Return content with user name, password and one-time code at their places, the user's pointers first."""
        identity = self._identity
        given = {name: tuple(split(pointer)) for name, pointer in self._settings.places.items()}
        secrets = {"username": identity.username, "password": identity.password}
        if identity.totp_secret:
            secrets["totp"] = _code(identity.totp_secret)
        for name, place in {**places, **given}.items():
            text = secrets.get(name)
            if text and place:
                value = _with(value, place, text)
        return value

    def _token(self, response: WireResponse) -> str | None:
        """Return the token that a response gives, None if it gives none.

        Raises:
            CannotLogIn: it is not where the user says that it is.
        """
        settings = self._settings
        if settings.cookie:
            return None
        if settings.field:
            held = next(iter(_values(response, settings.field)), "")
            if not held:
                raise CannotLogIn(f"the response of {self.described} has no field {settings.field}; correct `header`")
            return held.removeprefix("Bearer ").strip()
        value = _json(response)
        if settings.token:
            found = _at(value, settings.token)
            if not isinstance(found, str) or not found:
                raise CannotLogIn(
                    f"the response of {self.described} ({response.status}) has no text at {settings.token}; correct "
                    f"`token`{_shown(response)}"
                )
            return found
        if self._operation is not None:
            for place in issued_places(self._contract, self._operation):
                found = _at(value, "".join(f"/{name}" for name in place))
                if isinstance(found, str) and found:
                    return found
        if isinstance(value, str) and len(value) >= MIN_TOKEN and " " not in value:
            return value
        found = find_token(value)
        if found is not None:
            return found
        fields = (held for name in _TOKEN_FIELDS for held in _values(response, name))
        return next((held.removeprefix("Bearer ").strip() for held in fields), None)

    def _lifetime(self, response: WireResponse, token: str) -> float | None:
        value = _json(response)
        if self._settings.expires_in:
            return seconds_of(_at(value, self._settings.expires_in))
        return lifetime(value, token)

    def _begin_session(self, issued: IssuedCredentials) -> None:
        names = [cookie.name for cookie in issued.jar.sent()]
        wanted = self._settings.cookie
        if wanted and wanted not in names:
            has = f"it set {', '.join(names)}" if names else "it set none"
            raise CannotLogIn(f"the response of {self.described} set no cookie {wanted}; {has}; correct `cookie`")
        if not wanted and not any(map(issued.is_credential_cookie, names)):
            raise CannotLogIn(
                f"the response of {self.described} has no token, and of its cookies ({', '.join(names)}) none looks "
                "like a session; name it with `cookie: NAME`"
            )
        issued.is_session = issued.obtained = True


def _operation(contract: Contract, settings: LoginSettings, place: str) -> Operation | None:
    """Return the operation that a login is, None for a call that the contract does not have.

    Raises:
        UsageError: nothing says which, or there is none of that name.
    """
    named = settings.operation
    if named:
        found = contract.by_id.get(named) or contract.by_label.get(named)
        method, _, where = named.rpartition(" ")
        if found is None and (
            not where.startswith(("/", "http://", "https://")) or method.strip().upper() not in {*_METHODS, ""}
        ):
            raise UsageError(
                f"{place}: {named!r} is no operation of the contract; write its operationId, or as POST /path"
            )
        return found or contract.by_label.get(f"POST {named}")
    ranked = sorted(
        (
            (not is_login(one), not looks_like_a_login(one), number)
            for number, one in enumerate(contract.operations)
            if one.method == "POST" and "{" not in one.path and (is_login(one) or _takes_password(contract, one))
        ),
    )
    likely = [entry for entry in ranked if not (entry[0] and entry[1])]
    if not likely:
        raise UsageError(
            f"{place}: the contract has no operation that looks like a login; name it with `operation: POST /path`"
        )
    return contract.operations[likely[0][2]]


def _takes_password(contract: Contract, operation: Operation) -> bool:
    content = operation.request_body.content if operation.request_body is not None else {}
    schemas = [one.schema for one in content.values() if one.schema is not None]
    members = (one.place[-1] for schema in schemas for one in texts(contract, schema))
    return any(re.search(r"pass|pwd", name, re.IGNORECASE) for name in members)


def _with(value: Any, place: Place, text: str) -> Any:
    """Return a JSON value with a text at a path."""
    if not place:
        return text
    name, *rest = place
    if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        return [_with(item, tuple(rest), text) if str(at) == name else item for at, item in enumerate(value)]
    held = value if isinstance(value, dict) else {}
    return {**held, name: _with(held.get(name), tuple(rest), text)}


def _at(value: Any, pointer: str) -> Any:
    try:
        return lookup(value, pointer)
    except LookupError:
        return None


def _values(response: WireResponse, name: str) -> list[str]:
    return [value for key, value in response.fields if key.lower() == name.lower()]


def _json(response: WireResponse) -> Any:
    try:
        return parse_json(response.body)
    except NotJSON:
        return None


def _shown(response: WireResponse) -> str:
    value = _json(response)
    if not isinstance(value, dict):
        return ""
    return f"; it has the members {', '.join(list(map(str, value))[:8])}" if value else "; it is an empty object"


def _code(secret: str) -> str:
    import pyotp  # few identities have a second factor

    return pyotp.TOTP(secret).now()


def cookie_fields(issued: IssuedCredentials) -> Fields:
    """Return the `Cookie` field with all cookies of an identity, no field if there are none."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in issued.jar.sent())
    return (("Cookie", cookies),) if cookies else ()
