"""Which progress a run shows: a bar on a terminal, lines in a log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from mockserver.suite.run.progress import Findings, Lines, Progress
from mockserver.suite.run.progress_bar import Bar


@contextmanager
def shown_progress(stream: TextIO, findings: Findings | None = None) -> Iterator[Progress]:
    """Show a run's progress as long as the context lasts.

    Args:
        stream: where; standard error, as standard output belongs to the report.
        findings: tells how many findings there are so far, if that is of interest.
    """
    progress = _chosen(stream, findings)
    try:
        yield progress
    finally:
        progress.close()


def _chosen(stream: TextIO, findings: Findings | None) -> Progress:
    if stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI"):
        return Bar(stream, findings)
    return Lines(stream, findings)
