"""Renewal: logs identities in at the start of a run, and again when what they got has expired.

::

    request ── current ── the newest token in place of an older one; renewed before, if its time is over
    response 401 ── again ──┬─ an older token was sent: the newest one
                            ├─ another call that worked is refused, too: renewed, once for each expiry
                            └─ that call still works: the operation refuses it, nothing is renewed

Only whole credentials that were issued in this run count, so that probes with wrong ones never cause a login.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mockserver.contract.model import SAFE_METHODS, Contract, Operation
from mockserver.http.cors import is_loopback
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.identities.issued_credentials import IssuedCredentials, shown_values
from mockserver.suite.identities.login_requests import LoginRequests
from mockserver.suite.identities.login_settings import LoginSettings
from mockserver.suite.identities.token_requests import TokenRequests
from mockserver.suite.safety.rate_limiter import Stopped
from mockserver.suite.target.exchange import Fields, WireRequest
from mockserver.suite.target.origins import CannotLogIn, Origins
from mockserver.suite.target.targets import Target

_UNAUTHORIZED, _FORBIDDEN, _CSRF_EXPIRED = 401, 403, 419
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TO_A_LOGIN = re.compile(r"log_?-?in|sign_?-?in|auth", re.IGNORECASE)
Shape = tuple[str, str, tuple[str, ...], bytes | None]
SecretListener = Callable[["Account", str, str, bool], None]
#: So many renewals in a row may change nothing; then a 401 is what the server means.
MAX_FRUITLESS = 3


@dataclass(slots=True, eq=False)
class Account:
    """An identity that gets its credentials in this run, and what is known of them.

    Attributes:
        requests: how it gets them.
        witness: a safe request of it that succeeded, without its credentials being changed since.
        refusing: requests that were refused while the witness was accepted.
        fruitless: renewals in a row after which the same request was refused again.
        noted: whether its token is in the ledger.
    """

    number: int
    identity: Identity
    issued: IssuedCredentials
    requests: LoginRequests | TokenRequests
    witness: WireRequest | None = None
    refusing: set[Shape] = field(default_factory=set)
    fruitless: int = 0
    noted: bool = False


class CredentialRenewal:
    """Keeps the credentials of all identities that get them in this run.

    Attributes:
        accounts: these identities.
        on_secret: told the name and value of each secret that is issued; whether it may come back.
        on_login: told each identity that has logged in, with its label's login request.
    """

    def __init__(self, contract: Contract, target: Target, identities: Identities) -> None:
        """Find out how each identity gets its credentials; nothing is sent.

        Raises:
            UsageError: nothing says how.
        """
        self._target = target
        self._origins = Origins(target)
        self._lock = threading.RLock()
        self._secure = urlsplit(target.base_url).scheme == "https" or is_loopback(
            urlsplit(target.base_url).hostname or ""
        )
        self.on_secret: SecretListener = lambda *_: None
        self.on_login: Callable[[Account], None] = lambda _: None
        self.accounts: list[Account] = []
        for number, identity in enumerate(identities.given):
            if identity.issued is None:
                continue
            place = f"{identities.path or 'identities'}: identity {number + 1} ({identity.label})"
            settings = identity.issued.settings
            requests: LoginRequests | TokenRequests
            if isinstance(settings, LoginSettings):
                requests = LoginRequests(contract, identity, settings, f"{place}: `login`")
            else:
                requests = TokenRequests(contract, settings, target.base_url, f"{place}: `oauth2`")
            identity.issued.referer = f"{target.base_url}/"
            self.accounts.append(Account(number, identity, identity.issued, requests))

    def log_in(self) -> None:
        """Log all identities in; one that cannot is left out of the run, and its `failure` says why.

        Raises:
            TargetLost: nothing accepts connections at the target.
            Stopped: the rate limiter ended the run.
        """
        for account in self.accounts:
            if account.issued.obtained or account.issued.failure:
                continue
            try:
                self._obtain(account)
            except CannotLogIn as error:
                account.issued.failure = str(error)

    def failures(self) -> Iterator[tuple[Identity, str, str]]:
        """Yield each identity that could not log in, with its login request, and why."""
        for account in self.accounts:
            if account.issued.failure:
                yield account.identity, account.requests.described, account.issued.failure

    def separate_token(self, identity: Identity) -> str | None:
        """Return another token of an identity, which may be ended; None if it has a session, or needs no login.

        Raises:
            CannotLogIn: it was refused.
        """
        account = next((one for one in self.accounts if one.identity.issued is identity.issued), None)
        if account is None:
            return None
        apart = IssuedCredentials(account.issued.settings)
        if isinstance(account.requests, TokenRequests) and account.requests.only_refreshes:
            return None
        with self._lock:
            account.requests.obtain(apart, self._origins)
        if apart.token is not None:
            self.on_secret(account, "SEPARATE_TOKEN", apart.token, False)  # noqa: FBT003 - as it is called
        return apart.token

    def login_content(self, operation: Operation) -> tuple[bytes, str] | None:
        """Return content and media type with which an identity logs in by an operation, None if none does."""
        for account in self.accounts:
            requests = account.requests
            if isinstance(requests, LoginRequests) and requests.is_by(operation) and not account.issued.failure:
                media_type, content = requests.content()
                return content, media_type
        return None

    def close(self) -> None:
        """Close the connections to servers besides the target."""
        self._origins.close()

    # Messages to the target.

    def current(self, message: WireRequest) -> WireRequest:
        """Return a message with the newest credentials in place of those that were issued earlier."""
        account = self._account_of(message)
        if account is None:
            return message
        with self._lock:
            if account.issued.is_over:
                self._renew(account)
            return account.issued.renewed(message, secure=self._secure)

    def again(self, message: WireRequest, status: int | None, fields: Fields) -> WireRequest | None:
        """Return the message to send again after its credentials were renewed, None to leave it at the response."""
        account = self._account_of(message)
        if account is None or status is None:
            return None
        issued = account.issued
        with self._lock:
            ended = self._take_fields(account, message, fields)
            if not _looks_refused(issued, status, fields):
                if 200 <= status < 300:
                    account.refusing.discard(_shape(message))
                    account.fruitless = 0  # they work
                    if message.method in SAFE_METHODS and not ended:
                        account.witness = message
                return None
            newest = issued.renewed(message, secure=self._secure)
            if newest != message:
                return newest  # it was renewed while this one was on its way
            if status in {_FORBIDDEN, _CSRF_EXPIRED} and message.method not in SAFE_METHODS:
                fetched = self._with_new_csrf(account, message)
                if fetched is not None:
                    return fetched
            if _shape(message) in account.refusing or account.fruitless >= MAX_FRUITLESS:
                return None
            if account.witness is not None and not self._is_refused(account, account.witness):
                account.refusing.add(_shape(message))
                return None
            self._renew(account)
            return issued.renewed(message, secure=self._secure)

    def sent_again(self, message: WireRequest, status: int | None, fields: Fields) -> None:
        """Take notice of the response to a message that was sent again."""
        account = self._account_of(message)
        if account is None or status is None:
            return
        with self._lock:
            self._take_fields(account, message, fields)
            if _looks_refused(account.issued, status, fields):
                account.refusing.add(_shape(message))
                account.fruitless += 1
            else:
                account.fruitless = 0

    def _account_of(self, message: WireRequest) -> Account | None:
        if not self.accounts:
            return None
        shown = set(shown_values(message))
        return next((one for one in self.accounts if any(map(one.issued.knows, shown))), None)

    def _take_fields(self, account: Account, message: WireRequest, fields: Fields) -> bool:
        """Take the cookies and the CSRF token of a response; return whether it deleted a cookie of the session."""
        issued, ended = account.issued, False
        settings = issued.settings
        if not isinstance(settings, LoginSettings) or not issued.is_session:
            return False
        for name, value in fields:
            if name.lower() == "set-cookie":
                before = {cookie.name for cookie in issued.jar.sent()}
                cookie = issued.take_cookie(value, message.path.partition("?")[0])
                ended |= cookie is not None and cookie.name in before and issued.jar.value(cookie.name) is None
                if cookie is not None and issued.is_secret_cookie(cookie):
                    self.on_secret(account, f"COOKIE_{cookie.name}", cookie.value, True)  # noqa: FBT003 - as called
            elif settings.csrf is not None and name.lower() == settings.csrf.field.lower() and value:
                issued.take_csrf(value)
                self.on_secret(account, "CSRF_TOKEN", value, True)  # noqa: FBT003 - as it is called
        return ended

    def _with_new_csrf(self, account: Account, message: WireRequest) -> WireRequest | None:
        """Return a message with a CSRF token that was fetched again, None if there is no other one."""
        settings = account.issued.settings
        if not isinstance(settings, LoginSettings) or settings.csrf is None or not settings.csrf.request:
            return None
        assert isinstance(account.requests, LoginRequests)
        try:
            account.requests.fetch_csrf(account.issued, self._origins)
        except CannotLogIn:
            return None
        self._tell(account)
        newest = account.issued.renewed(message, secure=self._secure)
        return newest if newest != message else None

    def _is_refused(self, account: Account, message: WireRequest) -> bool:
        """Tell whether a request that was accepted before is refused with the newest credentials."""
        exchange = self._target.send_as_it_is(account.issued.renewed(message, secure=self._secure))
        response = exchange.response
        return response is not None and _looks_refused(account.issued, response.status, response.fields)

    def _renew(self, account: Account) -> None:
        """Get new credentials for an identity in mid-run.

        Raises:
            Stopped: that cannot be done, so that nothing can be judged any more.
        """
        try:
            self._obtain(account)
        except CannotLogIn as error:
            self._target.rate_limiter.stop(
                f"the credentials of {account.identity.label} ended in mid-run and could not be renewed: {error}"
            )
            raise Stopped(self._target.rate_limiter.stopped) from error
        account.witness = None
        account.refusing.clear()

    def _obtain(self, account: Account) -> None:
        try:
            account.requests.obtain(account.issued, self._origins)
        finally:
            self._tell(account)
        self.on_login(account)

    def _tell(self, account: Account) -> None:
        """Tell all that was issued, so that it is masked from now on."""
        issued = account.issued
        for name, value, may_come_back in (
            ("TOKEN", issued.token or "", False),
            ("REFRESH_TOKEN", issued.refresh_token, False),
            ("CSRF_TOKEN", issued.csrf, True),
            *(
                (f"COOKIE_{cookie.name}", cookie.value, True)
                for cookie in issued.jar.sent()
                if issued.is_secret_cookie(cookie)
            ),
        ):
            if value:
                self.on_secret(account, name, value, may_come_back)


def _shape(message: WireRequest) -> Shape:
    """Return what tells a request from others, whatever the value of its credentials."""
    fields = sorted(
        f"{name.lower()} {value.partition(' ')[0] if ' ' in value else ''}" for name, value in message.fields
    )
    return message.method, message.path, tuple(fields), message.body


def _looks_refused(issued: IssuedCredentials, status: int, fields: Fields) -> bool:
    """Tell whether a response may say that credentials are not good any more.

    A session that has ended is answered with 403, or a way to the login, by many servers.
    """
    if status == _UNAUTHORIZED:
        return True
    if not issued.is_session:
        return False
    if status in {_FORBIDDEN, _CSRF_EXPIRED}:
        return True
    location = next((value for name, value in fields if name.lower() == "location"), "")
    return status in _REDIRECTS and _TO_A_LOGIN.search(urlsplit(location).path) is not None
