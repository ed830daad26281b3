"""Options that `check` and `fuzz` share, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mockserver.contract.model import Contract
from mockserver.errors import UsageError
from mockserver.plugins.discovery import load, own_seed_data
from mockserver.suite.safety.rate_limiter import parse_rate
from mockserver.suite.selection.check_names import known_checks
from mockserver.suite.selection.chosen_checks import ChosenChecks, choose
from mockserver.suite.selection.own_checks import NONE, OwnChecks, load_own_checks
from mockserver.suite.selection.selected_operations import Selection
from mockserver.suite.target.connections import CONNECT_SECONDS, Connection, is_this_machine
from mockserver.suite.target.wire import MAX_RESPONSE


@dataclass(frozen=True, slots=True)
class Options:
    """Options that `check` and `fuzz` share; docs/suite.md describes each.

    Attributes:
        share: of how many parts of a run, which share the rate, this is one.
        application: the application that is the target, where it is no name or URL.
    """

    target: str | None = None
    contract: Path | None = None
    api: str | None = None
    overlay: tuple[Path, ...] = ()
    identities: Path | None = None
    values: Path | None = None
    header: tuple[str, ...] = ()
    allow_writes: tuple[str, ...] = ()
    rate: str | None = None
    settle: float = 5.0
    report: tuple[str, ...] = ()
    fail_on: str | None = None
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    skip_deprecated: bool = False
    checks: tuple[str, ...] = ()
    exclude_checks: tuple[str, ...] = ()
    checks_from: tuple[str, ...] = ()
    quiet: bool = False
    write_overlay: Path | None = None
    apply: bool = False
    baseline: Path | None = None
    write_baseline: Path | None = None
    no_oracle: bool = False
    treat_as_remote: bool = False
    budget: int | None = None
    timeout: float | None = None
    connect_timeout: float = CONNECT_SECONDS
    max_response: str | None = None
    ca: Path | None = None
    insecure: bool = False
    cert: Path | None = None
    key: Path | None = None
    proxy: str | None = None
    restore_values: Path | None = None
    ledger: Path | None = None
    dry_run: bool = False
    share: int = 1
    application: Any = None

    @property
    def has_target(self) -> bool:
        """Whether somebody's server or application is judged, not a stub of the run."""
        return self.target is not None or self.application is not None

    @property
    def own_seed_data(self) -> Path | None:
        """Seed data file of the API's own stub, which is judged if neither target nor contract is given."""
        return None if self.has_target else own_seed_data(self.contract, self.api)

    def load_contract(self) -> Contract:
        """Return the contract by which the target is judged, with overlays applied.

        Raises:
            ContractError: it cannot be used.
            UsageError: the API is not installed.
        """
        return load(self.contract, self.api, self.overlay)

    @property
    def selection(self) -> Selection:
        """The operations that the run is limited to."""
        return Selection(self.only, self.exclude, self.tag, self.skip_deprecated)

    def own_checks(self, contract: Contract) -> OwnChecks:
        """Return the checks of the user's own modules, and of the API that a contract belongs to.

        Raises:
            UsageError: a module cannot be imported, or has no checks.
        """
        return load_own_checks(self.checks_from, contract.api, known_checks())

    def chosen_checks(self, own: OwnChecks = NONE) -> ChosenChecks:
        """Return the checks that the run is limited to, of ours and those of the user.

        Raises:
            UsageError: there is no such check, or none is left.
        """
        return choose(self.checks, self.exclude_checks, (*own.names, *known_checks()))

    @property
    def foreign(self) -> bool:
        """Whether the target is on another machine, or treated as if it were."""
        host = urlsplit(self.target or "").hostname
        return self.treat_as_remote or (host is not None and not is_this_machine(host))

    def connection(self) -> Connection:
        """Return the connection options of the target.

        Raises:
            UsageError: the rate is none, or the size.
        """
        return Connection(
            rate=None if self.rate is None else parse_rate(self.rate),
            budget=self.budget,
            treat_as_remote=self.treat_as_remote,
            timeout_seconds=self.timeout,
            ca=self.ca,
            insecure=self.insecure,
            cert=self.cert,
            key=self.key,
            proxy=self.proxy,
            connect_seconds=self.connect_timeout,
            share=self.share,
            max_response=MAX_RESPONSE if self.max_response is None else parse_size("--max-response", self.max_response),
        )


_SIZE = re.compile(r"(\d{1,12})\s*(?:([kmg])(i?)b?|b)?", re.IGNORECASE)


def parse_size(option: str, text: str) -> int:
    """Return the number of bytes for a size such as `65536`, `500KB` or `16MiB`.

    Raises:
        UsageError: another form, or not above 0.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(f"{option} {text!r} is not a size; write bytes, or 500KB, 64MiB")
    power = " kmg".index(found[2].lower()) if found[2] else 0
    return int(found[1]) * int((1024 if found[3] else 1000) ** power)
