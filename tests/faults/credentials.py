"""Faults that let the wrong ones in, or keep the right ones out."""

from __future__ import annotations

from typing import Any

from tests.faults.catalogue import Catalogue, Stub
from tests.faults.messages import (
    ADMIN,
    DAYS,
    DESCRIBE,
    IMAP,
    LOGIN,
    MAILER,
    PASSWORDS,
    READ,
    RELAY,
    RESET,
    REVOKE,
    SECURED,
    SETTINGS,
    TOKENS,
    WRITE,
    Call,
    Reply,
    refusal,
)

CREDENTIALS = Catalogue("credentials")


@CREDENTIALS.plant("unknown_tokens_are_refused", at=SECURED)
def any_token(call: Call, server: Stub) -> Reply:
    """The user name is looked up, the token is not compared."""
    reply, username = server.send(call), call.credentials[0]
    return server.send(call.by(username)) if reply.status == 401 and username in TOKENS else reply


@CREDENTIALS.plant("tokens_belong_to_their_user", at=SECURED)
def any_user(call: Call, server: Stub) -> Reply:
    """The token is looked up, whose it is does not matter."""
    reply, token = server.send(call), call.credentials[1]
    owner = next((name for name, known in TOKENS.items() if known == token), None)
    return server.send(call.by(owner)) if reply.status == 401 and owner else reply


@CREDENTIALS.plant("tokens_belong_to_their_user", at=SECURED)
def name_decides(call: Call, server: Stub) -> Reply:
    """Any token that is valid opens the door, and who it is then is read from the user name alone."""
    reply, (username, token) = server.send(call), call.credentials
    valid = username in TOKENS and token in TOKENS.values()
    return server.send(call.by(username)) if reply.status == 401 and valid else reply


@CREDENTIALS.plant("tokens_are_compared_whole", at=SECURED)
def token_case_ignored(call: Call, server: Stub) -> Reply:
    """Tokens are compared without regard to case, as the database's collation does it."""
    reply, (username, token) = server.send(call), call.credentials
    same = token.lower() == TOKENS.get(username, "").lower()
    return server.send(call.by(username)) if reply.status == 401 and token and same else reply


@CREDENTIALS.plant("tokens_are_compared_whole", at=SECURED)
def token_prefix(call: Call, server: Stub) -> Reply:
    """As many characters of a token are compared as the caller sent."""
    reply, (username, token) = server.send(call), call.credentials
    begins = token and TOKENS.get(username, "").startswith(token)
    return server.send(call.by(username)) if reply.status == 401 and begins else reply


@CREDENTIALS.plant("tokens_are_compared_whole", at=SECURED)
def token_cut(call: Call, server: Stub) -> Reply:
    """Only the first characters of a token are compared, as bcrypt heeds no more than 72 bytes."""
    reply, (username, token) = server.send(call), call.credentials
    known = TOKENS.get(username)
    return server.send(call.by(username)) if reply.status == 401 and known and token.startswith(known) else reply


@CREDENTIALS.plant("unknown_tokens_are_refused", "malformed_credentials_are_refused", at=SECURED)
def empty_token(call: Call, server: Stub) -> Reply:
    """An empty token is accepted: it equals the empty field of an account without one."""
    reply, (username, token) = server.send(call), call.credentials
    return server.send(call.by(username)) if reply.status == 401 and username in TOKENS and not token else reply


@CREDENTIALS.plant("passwords_are_no_tokens", at=SECURED)
def password_as_token(call: Call, server: Stub) -> Reply:
    """The account's password is accepted in place of a token."""
    reply, (username, token) = server.send(call), call.credentials
    right = token and PASSWORDS.get(username) == token
    return server.send(call.by(username)) if reply.status == 401 and right else reply


@CREDENTIALS.plant("revoked_tokens_are_refused", at=[*SECURED])
def revoked_token(call: Call, server: Stub) -> Reply:
    """A revoked token goes on working: the cache of tokens is not told."""
    reply, revoked = server.send(call), server.memory(call)
    if call.label == REVOKE and reply.ok:
        revoked[call.authorization] = call.credentials[0]
    owner = revoked.get(call.authorization)
    return server.send(call.by(owner)) if reply.status == 401 and owner else reply


@CREDENTIALS.plant("issued_tokens_work_at_once", at=[LOGIN, *SECURED])
def expired_token(call: Call, server: Stub) -> Reply:
    """A login gives out a token that has ended already: local time is taken for UTC."""
    reply = server.send(call)
    if call.label != LOGIN or not reply.ok:
        return reply
    server.send(call.to(REVOKE).by(call.json["username"], reply.json["auth"]["auth_token"]))
    return reply.changed(_three_days_earlier)


def _three_days_earlier(auth: dict[str, Any]) -> dict[str, Any]:
    return {name: member - 3 * 86_400 if name.startswith("valid_") else member for name, member in auth.items()}


@CREDENTIALS.plant("wrong_passwords_are_refused", at=[LOGIN])
def any_password(call: Call, server: Stub) -> Reply:
    """A login takes any password of an account that exists."""
    reply = server.send(call)
    username = str(call.json.get("username")) if isinstance(call.json, dict) else ""
    if call.label != LOGIN or reply.status != 401 or username not in PASSWORDS:
        return reply
    return server.send(call.with_json({"username": username, "password": PASSWORDS[username]}))


@CREDENTIALS.plant("wrong_passwords_are_refused", at=[LOGIN])
def password_case_ignored(call: Call, server: Stub) -> Reply:
    """A login compares passwords without regard to case."""
    reply = server.send(call)
    if call.label != LOGIN or reply.status != 401:
        return reply
    username = call.json["username"]
    right = PASSWORDS.get(username, "")
    same = call.json["password"].lower() == right.lower()
    return server.send(call.with_json({"username": username, "password": right})) if right and same else reply


@CREDENTIALS.plant("issued_tokens_tell_their_level", at=[LOGIN])
def everybody_is_master(call: Call, server: Stub) -> Reply:
    """A login calls everybody a MasterAdmin: clients show buttons that do not work."""
    reply = server.send(call)
    return reply.changed(lambda auth: auth | {"perm_level": "MasterAdmin"}) if call.label == LOGIN else reply


@CREDENTIALS.edit("levels_not_allowed_are_refused", at=[READ[DAYS]])
def mail_user_admitted(document: dict[str, Any]) -> None:
    """Every account may read a setting that is the MasterAdmin's."""
    _operation(document, "get", DAYS)["x-mockserver-levels"] += ["DomainAdmin", "MailUser"]


@CREDENTIALS.edit("levels_not_allowed_are_refused", at=[WRITE[RELAY]])
def domain_admin_admitted(document: dict[str, Any]) -> None:
    """A DomainAdmin may write a setting that is the MasterAdmin's."""
    _operation(document, "post", RELAY)["x-mockserver-levels"] += ["DomainAdmin"]


@CREDENTIALS.edit("calls_without_credentials_are_refused", at=[READ[DAYS]])
def no_credentials_needed(document: dict[str, Any]) -> None:
    """One operation was forgotten when the others were put behind a login."""
    _operation(document, "get", DAYS)["security"] = []


def _operation(document: dict[str, Any], method: str, name: str) -> dict[str, Any]:
    operation: dict[str, Any] = document["paths"][f"{SETTINGS}{name}/"][method]
    return operation


@CREDENTIALS.plant("allowed_levels_are_admitted", at=[RESET[IMAP]])
def master_admin_refused(call: Call, server: Stub) -> Reply:
    """The MasterAdmin himself is refused: the list of levels is misspelt."""
    reply = server.send(call)
    return refusal(403, "Forbidden") if call.label == RESET[IMAP] and reply.ok else reply


@CREDENTIALS.plant("levels_not_allowed_are_refused", at=SECURED, level="drift")
def wrong_level_is_401(call: Call, server: Stub) -> Reply:
    """The wrong level gets 401, as if it were a stranger: a client logs in again, and again."""
    reply = server.send(call)
    if reply.status != 403:
        return reply
    return refusal(401, "Unauthorized").with_field("WWW-Authenticate", 'Basic realm="mockserver"')


@CREDENTIALS.plant("headers_conform", at=[*SECURED, LOGIN], level="drift")
def no_challenge(call: Call, server: Stub) -> Reply:
    """A 401 has no WWW-Authenticate field, which RFC 9110, section 15.5.2, demands."""
    reply = server.send(call)
    return reply.with_field("WWW-Authenticate", None) if reply.status == 401 else reply


@CREDENTIALS.plant("calls_without_credentials_are_refused", at=[RESET[MAILER]])
def any_scheme(call: Call, server: Stub) -> Reply:
    """Who shows credentials of any scheme passes: only the field's presence is looked at."""
    reply = server.send(call)
    if call.label == RESET[MAILER] and reply.status == 401 and call.authorization:
        return server.send(call.by(ADMIN))
    return reply


@CREDENTIALS.plant("tokens_are_compared_whole", at=SECURED)
def token_end(call: Call, server: Stub) -> Reply:
    """As many characters of a token are compared as the caller sent, from its end."""
    reply, (username, token) = server.send(call), call.credentials
    ends = token and TOKENS.get(username, "").endswith(token)
    return server.send(call.by(username)) if reply.status == 401 and ends else reply


@CREDENTIALS.plant("tokens_are_compared_whole", at=SECURED)
def token_with_blanks(call: Call, server: Stub) -> Reply:
    """Blanks around a token are dropped."""
    reply, (username, token) = server.send(call), call.credentials
    same = token.strip() == TOKENS.get(username)
    return server.send(call.by(username)) if reply.status == 401 and same else reply


@CREDENTIALS.plant("expired_tokens_are_refused", at=[*SECURED], needs_clock=True)
def token_for_ever(call: Call, server: Stub) -> Reply:
    """A token goes on working when its time is over: nobody compares the two."""
    reply, issued = server.send(call), server.memory(call)
    if call.label == LOGIN and reply.ok:
        issued[reply.json["auth"]["auth_token"]] = call.json["username"]
    if call.label == REVOKE and reply.ok:
        issued.pop(call.credentials[1], None)
    owner = issued.get(call.credentials[1])
    return server.send(call.by(owner)) if reply.status == 401 and owner == call.credentials[0] else reply


@CREDENTIALS.plant("answers_name_the_caller", at=[DESCRIBE])
def everybody_is_admin(call: Call, server: Stub) -> Reply:
    """Reading about a token names the account that was created first."""
    reply = server.send(call)
    return reply.changed(lambda auth: auth | {"username": ADMIN}) if call.label == DESCRIBE else reply


@CREDENTIALS.plant("issued_tokens_tell_their_level", at=[DESCRIBE])
def token_of_a_master(call: Call, server: Stub) -> Reply:
    """Reading about a token calls its owner a MasterAdmin, whoever it is."""
    reply = server.send(call)
    return reply.changed(lambda auth: auth | {"perm_level": "MasterAdmin"}) if call.label == DESCRIBE else reply


_UNGUARDED = "undefined_methods_ask_for_credentials"


@CREDENTIALS.plant(_UNGUARDED, at=[f"PUT {SETTINGS}{MAILER}/"])
def put_unguarded(call: Call, server: Stub) -> Reply:
    """PUT does what POST does, and the guard knows of GET, POST and DELETE only."""
    unguarded = call.label == f"PUT {SETTINGS}{MAILER}/"
    return server.send(call._replace(method="POST").by(ADMIN) if unguarded else call)


@CREDENTIALS.plant(_UNGUARDED, at=[f"HEAD {SETTINGS}{RELAY}/"])
def head_unguarded(call: Call, server: Stub) -> Reply:
    """HEAD tells whoever asks how long the answer to a GET is."""
    if call.label != f"HEAD {SETTINGS}{RELAY}/":
        return server.send(call)
    return server.send(call._replace(method="GET").by(ADMIN)).with_body(b"")
