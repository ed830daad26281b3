"""Mutants that no client can tell from the clean stub, each with its reason; they are listed, and not judged."""

from __future__ import annotations

from collections.abc import Mapping

#: Class and `operationId` to the reason.
EQUIVALENT: Mapping[tuple[str, str], str] = {}
