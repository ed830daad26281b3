"""Which generated cases this part of a run sends: all are generated, in the same order in each part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mockserver.suite.fuzz.patches import CALL_AND_VALIDATE
from mockserver.suite.run.session import Run


@contextmanager
def own_cases(run: Run) -> Iterator[None]:
    """Leave cases to other parts of the run as if they had been sent and had passed.

    Hypothesis must not notice: it makes up another case for each that is refused.
    """
    if run.division.shard.whole:
        yield
        return

    def call_and_validate(*, case: Any, **context: Any) -> None:
        if run.division.takes(case.operation.label, case.method.upper()):
            original(case=case, **context)

    with CALL_AND_VALIDATE.replaced(call_and_validate) as original:
        yield
