"""The options of a stub, each written once: name, type, default, and what help and documentation say of it.

::

    --name, MOCKSERVER_NAME, settings file ── ServeOptions ─┐
    create_app(name=...) ──────────────────── StubOptions ──┴── app.py ── stages, worker processes

A new option is a field here; `commands/options.py` makes the flag of it, and `create_app` its keyword argument.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TextIO, TypeVar

from mockserver import sources
from mockserver.errors import UsageError

if TYPE_CHECKING:
    from mockserver.contract.model import Contract
    from mockserver.stub.behaviour.calls import Handler
    from mockserver.stub.serving.rate_limit import RateLimit
    from mockserver.stub.store.seed import Seed

Keywords = ParamSpec("Keywords")
Options = TypeVar("Options")
Made = TypeVar("Made")
#: What the documentation of the built-in contract's API allows at most.
_DOCUMENTED_RATE = "20"


@dataclass(frozen=True, slots=True)
class Text:
    """How a person meets an option.

    Attributes:
        help: what `--help` says of it, "" for an option without a flag.
        more: what the documentation adds.
        keyword: what `create_app` takes, where that is more than a flag can say.
        default: what the documentation gives as default, where it is not the field's.
        page: where the documentation says more, below `docs/`.
        metavar: what stands for the value.
        least: the lowest number.
        most: the highest number.
        choices: the texts to choose from, for any text none.
        is_file: whether the value is a path.
        bare: the value of the flag alone.
        read: gives the value of a text, or of None; raises ValueError.
        after: the option behind which help lists it, that of a base class.
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
    after: str = ""


def text_of(option: Field[Any]) -> Text:
    """Return how a person meets an option."""
    text: Text = option.metadata["text"]
    return text


def _told(help: str = "", **more: Any) -> Mapping[str, Text]:
    return {"text": Text(help, **more)}


def _time(text: str | None) -> int | None:
    try:
        return None if text is None else sources.parse_time(text)
    except ValueError as error:
        raise UsageError(f"--clock: {error}") from error


def _rate(value: object) -> int | None:
    """Return the number of `15` or, as check and fuzz take it, `15/s`; a settings file may also say true or false."""
    text = "false" if value is None else str(value).lower()
    if text == "false":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,3})(?:/s)?", _DOCUMENTED_RATE if text == "true" else text)
    if found is None:
        raise ValueError(f"{value!r} is not a rate; write requests a second, 1 to 9999, as 15 or 15/s")
    return int(found[1])


@dataclass(frozen=True, kw_only=True)
class StubOptions:
    """How a stub answers: the keyword arguments of `create_app`, all of them options of `serve`, too."""

    contract: Contract | Path | str | None = field(
        default=None, kw_only=False, metadata=_told(keyword="The contract or its file; None for the built-in one.")
    )
    host: str = field(
        default="127.0.0.1",
        metadata=_told("Address to listen on.", more="Off loopback the control API is closed without a control token."),
    )
    state: str = field(
        default="memory",
        metadata=_told(
            "Where state is kept: memory, or sqlite:///FILE.", more="Four slashes stand before an absolute path."
        ),
    )
    seed_data: Seed | Path | str | None = field(
        default=None,
        metadata=_told(
            "What a new store starts with: accounts, domains and so on (YAML).",
            keyword="Seed data of fresh worlds, or their file; None for the built-in ones with the built-in contract, "
            "for none with any other.",
            default="a small company with the built-in contract, else none",
            page="seed-data.md",
            is_file=True,
        ),
    )
    empty: bool = field(
        default=False,
        metadata=_told(
            "Start without seed data, but for one account that may do everything.",
            more="It is the first account of the highest level.",
            page="seed-data.md#nothing-but-one-account",
        ),
    )
    seed: int = field(
        default=0,
        metadata=_told("Number that made-up secrets follow from.", more="So does generated content."),
    )
    clock: int | None = field(
        default=None,
        metadata=_told(
            "Let the clock stand at this time: UNIX seconds or a date-time.",
            keyword="UNIX time in seconds at which the clock stands; None for the wall clock.",
            default="the wall clock",
            read=_time,
        ),
    )
    transition_seconds: float = field(
        default=0.0,
        metadata=_told("How long `applying` and `deleting` last, on the stub's clock.", least=0),
    )
    dynamic: bool = field(default=False, metadata=_told("Generate content where the contract has examples, too."))
    errors: bool = field(
        default=False,
        metadata=_told(
            "Answer 500 where an example or the stub's answer breaks its schema.",
            more="Without it log and journal say so.",
        ),
    )
    no_state: bool = field(
        default=False,
        metadata=_told(
            "Infer no state: answer examples where the contract names no behaviour.", page="stub.md#state-nobody-wrote"
        ),
    )
    behaviours: Mapping[str, Handler] | str | None = field(
        default=None,
        metadata=_told(
            "Python module with behaviours for operations.",
            keyword="Python behaviours by `operationId`, or the module that has them.",
            page="stub.md#python-behaviours",
            metavar="MODULE",
        ),
    )
    no_cors: bool = field(
        default=False,
        metadata=_told("Let no web page of another origin read the answers.", page="stub.md#answers-of-any-contract"),
    )
    allow_callbacks: Sequence[str] = field(
        default=(),
        metadata=_told(
            "Send callbacks to this host; may be repeated.",
            keyword="Hosts that callbacks are sent to, each `HOST` or `HOST:PORT`.",
            metavar="HOST[:PORT]",
        ),
    )
    rate_limit: RateLimit | int | None = field(
        default=None,
        metadata=_told(
            "Let in N requests a second of one address, 20 if no N is given.  [default: no limit]",
            more="Also `true` or `false` in a settings file.",
            keyword="Requests a second that one address may make, or all that says of bans; None for no limit.",
            default="no limit",
            page="stub.md#rate-limit",
            metavar="[N]",
            bare=_DOCUMENTED_RATE,
            read=_rate,
        ),
    )
    no_auth: bool = field(
        default=False,
        metadata=_told("Ask for no credentials.", more="Everybody is the highest-level account."),
    )
    control_token: str | None = field(
        default=None,
        metadata=_told("Bearer token that the control API asks for; opens it off loopback."),
    )
    log: TextIO | None = field(
        default=None, metadata=_told(keyword="Stream for one line per request; None for no log.")
    )
    log_format: str = field(default="text", metadata=_told("Form of the log.", choices=("text", "json")))


@dataclass(frozen=True, kw_only=True)
class ServeOptions(StubOptions):
    """All options of `mockserver serve`: those of the stub, and of the processes that serve it.

    Raises:
        UsageError: two of them contradict each other.
    """

    overlay: Sequence[Path] = field(default=(), metadata=_told(after="contract"))
    port: int = field(default=8080, metadata=_told("Port; 0 takes a free one.", after="host", least=0, most=65535))
    workers: int = field(default=1, metadata=_told("Processes; need a shared --state.", after="port", least=1, most=64))
    ban_after: int = field(
        default=3,
        metadata=_told(
            "With --rate-limit: crossings of it that end in a ban; 0 for no ban.",
            after="rate_limit",
            least=0,
            most=1000,
        ),
    )
    ban_seconds: int = field(
        default=3600,
        metadata=_told(
            "With --rate-limit: how long a ban lasts, on the stub's clock.", after="ban_after", least=1, most=10**9
        ),
    )
    tls: bool = field(
        default=False,
        metadata=_told(
            "Serve https with a self-signed certificate.",
            more="The path of the certificate is printed.",
            after="no_auth",
        ),
    )
    cert: Path | None = field(
        default=None, metadata=_told("Serve https with this certificate (PEM).", after="tls", is_file=True)
    )
    key: Path | None = field(default=None, metadata=_told("Key of --cert (PEM).", after="cert", is_file=True))

    def __post_init__(self) -> None:
        if not math.isfinite(self.transition_seconds):
            raise UsageError(f"--transition-seconds {self.transition_seconds}: must be a number of seconds")
        if self.workers > 1 and self.state == "memory":
            raise UsageError("--workers above 1 need a store that processes share: --state sqlite:///FILE")
        if self.tls and (self.cert or self.key):
            raise UsageError("--tls makes its own certificate; leave --cert and --key out, or --tls")
        if (self.cert is None) != (self.key is None):
            raise UsageError("--cert and --key belong together; one of them is missing")
        if self.control_token is not None and len(self.control_token) < 8:
            raise UsageError("--control-token must have at least 8 characters")


def listed(options: type[Any]) -> list[Field[Any]]:
    """Return the options of a dataclass in the order in which help lists them."""
    found: list[Field[Any]] = []
    for one in fields(options):
        names = [other.name for other in found]
        found.insert(names.index(text_of(one).after) + 1 if text_of(one).after else len(found), one)
    return found


def takes(options: Callable[Keywords, Options]) -> Callable[[Callable[[Options], Made]], Callable[Keywords, Made]]:
    """Return a decorator: a function of options becomes one of their fields, typed and documented as those are."""

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
    """Return the section of a docstring that describes the arguments."""
    lines = []
    for one in fields(options):
        text = text_of(one)
        lines.append(f"    {one.name}: {text.keyword or ' '.join(filter(None, (text.help, text.more)))}")
    return "\n".join(["Args:", *lines])
