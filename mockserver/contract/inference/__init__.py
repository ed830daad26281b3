"""State nobody wrote: what a contract's paths, methods and schemas say about its resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mockserver.contract.model import Behaviour, Contract


@dataclass(frozen=True, slots=True)
class Inference:
    """What was inferred.

    Attributes:
        behaviours: by `operationId`.
    """

    behaviours: Mapping[str, Behaviour]


def infer(contract: Contract) -> Inference:
    """Return what can be inferred from a contract."""
    del contract
    return Inference({})
