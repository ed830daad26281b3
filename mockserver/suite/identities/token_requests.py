"""Token requests of OAuth 2.0 (RFC 6749): client credentials, password and refresh token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

from mockserver.contract.model import Contract
from mockserver.errors import UsageError
from mockserver.http import basic
from mockserver.http.pointers import lookup
from mockserver.suite.identities.issued_credentials import IssuedCredentials
from mockserver.suite.identities.login_settings import Grant, OAuth2Settings
from mockserver.suite.secrets.issued_tokens import lifetime
from mockserver.suite.target.exchange import NotJSON, WireRequest, WireResponse, parse_json
from mockserver.suite.target.origins import CannotLogIn, Origins, resolved, told

#: Names of the flows of a security scheme by grant (OpenAPI 3.1, section 4.8.28); a refresh token comes from any.
_FLOWS: Mapping[Grant, tuple[str, ...]] = {
    "client_credentials": ("clientCredentials",),
    "password": ("password",),
    "refresh_token": ("authorizationCode", "password", "clientCredentials", "deviceAuthorization"),
}


class TokenRequests:
    """Gets tokens for one identity.

    Attributes:
        described: the call, `POST https://auth.example.com/token`.
        besides: calls that are made before it.
    """

    def __init__(self, contract: Contract, settings: OAuth2Settings, base_url: str, place: str) -> None:
        """Find out where the token endpoint is.

        Raises:
            UsageError: nothing says where; begins with the place.
        """
        self._settings = settings
        self.besides: tuple[str, ...] = ()
        self._discovery = ""
        url = settings.token_url or next(_token_urls(contract, settings), "")
        if not url and (found := next(_discoveries(contract, settings), "")):
            self._discovery = resolved(found, base_url)
            self.described = "POST the token endpoint that it names"
            self.besides = (f"GET {self._discovery}",)
            return
        if not url:
            flow = " or ".join(_FLOWS[settings.grant])
            raise UsageError(
                f"{place}: `token_url` is left out, and no security scheme of the contract has one for its flow "
                f"{flow}; add it"
            )
        # A path that the contract itself has stands below the base URL; another one is resolved like any URL.
        known = f"POST {url}" in contract.by_label or f"POST /{url}" in contract.by_label
        self._where = f"/{url.lstrip('/')}" if known else resolved(url, base_url)
        if not self._where.startswith(("/", "http://", "https://")):
            raise UsageError(
                f"{place}: {url!r} is no URL of a token endpoint; write it as https://auth.example.com/token"
            )
        self.described = f"POST {self._where}"

    @property
    def only_refreshes(self) -> bool:
        """Whether each token uses up the one thing that another one could be had for."""
        return self._settings.grant == "refresh_token"

    def obtain(self, issued: IssuedCredentials, origins: Origins) -> None:
        """Get a token, by a refresh token where there is one, and keep it in `issued`.

        Raises:
            CannotLogIn: it was refused, or the response has none.
        """
        settings = self._settings
        if issued.refresh_token:
            response = self._ask(origins, {"grant_type": "refresh_token", "refresh_token": issued.refresh_token})
            if response.status < 400 or settings.grant == "refresh_token":
                self._take(issued, response)
                return
            issued.refresh_token = ""  # it has ended, too; the grant itself gives another one
        parameters = {"grant_type": str(settings.grant)}
        if settings.grant == "password":
            parameters |= {"username": settings.username, "password": settings.password}
        if settings.scope:
            parameters["scope"] = settings.scope
        self._take(issued, self._ask(origins, {**parameters, **settings.parameters}))

    def _ask(self, origins: Origins, parameters: Mapping[str, str]) -> WireResponse:
        settings = self._settings
        if self._discovery:
            self._where = self._discovered(origins)
            self.described = f"POST {self._where}"
        fields = [("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")]
        if settings.client_id and settings.auth == "basic":
            # Each part is encoded first (section 2.3.1).
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
            fields.append(("Authorization", basic.encode(pair)))
        elif settings.client_id:
            secret = {"client_secret": settings.client_secret} if settings.client_secret else {}
            parameters = {**parameters, "client_id": settings.client_id, **secret}
        return origins.send(self._where, WireRequest("POST", "/", tuple(fields), urlencode(parameters).encode()))

    def _discovered(self, origins: Origins) -> str:
        """Return the token endpoint of an OpenID provider (OpenID Connect Discovery 1.0, section 4).

        Raises:
            CannotLogIn: its configuration names none.
        """
        response = origins.send(self._discovery, WireRequest("GET", "/", (("Accept", "application/json"),)))
        try:
            value: Any = parse_json(response.body)
        except NotJSON:
            value = None
        found = value.get("token_endpoint") if isinstance(value, dict) else None
        if response.status >= 300 or not isinstance(found, str):
            raise CannotLogIn(f"GET {self._discovery} was answered with {told(response)} and names no token_endpoint")
        self._discovery = ""
        return found

    def _take(self, issued: IssuedCredentials, response: WireResponse) -> None:
        if response.status >= 300:
            raise CannotLogIn(f"{self.described} was answered with {told(response)}")
        try:
            value: Any = parse_json(response.body)
        except NotJSON:
            value = None
        token = value.get("access_token") if isinstance(value, dict) else None
        if not isinstance(token, str) or not token:
            kind = f"{response.media_type or 'content of no type'}"
            raise CannotLogIn(
                f"{self.described} was answered with {response.status} and {kind} without an access_token "
                "(RFC 6749, section 5.1); is it the token endpoint?"
            )
        issued.take_token(token, lifetime(value, token))
        refresh = value.get("refresh_token")
        if isinstance(refresh, str) and refresh:
            issued.refresh_token = refresh


def _discoveries(contract: Contract, settings: OAuth2Settings) -> Iterator[str]:
    """Yield the URLs at which the contract's OpenID providers tell their endpoints."""
    for scheme in contract.security_schemes.values():
        if scheme.type == "openIdConnect" and settings.scheme in {"", scheme.name}:
            try:
                url = lookup(contract.document.data, scheme.pointer).get("openIdConnectUrl")
            except LookupError:
                continue
            if isinstance(url, str) and url:
                yield url


def _token_urls(contract: Contract, settings: OAuth2Settings) -> Iterator[str]:
    """Yield the URLs of token endpoints that the contract's security schemes have for a grant."""
    for scheme in contract.security_schemes.values():
        if scheme.type != "oauth2" or (settings.scheme and settings.scheme != scheme.name):
            continue
        try:
            flows = lookup(contract.document.data, scheme.pointer).get("flows") or {}
        except LookupError:
            continue
        for name in _FLOWS[settings.grant]:
            flow = flows.get(name)
            if isinstance(flow, dict):
                names = ("refreshUrl", "tokenUrl") if settings.grant == "refresh_token" else ("tokenUrl",)
                yield from (flow[key] for key in names if isinstance(flow.get(key), str) and flow[key])
