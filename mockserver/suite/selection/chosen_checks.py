"""Chosen checks: what `--checks` and `--exclude-checks` leave of the checks of a run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mockserver.errors import UsageError
from mockserver.suite.selection.selected_operations import near


@dataclass(frozen=True, slots=True)
class ChosenChecks:
    """Checks that count in a run: those of `only`, all if it is empty, without those that are left out."""

    only: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()

    def __contains__(self, check: str) -> bool:
        return check not in self.left_out and (not self.only or check in self.only)

    @property
    def limited(self) -> bool:
        """Whether any check is left out."""
        return bool(self.only or self.left_out)

    @property
    def note(self) -> str:
        """Line for the report about what was chosen, "" for all checks."""
        parts = [f"only {', '.join(sorted(self.only))}"] if self.only else []
        parts += [f"without {', '.join(sorted(self.left_out))}"] if self.left_out else []
        return f"checks of this run: {', '.join(parts)}" if parts else ""


#: No limit.
EVERY_CHECK = ChosenChecks()


def choose(only: Collection[str], left_out: Collection[str], known: Collection[str]) -> ChosenChecks:
    """Return the chosen checks for the values of `--checks` and `--exclude-checks`; commas separate names, too.

    Raises:
        UsageError: there is no such check, or none is left.
    """
    chosen = ChosenChecks(
        _names("--checks", only, known),
        _names("--exclude-checks", left_out, known),
    )
    if not any(check in chosen for check in known):
        raise UsageError("--exclude-checks leaves none of the checks of --checks, so there is nothing to test")
    return chosen


def _names(option: str, values: Collection[str], known: Collection[str]) -> frozenset[str]:
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise UsageError(f"{option} {name}: there is no such check{near(name, sorted(known))} (docs/suite.md)")
    return frozenset(names)
