"""Issued credentials: token, cookies and CSRF token that a server gave an identity in this run, the newest of each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from urllib.parse import unquote

from mockserver.contract.model import SecurityScheme
from mockserver.suite.identities.cookie_jar import Cookie, CookieJar
from mockserver.suite.identities.login_settings import CsrfSettings, LoginSettings, OAuth2Settings
from mockserver.suite.identities.request_fields import cookie_pairs, written_cookies
from mockserver.suite.target.exchange import Fields, WireRequest

#: Stands for a token in plans, which are made before anything is sent.
PENDING = "issued-when-the-run-begins"
#: A shorter value may stand in a request by chance.
MIN_VALUE = 6
#: Cookies that hold a CSRF token, with the header field that web clients send it back in: Angular and Laravel, Django,
#: Tornado, flask-jwt-extended.
CSRF_COOKIES = {
    "XSRF-TOKEN": "X-XSRF-TOKEN",
    "csrftoken": "X-CSRFToken",
    "_xsrf": "X-XSRFToken",
    "csrf_access_token": "X-CSRF-TOKEN",
    "csrf_token": "X-CSRF-Token",
    "csrf-token": "X-CSRF-Token",
}
#: Cookies that look like a session.
SESSION_COOKIE = re.compile(r"sess|sid|auth|token|jwt|login|remember|connect", re.IGNORECASE)
#: So much of a token's life is not used, lest it end on the way; seconds, and share of its life.
_MARGIN_SECONDS, _MARGIN_SHARE = 5.0, 0.1


class IssuedCredentials:
    """What a server gave one identity in this run; it changes when that is renewed.

    Attributes:
        settings: how it is obtained.
        token: the newest token; None if there is none.
        kind: the authentication scheme of the token, as OAuth 2 says it.
        refresh_token: the newest refresh token, "" if there is none.
        jar: cookies of the identity.
        is_session: whether the cookies are the credential.
        csrf: the newest CSRF token, "" if there is none.
        failure: why it could not be obtained, "" if it could.
        obtained: whether it was obtained at all.
    """

    def __init__(self, settings: LoginSettings | OAuth2Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.token: str | None = None
        self.kind = "Bearer"
        self.refresh_token = settings.refresh_token if isinstance(settings, OAuth2Settings) else ""
        self.jar = CookieJar()
        self.is_session = isinstance(settings, LoginSettings) and bool(settings.cookie)
        self.csrf = ""
        self.failure = ""
        self.obtained = False
        self.referer = ""
        self._clock = clock
        self._ends: float | None = None
        self._known: set[str] = set()
        self._beside: set[str] = set()  # cookies that are no credential, and CSRF tokens
        self._tokens: set[str] = set()
        self._cookie_names: dict[str, str] = {}

    # What it is used for.

    def credential(self, scheme: SecurityScheme) -> str | None:
        """Return the credential for a security scheme, None if there is none."""
        settings = self.settings
        if (settings.scheme and settings.scheme != scheme.name) or (scheme.type, scheme.scheme) == ("http", "basic"):
            return None
        of_header = (scheme.type, scheme.location) == ("apiKey", "header")
        token = self.token if self.obtained else PENDING
        if (scheme.type, scheme.location) == ("apiKey", "cookie"):
            held = self.jar.value(scheme.parameter)
            return held if held is not None else token
        if settings.send is not None and scheme.type == "apiKey":
            name, template = settings.send
            sent = of_header and name.lower() == scheme.parameter.lower()
            return template.replace("{token}", token) if sent and token is not None else None
        if token is None or (isinstance(settings, OAuth2Settings) and scheme.type == "apiKey" and not settings.scheme):
            bearer = of_header and scheme.parameter.lower() == "authorization"
            return f"{self.kind} {token}" if bearer and token is not None else None
        if of_header and scheme.parameter.lower() == "authorization":
            return f"{self.kind} {token}"  # how OpenAPI 2.0 says that a bearer token is asked for
        return token

    @property
    def stands_alone(self) -> bool:
        """Whether it is sent in a way that needs no security scheme of the contract."""
        return self.is_session or self.settings.send is not None

    def fields(self) -> Fields:
        """Return the header fields of a call beside those of security schemes.

        The CSRF token goes with safe methods, too, as probes of other methods are made of them.
        """
        fields: list[tuple[str, str]] = []
        if self.settings.send is not None and self.token is not None:
            name, template = self.settings.send
            fields.append((name, template.replace("{token}", self.token)))
        if self.is_session:
            cookies = {cookie.name: cookie.value for cookie in self.jar.sent()}
            fields += [("Cookie", written_cookies(cookies))] if cookies else []
        header, value = self.csrf_field()
        if value:
            fields.append((header, value))
            if self.referer:
                fields.append(("Referer", self.referer))  # Django asks for it over https
        return tuple(fields)

    def csrf_fields(self) -> dict[str, str]:
        """Return the header fields of a CSRF token, its cookie included, without any credential."""
        header, value = self.csrf_field()
        cookies = {one.name: one.value for one in self.jar.sent() if one.value == value or unquote(one.value) == value}
        if not value:
            return {}
        return {header: value, **({"Cookie": written_cookies(cookies)} if cookies else {})}

    def csrf_field(self) -> tuple[str, str]:
        """Return name and value of the header field with the CSRF token, an empty value if there is none."""
        settings = self.settings.csrf if isinstance(self.settings, LoginSettings) else None
        if settings is None and not self.is_session:
            return "", ""
        settings = settings or CsrfSettings()
        names = [settings.cookie] if settings.cookie else [*CSRF_COOKIES]
        name, held = next(((name, held) for name in names if (held := self.jar.value(name))), ("", ""))
        if held and not (settings.token or settings.field):
            return settings.header or CSRF_COOKIES.get(name, "X-CSRF-Token"), unquote(held)
        return settings.header or "X-CSRF-Token", self.csrf

    # What came from the server.

    def take_token(self, token: str, seconds: float | None) -> None:
        """Take a new token that is good for some seconds, None if nobody knows how long."""
        self.token, self.obtained = token, True
        self._ends = None
        if seconds is not None:
            self._ends = self._clock() + max(seconds - min(_MARGIN_SECONDS, seconds * _MARGIN_SHARE), 0)
        self._known.add(token)
        self._tokens.add(token)

    def take_cookie(self, field: str, path: str) -> Cookie | None:
        """Take the cookie of a `Set-Cookie` field that the response for a path had."""
        cookie = self.jar.store(field, path)
        if cookie is not None and len(cookie.value) >= MIN_VALUE:
            self._cookie_names[cookie.value] = cookie.name
            (self._known if self.is_credential_cookie(cookie.name) else self._beside).update(
                (cookie.value, unquote(cookie.value))
            )
        return cookie

    def is_secret_cookie(self, cookie: Cookie) -> bool:
        """Tell whether a cookie has to be masked: a session, or a CSRF token, not a language or a theme."""
        csrf = self.settings.csrf if isinstance(self.settings, LoginSettings) else None
        named = {*CSRF_COOKIES, *([csrf.cookie] if csrf is not None else [])}
        looks_so = SESSION_COOKIE.search(cookie.name) is not None or self.is_credential_cookie(cookie.name)
        return len(cookie.value) >= MIN_VALUE and (looks_so or cookie.name in named)

    def is_credential_cookie(self, name: str) -> bool:
        """Tell whether a cookie is the session, by its name: the one that the user named, else one that looks like it.

        Others, the CSRF token's among them, prove nothing: a request that has these alone has no credentials.
        """
        settings = self.settings
        if isinstance(settings, LoginSettings) and settings.cookie:
            return name == settings.cookie
        return SESSION_COOKIE.search(name) is not None and name not in CSRF_COOKIES

    def take_csrf(self, value: str) -> None:
        """Take a new CSRF token."""
        self.csrf = value
        if len(value) >= MIN_VALUE:
            self._beside.add(value)

    @property
    def is_over(self) -> bool:
        """Whether the server said how long the token is good for, and that time is over."""
        return self._ends is not None and self._clock() >= self._ends

    # What is known of the messages of a run.

    def knows(self, value: str) -> bool:
        """Tell whether a value was issued to the identity, earlier ones included."""
        return value in self._known

    def carried_by(self, request: WireRequest) -> bool:
        """Tell whether a request shows a whole credential that was issued to the identity, now or earlier."""
        return any(value in self._known for value in shown_values(request))

    def renewed(self, request: WireRequest, *, secure: bool) -> WireRequest:
        """Return a request with what was issued earlier replaced by what was issued last.

        Args:
            request: its path is that of the request line, by which cookies are chosen.
            secure: whether secure cookies may be sent.
        """
        fields: list[tuple[str, str]] = []
        csrf_name, csrf = self.csrf_field()
        for name, value in request.fields:
            if name.lower() == "cookie":
                written = self._cookies(value, request.path.partition("?")[0], secure=secure)
                fields += [(name, written)] if written else []
            elif csrf and name.lower() == csrf_name.lower():
                fields.append((name, csrf if value in self._beside else value))
            else:
                fields.append((name, self._newest(value)))
        path, mark, query = request.path.partition("?")
        if mark:
            query = "&".join(
                f"{name}{equals}{self._newest(value)}"
                for name, equals, value in (part.partition("=") for part in query.split("&"))
            )
        return WireRequest(request.method, path + mark + query, tuple(fields), request.body)

    def _newest(self, value: str) -> str:
        before, blank, last = value.rpartition(" ")
        return f"{before}{blank}{self.token}" if self.token is not None and last in self._tokens else value

    def _cookies(self, value: str, path: str, *, secure: bool) -> str:
        """Return the value of a `Cookie` field with the identity's newest cookies."""
        pairs = dict(cookie_pairs(value))
        # In its own cookie: a probe may show the session elsewhere, and must not get the right cookie as well.
        own = {held for name, held in pairs.items() if self._cookie_names.get(held) == name}
        if own.isdisjoint(self._known) and self._tokens.isdisjoint(pairs.values()):
            return value
        ours = self._known | self._beside
        kept = {name: held for name, held in pairs.items() if held not in ours and self.jar.value(name) is None}
        newest = {cookie.name: cookie.value for cookie in self.jar.sent(path, secure=secure)}
        if not self.is_session:  # only those that a security scheme asked for
            newest = {name: held for name, held in newest.items() if name in pairs}
            kept |= {name: self._newest(held) for name, held in pairs.items() if name not in newest}
        return written_cookies({**kept, **newest})


def shown_values(request: WireRequest) -> Iterable[str]:
    """Yield each value in the fields and the query of a request that may be a whole credential."""
    for name, value in request.fields:
        if name.lower() == "cookie":
            yield from (held for _, held in cookie_pairs(value))
        else:
            yield value
            yield value.rpartition(" ")[2]
    for part in request.path.partition("?")[2].split("&"):
        yield part.partition("=")[2]
