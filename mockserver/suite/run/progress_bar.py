"""Progress on a terminal: one line that moves, and is gone when the run is over."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from mockserver.suite.run.progress import Findings, Tally, duration


class Bar:
    """Shows phase, steps, cases, findings, rate and the time that is left."""

    def __init__(self, stream: TextIO, findings: Findings | None) -> None:
        self._tally = Tally(findings)
        self._shown = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            _Counts(self._tally),
            TextColumn(
                "{task.fields[label]}",
                markup=False,
                style="dim",
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            console=Console(file=stream, highlight=False),
            expand=True,
            transient=True,
            redirect_stdout=False,  # what is written there is the page, and belongs there
            refresh_per_second=8,
        )
        self._task = self._shown.add_task("", total=None, label="")
        self._shown.start()

    def phase(self, name: str, total: int | None = None) -> None:
        """Begin a phase with a bar of its own."""
        self._tally.phase(name, total)
        self._shown.reset(self._task, total=total, description=name, label="")

    def step(self, label: str, cases: int = 1) -> None:
        """Count a step."""
        self._tally.step(cases)
        self._shown.update(self._task, advance=1, label=label)

    def refresh(self) -> None:
        """Show it now; otherwise several times a second."""
        self._shown.refresh()

    def close(self) -> None:
        """Take the line away."""
        self._shown.stop()


class _Counts(ProgressColumn):
    """What the tally says, made anew whenever the line is."""

    def __init__(self, tally: Tally) -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self._tally = tally

    def render(self, task: Task) -> Text:  # noqa: ARG002 - the tally knows more than the task
        tally = self._tally
        left = tally.left_seconds
        clock = f"{duration(left)} left" if left is not None else duration(tally.elapsed_seconds)
        return Text(f"{tally.place}, {tally.counts}, {clock}")
