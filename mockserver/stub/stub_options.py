"""Options of the stub, each defined once: name, type, default, and its text in help and documentation.

::

    --name, MOCKSERVER_NAME, settings file ── ServeOptions ─┐
    create_app(name=...) ──────────────────── StubOptions ──┴── app.py ── stages, worker processes

A new option is a field here; `commands/options.py` makes the flag of it, and `create_app` its keyword argument.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TextIO, TypeVar

from mockserver import sources
from mockserver.errors import UsageError
from mockserver.http import json

if TYPE_CHECKING:
    from mockserver.contract.model import Contract
    from mockserver.plugins.calls import Handler
    from mockserver.plugins.plugin import Plugin
    from mockserver.stub.store.seed import Seed

#: The `max_body` of a stub that is told nothing else.
USUAL_MAX_BODY = 16 * 1024 * 1024
_SHIFTS = {None: 0, "k": 10, "m": 20, "g": 30}
Keywords = ParamSpec("Keywords")
Options = TypeVar("Options")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Rate limit of one client address: requests a second, violations until a ban, and the ban's length.

    Attributes:
        requests: allowed within a second; the documentation says 15 to 20.
        ban_after: violations of the limit that lead to a ban ("several times"), 0 for no ban.
        ban_seconds: length of a ban ("1 or more hours").
    """

    requests: int = 20
    ban_after: int = 3
    ban_seconds: int = 3600

    def __post_init__(self) -> None:
        """Raise UsageError if the rate limit is less than one request a second.

        Raises:
            UsageError: not a number of requests.
        """
        if self.requests < 1:
            raise UsageError(f"a rate limit of {self.requests}: must be at least 1 request a second")


#: The limit of `--rate-limit` alone.
USUAL_LIMIT = RateLimit()


class OptionText(NamedTuple):
    """Texts and limits of an option of the command, for `--help`, documentation and parsing.

    Attributes:
        help: its text in `--help`, "" for an option without a flag.
        more: what the documentation adds to `help`.
        keyword: description of the argument of `create_app`, if it differs from `help`.
        default: the default in the documentation, if it is not that of the field.
        page: page below `docs/` that explains the option.
        metavar: name of the value in help.
        least: the lowest number.
        most: the highest number.
        choices: the allowed texts; empty if any text is allowed.
        is_file: whether the value is a path.
        bare: the value of the option given without a value.
        read: converts a text, or None, to the value; raises ValueError.
        group: the heading under which help lists it.
    """

    help: str = ""
    more: str = ""
    keyword: str = ""
    default: str = ""
    page: str = ""
    metavar: str | None = None
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    is_file: bool = False
    bare: str | None = None
    read: Callable[[Any], Any] | None = None
    group: str = ""


def text_of_option(option: Field[Any]) -> OptionText:
    """Return the texts and limits of an option, from its dataclass field."""
    text: OptionText = option.metadata["text"]
    return text


def option_text(help: str = "", **more: Any) -> Mapping[str, OptionText]:
    """Return the metadata of an option's field; `more` holds further members of `OptionText`."""
    return {"text": OptionText(help, **more)}


def _time(text: str | None) -> int | None:
    try:
        return None if text is None else sources.parse_time(text)
    except ValueError as error:
        raise UsageError(f"--clock: {error}") from error


def _rate(value: object) -> int | None:
    """Return the requests a second that the text `15` or `15/s` says; a settings file may also say true or false."""
    text = "false" if value is None else str(value).lower()
    if text == "false":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,3})(?:/s)?", str(USUAL_LIMIT.requests) if text == "true" else text)
    if found is None:
        raise ValueError(
            f"{json.text(value)} is not a rate; write the number of requests a second, 1 to 9999, as 15 or 15/s"
        )
    return int(found[1])


def _size(value: object) -> int:
    """Return the bytes that a text such as `16MiB`, `500k` or `1048576` says.

    Raises:
        ValueError: it is none of these.
    """
    found = re.fullmatch(r"([0-9]{1,12})\s*(?:([kmg])(?:i?b)?|b)?", str(value).strip().lower())
    if found is None:
        raise ValueError(f"{json.text(str(value))} is not a size; write bytes, or a size such as 500KiB, 16MiB or 2GiB")
    return int(found[1]) << _SHIFTS[found[2]]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)  # no two are compared, and the control token is not shown
class StubOptions:
    """Options of a stub: the keyword arguments of `create_app`, also options of `serve`."""

    contract: Contract | Path | str | None = field(
        default=None, kw_only=False, metadata=option_text(keyword="The contract or its file; None for that of the API.")
    )
    api: Plugin | str | None = field(
        default=None,
        metadata=option_text(
            keyword="The API that is served, or its name; None for the one that the contract names "
            "(`x-mockserver-api`), and without a contract for the built-in one."
        ),
    )
    host: str = field(
        default="127.0.0.1",
        metadata=option_text(
            "Address to listen on.",
            metavar="ADDRESS",
            more="Off loopback the control API is closed unless there is a control token.",
            group="Address",
        ),
    )
    state: str = field(
        default="memory",
        metadata=option_text(
            "Where state is kept: memory, or sqlite:///FILE.",
            more="An absolute path has four slashes before it.",
            metavar="URL",
            group="State",
        ),
    )
    seed_data: Seed | Path | str | None = field(
        default=None,
        metadata=option_text(
            "Accounts and items that a new store starts with (YAML).",
            keyword="Seed data of fresh worlds, or their file; None for those of the API with its own contract, "
            "for none with any other.",
            default="a small company with the built-in contract, else none",
            page="seed-data.md",
            is_file=True,
            group="State",
        ),
    )
    empty: bool = field(
        default=False,
        metadata=option_text(
            "Start without seed data, except for one account that may do everything.",
            more="It is the first account of the highest level.",
            page="seed-data.md#nothing-but-one-account",
            group="State",
        ),
    )
    seed: int = field(
        default=0,
        metadata=option_text("Seed of generated content and generated secrets.", group="State"),
    )
    clock: int | None = field(
        default=None,
        metadata=option_text(
            "Stop the clock at this time: UNIX seconds or a date-time.",
            keyword="UNIX time in seconds at which the clock is stopped; None for the wall clock.",
            default="the wall clock",
            metavar="TIME",
            read=_time,
            group="State",
        ),
    )
    transition_seconds: float = field(
        default=0.0,
        metadata=option_text(
            "Seconds that the statuses `applying` and `deleting` last, on the stub's clock.",
            least=0,
            metavar="SECONDS",
            group="State",
        ),
    )
    no_state: bool = field(
        default=False,
        metadata=option_text(
            "Infer no state: respond with examples where the contract names no behaviour.",
            page="stub.md#inferred-state",
            group="State",
        ),
    )
    strict: bool = field(
        default=False,
        metadata=option_text(
            "Refuse readOnly members, and True, False, 1 and 0 for truth values.",
            more="Without it these are taken, and readOnly members ignored.",
            page="stub.md#requests",
            group="Responses",
        ),
    )
    behaviours: Mapping[str, Handler] | None = field(
        default=None,
        metadata=option_text(
            "Python module with behaviours for operations.",
            keyword="Python behaviours by `operationId`.",
            page="stub.md#python-behaviours",
            metavar="MODULE",
            group="State",
        ),
    )
    dynamic: bool = field(
        default=False,
        metadata=option_text(
            "Generate response content from the schema even where the contract has examples.", group="Responses"
        ),
    )
    errors: bool = field(
        default=False,
        metadata=option_text(
            "Respond 500 where an example or the stub's own response breaks its schema.",
            more="Without it log and journal say so.",
            group="Responses",
        ),
    )
    no_auth: bool = field(
        default=False,
        metadata=option_text(
            "Ask for no credentials.", more="Every caller is the highest-level account.", group="Responses"
        ),
    )
    no_cors: bool = field(
        default=False,
        metadata=option_text(
            "Send no CORS fields, so that web pages of other origins cannot read responses.",
            page="stub.md#responses-of-any-contract",
            group="Responses",
        ),
    )
    allow_callbacks: Sequence[str] = field(
        default=(),
        metadata=option_text(
            "Send the contract's callbacks to this host.",
            keyword="Hosts that callbacks are sent to, each `HOST` or `HOST:PORT`.",
            metavar="HOST[:PORT]",
            group="Responses",
        ),
    )
    rate_limit: RateLimit | int | None = field(
        default=None,
        metadata=option_text(
            "Respond 429 to more than N requests a second from one address; 20 if N is left out.  [default: no limit]",
            more="Also `true` or `false` in a settings file.",
            keyword="Requests a second that one address may make, or a limit with its bans; None for no limit.",
            default="no limit",
            page="stub.md#rate-limit",
            metavar="[N]",
            bare=str(USUAL_LIMIT.requests),
            read=_rate,
            group="Responses",
        ),
    )
    max_body: int = field(
        default=USUAL_MAX_BODY,
        metadata=option_text(
            "Respond 413 to content of requests that is longer, such as 500KiB or 1GiB.",
            more="Beyond a megabyte it waits in a temporary file until all of it is there.",
            keyword="Bytes that the content of a request may have, decoded.",
            default="16MiB",
            page="stub.md#requests",
            metavar="SIZE",
            read=_size,
            group="Responses",
        ),
    )
    stream_interval: float = field(
        default=0.0,
        metadata=option_text(
            "Seconds between two items of a stream, such as events.",
            keyword="Seconds between two items of a stream, such as events.",
            page="stub.md#streams",
            least=0,
            metavar="SECONDS",
            group="Responses",
        ),
    )
    control_token: str | None = field(
        default=None,
        metadata=option_text(
            "Bearer token that the control API asks for; opens the control API off loopback.",
            metavar="TOKEN",
            group="Control API and log",
        ),
    )
    log: TextIO | None = field(
        default=None, metadata=option_text(keyword="Stream for one line per request; None for no log.")
    )
    log_format: str = field(
        default="text",
        metadata=option_text("Format of the log.", choices=("text", "json"), group="Control API and log"),
    )


def takes(options: Callable[Keywords, Options]) -> Callable[[Callable[[Options], Made]], Callable[Keywords, Made]]:
    """Return a decorator: a function that takes an options object then takes each option as a keyword argument."""

    def decorate(make: Callable[[Options], Made]) -> Callable[Keywords, Made]:
        def factory(*args: Keywords.args, **named: Keywords.kwargs) -> Made:
            return make(options(*args, **named))

        factory.__name__ = factory.__qualname__ = make.__name__
        factory.__module__ = make.__module__
        factory.__doc__ = inspect.cleandoc(make.__doc__ or "").replace("Raises:", f"{_described(options)}\n\nRaises:")
        vars(factory)["__signature__"] = inspect.signature(options).replace(
            return_annotation=inspect.signature(make).return_annotation
        )
        return factory

    return decorate


def _described(options: Any) -> str:
    """Return the `Args:` section of a docstring, which describes all options."""
    lines = []
    for one in fields(options):
        text = text_of_option(one)
        lines.append(f"    {one.name}: {text.keyword or ' '.join(filter(None, (text.help, text.more)))}")
    return "\n".join(["Args:", *lines])
