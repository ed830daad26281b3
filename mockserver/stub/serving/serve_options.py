"""Options of `mockserver serve`: those of the stub, and those of the processes that serve it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mockserver.errors import UsageError
from mockserver.stub.stub_options import USUAL_LIMIT, StubOptions, option_text


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ServeOptions(StubOptions):
    """All options of `mockserver serve`: those of the stub, and of the processes that serve it.

    Raises:
        UsageError: two of them contradict each other.
    """

    overlay: Sequence[Path] = field(default=(), metadata=option_text())
    port: int = field(
        default=8080, metadata=option_text("Port; 0 picks a free one.", least=0, most=65535, group="Address")
    )
    workers: int = field(
        default=1,
        metadata=option_text(
            "Number of processes; more than one need a --state that they can share.",
            more="They share the port.",
            least=1,
            most=64,
            group="Address",
        ),
    )
    tls: bool = field(
        default=False,
        metadata=option_text(
            "Serve https with a self-signed certificate for localhost and --host.",
            more="The path of the certificate is printed, and how clients are told to trust it.",
            page="stub.md#tls",
            group="Address",
        ),
    )
    tls_name: Sequence[str] = field(
        default=(),
        metadata=option_text(
            "Another host name or address that the certificate of --tls is valid for.",
            metavar="NAME",
            page="stub.md#tls",
            group="Address",
        ),
    )
    cert: Path | None = field(
        default=None, metadata=option_text("Serve https with this certificate (PEM).", is_file=True, group="Address")
    )
    key: Path | None = field(
        default=None, metadata=option_text("Private key of --cert (PEM).", is_file=True, group="Address")
    )
    ban_after: int = field(
        default=USUAL_LIMIT.ban_after,
        metadata=option_text(
            "With --rate-limit: ban an address after it broke the limit N times; 0 for no bans.",
            least=0,
            most=1000,
            group="Responses",
        ),
    )
    ban_seconds: int = field(
        default=USUAL_LIMIT.ban_seconds,
        metadata=option_text(
            "With --rate-limit: how many seconds a ban lasts, on the stub's clock.",
            least=1,
            most=10**9,
            group="Responses",
        ),
    )

    def __post_init__(self) -> None:
        if not math.isfinite(self.transition_seconds):
            raise UsageError(f"--transition-seconds {self.transition_seconds}: must be a number of seconds")
        if self.workers > 1 and self.state == "memory":
            raise UsageError("--workers above 1 need a store that processes share: --state sqlite:///FILE")
        if self.tls_name and not self.tls:
            raise UsageError("--tls-name adds a name to the certificate of --tls; add --tls, or leave it out")
        if self.tls and (self.cert or self.key):
            raise UsageError("--tls makes its own certificate; leave --cert and --key out, or --tls")
        if (self.cert is None) != (self.key is None):
            raise UsageError("--cert and --key belong together; one of them is missing")
        if self.control_token is not None and len(self.control_token) < 8:
            raise UsageError("--control-token must have at least 8 characters")
