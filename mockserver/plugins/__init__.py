"""Public interface for extensions: what an API provides to be served and checked by its name (docs/extending.md).

::

    from mockserver.plugins import Call, Outcome, Plugin, behaviour, success

    @behaviour("addNumbers")                                    # an operationId, or a handler and a role
    def add(call: Call) -> Outcome:
        return success({"sum": call.arguments.query["a"] + call.arguments.query["b"]}, "added")

    API = Plugin(name="sums", contract=Path(__file__).parent / "openapi.yaml", behaviours=[add])

A package offers its `Plugin` as an entry point of the group `mockserver.apis`. The built-in API imports nothing else of
mockserver.
"""

from __future__ import annotations

from mockserver.contract.model import Contract, Operation
from mockserver.errors import RequestRejected
from mockserver.http.cors import is_loopback
from mockserver.messages import NO_CONTENT, Arguments, Caller, Outcome, Violation, no_content, success
from mockserver.plugins.account_records import ACCOUNTS, TOKENS, password_hash, password_matches
from mockserver.plugins.calls import (
    AccountRules,
    Call,
    Handler,
    Rules,
    content_of,
    domain_of,
    issue,
    kept,
    under_way,
    whole,
)
from mockserver.plugins.discovery import DEFAULT, GROUP, find, installed
from mockserver.plugins.ownership import is_open, may_see, owns_account, owns_name
from mockserver.plugins.plugin import ACCOUNT, ControlCall, ControlRoute, Plugin, Reference, Section
from mockserver.plugins.registration import behaviour
from mockserver.plugins.tokens import MAX_TOKENS, TOKEN_SECONDS, IssuedToken, issue_token, login_refused
from mockserver.plugins.transactions import Read, Record, Transaction
from mockserver.sources import LATEST, chance, make_uuid

__all__ = [
    "ACCOUNT",
    "ACCOUNTS",
    "DEFAULT",
    "GROUP",
    "LATEST",
    "MAX_TOKENS",
    "NO_CONTENT",
    "TOKENS",
    "TOKEN_SECONDS",
    "AccountRules",
    "Arguments",
    "Call",
    "Caller",
    "Contract",
    "ControlCall",
    "ControlRoute",
    "Handler",
    "IssuedToken",
    "Operation",
    "Outcome",
    "Plugin",
    "Read",
    "Record",
    "Reference",
    "RequestRejected",
    "Rules",
    "Section",
    "Transaction",
    "Violation",
    "behaviour",
    "chance",
    "content_of",
    "domain_of",
    "find",
    "installed",
    "is_loopback",
    "is_open",
    "issue",
    "issue_token",
    "kept",
    "login_refused",
    "make_uuid",
    "may_see",
    "no_content",
    "owns_account",
    "owns_name",
    "password_hash",
    "password_matches",
    "success",
    "under_way",
    "whole",
]
