"""Result of the survey for one operation: whether it succeeded, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from mockserver.suite.survey.drafts import Draft
from mockserver.suite.target.exchange import Exchange


@dataclass(slots=True)
class Surveyed:
    """Result of the survey for one operation.

    Attributes:
        succeeded: whether a request was accepted.
        refused: what was refused, with the draft that it was made of.
        why: why no request was made, or no further one.
        seen: how much was known when it was tried.
    """

    succeeded: bool = False
    refused: list[tuple[Draft, Exchange]] = field(default_factory=list)
    why: str = ""
    seen: int = -1
