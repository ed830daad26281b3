"""Settings of logins: how an identity of the identities file gets a token or a session, by a request or by OAuth 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mockserver.masking import looks_secret

Grant = Literal["client_credentials", "password", "refresh_token"]


@dataclass(frozen=True, slots=True)
class CsrfSettings:
    """Where a CSRF token comes from, and where it goes.

    Attributes:
        cookie: name of the cookie that holds it.
        token: JSON pointer of it in the response to the login, or to `request`.
        field: header field of responses that shows it.
        header: header field of unsafe requests that it is sent in, "" for the usual one.
        request: the call that shows it, `GET /csrf`; also made before the login. "" for none.
    """

    cookie: str = ""
    token: str = ""
    field: str = ""
    header: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """A login request, and what it gives.

    Attributes:
        operation: `operationId`, `METHOD /path` or URL of it; "" to find the contract's login.
        body: JSON content, with user name, password and code added unless it has them; None to make it.
        form: the same as content of a form.
        basic: whether user name and password go as HTTP Basic credentials, not as content.
        headers: header fields of the request.
        places: JSON pointers of `username`, `password` and `totp` in the content.
        token: JSON pointer of the token in the response, "" to find it.
        field: header field of the response that holds the token.
        cookie: name of the cookie that is the session.
        expires_in: JSON pointer of the seconds that the token is good for.
        scheme: the security scheme that the token is for, "" for all that take one.
        send: name and template of the header field that the token is sent in, None to do as the scheme says.
        csrf: None to look for the cookies that are usual.
    """

    operation: str = ""
    body: Any = None
    form: Mapping[str, str] | None = None
    basic: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    field: str = ""
    cookie: str = ""
    expires_in: str = ""
    scheme: str = ""
    send: tuple[str, str] | None = None
    csrf: CsrfSettings | None = None

    def secrets(self) -> Iterator[tuple[str, str]]:
        """Yield name and value of each secret in the settings; user name and password are the identity's."""
        for holder in (self.body, self.form, self.headers):
            if isinstance(holder, Mapping):
                for name, value in holder.items():
                    if isinstance(value, str) and looks_secret(name):
                        yield f"LOGIN_{name}".upper().replace("-", "_"), value


@dataclass(frozen=True, slots=True)
class OAuth2Settings:
    """A token request of OAuth 2.0 (RFC 6749).

    Attributes:
        token_url: "" to take it from the contract.
        auth: whether the client shows itself by HTTP Basic or in the content (section 2.3.1).
        parameters: further parameters of the request: `audience`, `resource`.
    """

    token_url: str = ""
    grant: Grant = "client_credentials"
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""
    username: str = ""
    password: str = ""
    refresh_token: str = ""
    auth: Literal["basic", "body"] = "basic"
    scheme: str = ""
    send: tuple[str, str] | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    def secrets(self) -> Iterator[tuple[str, str]]:
        """Yield name and value of each secret in the settings."""
        for name in ("client_secret", "password", "refresh_token"):
            if getattr(self, name):
                yield name.upper(), getattr(self, name)
        for name, value in self.parameters.items():
            if looks_secret(name):
                yield name.upper(), value
