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
    """All options of `mockserver serve`: those of the stub, and those of the processes that serve it.

    Raises:
        UsageError: two of them contradict each other.
    """

    overlay: Sequence[Path] = field(default=(), metadata=option_text(after="contract"))
    port: int = field(
        default=8080, metadata=option_text("Port; 0 takes a free one.", after="host", least=0, most=65535)
    )
    workers: int = field(
        default=1,
        metadata=option_text(
            "Processes; need a shared --state.", more="They share the port.", after="port", least=1, most=64
        ),
    )
    ban_after: int = field(
        default=USUAL_LIMIT.ban_after,
        metadata=option_text(
            "With --rate-limit: crossings of it that end in a ban; 0 for no ban.",
            after="rate_limit",
            least=0,
            most=1000,
        ),
    )
    ban_seconds: int = field(
        default=USUAL_LIMIT.ban_seconds,
        metadata=option_text(
            "With --rate-limit: how long a ban lasts, on the stub's clock.", after="ban_after", least=1, most=10**9
        ),
    )
    tls: bool = field(
        default=False,
        metadata=option_text(
            "Serve https with a self-signed certificate.",
            more="The path of the certificate is printed.",
            after="no_auth",
        ),
    )
    cert: Path | None = field(
        default=None, metadata=option_text("Serve https with this certificate (PEM).", after="tls", is_file=True)
    )
    key: Path | None = field(default=None, metadata=option_text("Key of --cert (PEM).", after="cert", is_file=True))

    def __post_init__(self) -> None:
        if not math.isfinite(self.transition_seconds):
            raise UsageError(f"--transition-seconds {self.transition_seconds}: must be a number of seconds")
        if self.workers > 1 and self.state == "memory":
            raise UsageError("--workers above 1 need a store that processes share: --state sqlite:///FILE")
        if self.tls and (self.cert or self.key):
            raise UsageError("--tls makes its own certificate; leave --cert and --key out, or --tls")
        if (self.cert is None) != (self.key is None):
            raise UsageError("--cert and --key belong together; one of them is missing")
        if self.control_token is not None and len(self.control_token) < 8:
            raise UsageError("--control-token must have at least 8 characters")
