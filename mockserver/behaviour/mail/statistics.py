"""Counts of what the server holds, and quota in use."""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.behaviour.calls import Handler

HANDLERS: Mapping[tuple[str, str], Handler] = {}
