"""Two-factor authentication by time-based one-time passwords, and device passwords."""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.behaviour.calls import Handler

HANDLERS: Mapping[tuple[str, str], Handler] = {}
