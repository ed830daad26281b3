"""The identities file: accounts of the target and how they call, each mistake told with its line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

from mockserver.contract.source import yaml
from mockserver.contract.source.loading import parse_yaml
from mockserver.errors import UsageError
from mockserver.http.pointers import child
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.identities.issued_credentials import IssuedCredentials
from mockserver.suite.identities.login_settings import CsrfSettings, Grant, LoginSettings, OAuth2Settings
from mockserver.suite.identities.request_fields import checked_value, expand_text

_TEXTS = ("username", "token", "password", "level", "totp_secret")
_KEYS = frozenset({*_TEXTS, "scopes", "schemes", "headers", "owns", "login", "oauth2"})
_LOGIN_TEXTS = ("operation", "token", "header", "cookie", "expires_in", "scheme", "as")
_LOGIN_PLACES = ("username", "password", "totp")
_LOGIN_KEYS = frozenset({*_LOGIN_TEXTS, *_LOGIN_PLACES, "body", "form", "basic", "headers", "csrf"})
_CSRF_KEYS = {"cookie": "cookie", "token": "token", "response_header": "field", "header": "header", "from": "request"}
_OAUTH2_TEXTS = (
    *("token_url", "client_id", "client_secret", "scope", "username", "password", "refresh_token", "audience"),
    *("scheme", "as"),
)
_OAUTH2_KEYS = frozenset({*_OAUTH2_TEXTS, "grant", "auth", "parameters"})
_AUTHS = ("basic", "body")


def load_identities(path: Path, environment: Mapping[str, str] | None = None) -> Identities:
    """Return the identities in a file, with each `${NAME}` replaced from the environment.

    Raises:
        UsageError: not readable, an unknown key, a missing variable, or an identity without a credential.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}; check --identities") from error
    data = parse_yaml(path, text)
    if not isinstance(data, dict) or data.keys() != {"identities"} or not isinstance(data["identities"], list):
        raise UsageError(f"{path}: must hold `identities:` with a list and nothing else")
    reader = _Reader(path, text, os.environ if environment is None else environment)
    return Identities(tuple(reader.identity(number, raw) for number, raw in enumerate(data["identities"])), path)


def expand(value: Any, environment: Mapping[str, str], path: Path | str) -> Any:
    """Return a value with each `${NAME}` in its texts replaced from the environment.

    Raises:
        UsageError: a variable is not set; begins with the path.
    """
    if isinstance(value, dict):
        return {key: expand(item, environment, path) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, environment, path) for item in value]
    return expand_text(value, environment, str(path)) if isinstance(value, str) else value


class _Reader:
    """Reads one identities file."""

    def __init__(self, path: Path, text: str, environment: Mapping[str, str]) -> None:
        self._path = path
        self._text = text
        self._environment = environment

    @cached_property
    def _lines(self) -> Mapping[str, int]:
        return yaml.lines(self._text)

    def identity(self, number: int, raw: Any) -> Identity:
        """Return the identity at a place of the list, from 0."""
        at = f"/identities/{number}"
        name = f"identity {number + 1}"
        self._mapping(at, name, raw, _KEYS)
        texts = self._texts(at, name, raw, _TEXTS)
        schemes = self._text_map(child(at, "schemes"), f"{name}: `schemes`", raw.get("schemes"))
        headers = self._headers(child(at, "headers"), f"{name}: `headers`", raw.get("headers"))
        issued = self._issued(at, name, raw)
        if not (texts.get("token") or texts.get("password") or schemes or headers or issued):
            self._refuse(
                at, f"{name} has no credential; give it a token, a password, schemes, headers, a login or oauth2"
            )
        return Identity(
            username=texts.get("username", ""),
            token=texts.get("token"),
            password=texts.get("password"),
            level=texts.get("level", ""),
            totp_secret=texts.get("totp_secret"),
            schemes=schemes,
            headers=headers,
            scopes=self._list(at, name, "scopes", raw),
            owns=self._list(at, name, "owns", raw),
            owns_known="owns" in raw,
            issued=None if issued is None else IssuedCredentials(issued),
        )

    def _issued(self, at: str, name: str, raw: Mapping[str, Any]) -> LoginSettings | OAuth2Settings | None:
        if "login" in raw and "oauth2" in raw:
            self._refuse(child(at, "oauth2"), f"{name} has `login` and `oauth2`; one of them gets its token")
        if "token" in raw and ("login" in raw or "oauth2" in raw):
            self._refuse(child(at, "token"), f"{name} has a token and a way to get one; leave one of them out")
        if "login" in raw:
            return self._login(child(at, "login"), f"{name}: `login`", raw["login"], raw)
        if "oauth2" in raw:
            return self._oauth2(child(at, "oauth2"), f"{name}: `oauth2`", raw["oauth2"], raw)
        return None

    def _login(self, at: str, name: str, raw: Any, identity: Mapping[str, Any]) -> LoginSettings:
        raw = {} if raw is None or raw is True else raw
        self._mapping(at, name, raw, _LOGIN_KEYS)
        texts = self._texts(at, name, raw, (*_LOGIN_TEXTS, *_LOGIN_PLACES))
        basic, form, body = raw.get("basic", False), raw.get("form"), raw.get("body")
        if not isinstance(basic, bool):
            self._refuse(child(at, "basic"), f"{name}: 'basic' must be true or false")
        if sum((basic, form is not None, body is not None)) > 1:
            self._refuse(at, f"{name}: `body`, `form` and `basic` are three ways to send the same; give one")
        for key in (*_LOGIN_PLACES, "token", "expires_in"):
            self._pointer(child(at, key), f"{name}: {key!r}", texts.get(key, ""))
        if sum(key in texts for key in ("token", "header", "cookie")) > 1:
            self._refuse(at, f"{name}: `token`, `header` and `cookie` say where the response holds it; give one")
        if body is None and form is None and not identity.get("password"):
            self._refuse(at, f"{name} needs the identity's password; give it a `password`, or the `body` of the login")
        return LoginSettings(
            operation=texts.get("operation", ""),
            body=self._expanded(child(at, "body"), body),
            form=None if form is None else self._text_map(child(at, "form"), f"{name}: `form`", form),
            basic=basic,
            headers=self._headers(child(at, "headers"), f"{name}: `headers`", raw.get("headers")),
            places={key: texts[key] for key in _LOGIN_PLACES if key in texts},
            token=texts.get("token", ""),
            field=texts.get("header", ""),
            cookie=texts.get("cookie", ""),
            expires_in=texts.get("expires_in", ""),
            scheme=texts.get("scheme", ""),
            send=self._send(at, name, texts),
            csrf=self._csrf(child(at, "csrf"), f"{name}: `csrf`", raw["csrf"]) if "csrf" in raw else None,
        )

    def _csrf(self, at: str, name: str, raw: Any) -> CsrfSettings:
        self._mapping(at, name, raw, frozenset(_CSRF_KEYS))
        texts = self._texts(at, name, raw, tuple(_CSRF_KEYS))
        self._pointer(child(at, "token"), f"{name}: 'token'", texts.get("token", ""))
        if not {"cookie", "token", "response_header"} & texts.keys():
            self._refuse(at, f"{name} must say where the token is: `cookie`, `token` (a pointer) or `response_header`")
        return CsrfSettings(**{_CSRF_KEYS[key]: value for key, value in texts.items()})

    def _oauth2(self, at: str, name: str, raw: Any, identity: Mapping[str, Any]) -> OAuth2Settings:
        self._mapping(at, name, raw, _OAUTH2_KEYS)
        texts = self._texts(at, name, raw, _OAUTH2_TEXTS)
        send = self._send(at, name, texts)
        texts.pop("as", None)
        grant: Grant = self._one_of(at, name, "grant", raw, get_args(Grant), "client_credentials")
        auth: Literal["basic", "body"] = self._one_of(
            at, name, "auth", raw, _AUTHS, "basic" if texts.get("client_secret") else "body"
        )
        if grant == "password":
            texts.setdefault("username", str(identity.get("username") or ""))
            texts.setdefault("password", self._expanded(at, str(identity.get("password") or "")))
        lacks = {
            "client_credentials": [key for key in ("client_id", "client_secret") if not texts.get(key)],
            "password": [key for key in ("username", "password") if not texts.get(key)],
            "refresh_token": [key for key in ("refresh_token",) if not texts.get(key)],
        }[grant]
        if lacks:
            self._refuse(at, f"{name}: the grant {grant} needs {' and '.join(f'`{key}`' for key in lacks)}; add it")
        parameters = self._text_map(child(at, "parameters"), f"{name}: `parameters`", raw.get("parameters"))
        audience = texts.pop("audience", "")
        return OAuth2Settings(
            **texts,
            grant=grant,
            auth=auth,
            send=send,
            parameters={**({"audience": audience} if audience else {}), **parameters},
        )

    # Parts of the file.

    def _mapping(self, at: str, name: str, raw: Any, keys: frozenset[str]) -> None:
        if not isinstance(raw, dict):
            self._refuse(at, f"{name} must be a mapping")
        unknown = sorted(map(str, raw.keys() - keys))
        if unknown:
            known = ", ".join(sorted(keys))
            self._refuse(child(at, unknown[0]), f"{name} has the unknown key {unknown[0]!r}; known are {known}")

    def _texts(self, at: str, name: str, raw: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
        return {key: self._text_at(child(at, key), f"{name}: {key!r}", raw[key]) for key in keys if key in raw}

    def _text_at(self, at: str, name: str, value: Any) -> str:
        if not isinstance(value, str) or not value:
            self._refuse(at, f"{name} must be text that is not empty; put it in quotes")
        found: str = self._expanded(at, value)
        if not found:
            self._refuse(at, f"{name} is empty, as the environment has it; set the variable")
        return found

    def _text_map(self, at: str, name: str, raw: Any) -> dict[str, str]:
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self._refuse(at, f"{name} must map names to texts")
        return {str(key): self._text_at(child(at, str(key)), f"{name}: {key!r}", value) for key, value in raw.items()}

    def _headers(self, at: str, name: str, raw: Any) -> dict[str, str]:
        fields = self._text_map(at, name, raw)
        for key, value in fields.items():
            checked_value(self._place(child(at, key), name), key, value)
        return fields

    def _list(self, at: str, name: str, key: str, raw: Mapping[str, Any]) -> tuple[str, ...]:
        value = raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._refuse(child(at, key), f"{name}: {key!r} must be a list of texts")
        return tuple(self._expanded(child(at, key), value))

    def _one_of(self, at: str, name: str, key: str, raw: Mapping[str, Any], known: tuple[str, ...], usual: str) -> Any:
        value = raw.get(key, usual)
        if value not in known:
            self._refuse(child(at, key), f"{name}: {key!r} must be {', '.join(known[:-1])} or {known[-1]}")
        return value

    def _pointer(self, at: str, name: str, value: str) -> None:
        if value and not value.startswith("/"):
            self._refuse(at, f"{name} must be a JSON pointer; write it as '/{value}'")

    def _send(self, at: str, name: str, texts: Mapping[str, str]) -> tuple[str, str] | None:
        """Return field name and template of `as: 'X-Auth-Token: {token}'`; a word alone is that of Authorization."""
        if "as" not in texts:
            return None
        field, colon, template = texts["as"].partition(":")
        if not colon:
            field, template = "Authorization", f"{texts['as']} {{token}}"
        if "{token}" not in template:
            self._refuse(
                child(at, "as"), f"{name}: 'as' must hold {{token}}: a word, as Token, or 'X-Auth-Token: {{token}}'"
            )
        checked_value(self._place(child(at, "as"), name), field.strip(), template.strip())
        return field.strip(), template.strip()

    def _expanded(self, at: str, value: Any) -> Any:
        return expand(value, self._environment, self._place(at))

    def _place(self, at: str, name: str = "") -> str:
        line = next((self._lines[one] for one in _above(at) if one in self._lines), 1)
        return f"{self._path}:{line}" + (f": {name}" if name else "")

    def _refuse(self, at: str, why: str) -> NoReturn:
        raise UsageError(f"{self._place(at)}: {why}")


def _above(pointer: str) -> list[str]:
    """Return a JSON pointer and those of all that it is in, itself first."""
    found = [pointer]
    while found[-1]:
        found.append(found[-1].rpartition("/")[0])
    return found
