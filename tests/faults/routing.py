"""Faults at what the contract does not define: methods and paths."""

from __future__ import annotations

from tests.faults.catalogue import Catalogue, Stub
from tests.faults.messages import (
    DAYS,
    MAILER,
    NAMES,
    READ,
    RELAY,
    RESET,
    SETTINGS,
    WRITE,
    Call,
    Reply,
    crash,
)

ROUTING = Catalogue("routing")
#: The suite's own name, and schemathesis' for the same claim.
_METHODS = ("undefined_methods_are_refused", "unsupported_method")
_OTHER_METHODS = [f"{method} {SETTINGS}{name}/" for name in NAMES for method in ("PUT", "PATCH")]


@ROUTING.plant(
    *_METHODS,
    at=[
        *_OTHER_METHODS,
        *(f"HEAD {SETTINGS}{name}/" for name in NAMES),
        "PUT /api/v1/auth/",
        "PATCH /api/v1/auth/",
    ],
    level="drift",
)
def no_allow(call: Call, server: Stub) -> Reply:
    """A 405 does not say which methods there are, though RFC 9110, section 15.5.6, demands it."""
    reply = server.send(call)
    return reply.with_field("Allow", None) if reply.status == 405 else reply


@ROUTING.plant(*_METHODS, at=[f"PUT {SETTINGS}{MAILER}/"], level="drift")
def put_as_post(call: Call, server: Stub) -> Reply:
    """PUT does what POST does, undocumented."""
    return server.send(call._replace(method="POST") if call.label == f"PUT {SETTINGS}{MAILER}/" else call)


@ROUTING.plant(*_METHODS, at=[f"PATCH {SETTINGS}{DAYS}/"], level="drift")
def patch_is_404(call: Call, server: Stub) -> Reply:
    """PATCH is "not found", though the path is there: each method has a table of paths of its own."""
    reply = server.send(call)
    return reply._replace(status=404) if call.label == f"PATCH {SETTINGS}{DAYS}/" else reply


@ROUTING.plant("valid_requests_are_accepted", at=[RESET[DAYS]], level="drift")
def reset_not_deployed(call: Call, server: Stub) -> Reply:
    """A documented DELETE was never deployed: its path takes GET and POST alone."""
    reply = server.send(call)
    return reply._replace(status=405, body=b"") if call.label == RESET[DAYS] and reply.ok else reply


@ROUTING.plant("undefined_names_are_refused", at=[READ[MAILER], WRITE[MAILER], RESET[MAILER]], level="drift")
def unknown_setting(call: Call, server: Stub) -> Reply:
    """Any name is a setting: what a client misspells is stored under that name, and never used."""
    reply, name = server.send(call), call.path.removeprefix(SETTINGS).removesuffix("/")
    if reply.status != 404 or call.path != f"{SETTINGS}{name}/" or "/" in name:
        return reply
    setting = {"name": name, "status": "applying", "value": call.json}
    fields = (("Content-Type", "application/json"),)
    return Reply(200, fields, b"").with_json({"settings": setting})


@ROUTING.plant("undefined_paths_are_refused", at=[READ[RELAY]], level="drift")
def prefix_route(call: Call, server: Stub) -> Reply:
    """Whatever begins with a path is taken for it, as a route without an end does."""
    beginning = f"{SETTINGS}{RELAY}"
    return server.send(call._replace(path=f"{beginning}/") if call.path.startswith(beginning) else call)


@ROUTING.plant("no_server_error", at=[WRITE[MAILER], f"PUT {SETTINGS}{MAILER}/"])
def other_method_crashes(call: Call, server: Stub) -> Reply:
    """A method that nobody thought of makes the server fail."""
    return crash() if call.label == f"PUT {SETTINGS}{MAILER}/" else server.send(call)
