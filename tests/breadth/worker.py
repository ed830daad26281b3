"""One document, or a part of its operations, in a process of its own: a JSON line for each operation on stdout."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.breadth.asking import Asking
from tests.breadth.contracts import RawDocument, RawOperation
from tests.breadth.judging import Verdict, judge
from tests.breadth.servers import DoesNotStartError, Send, in_process, served

_RESET = "http://127.0.0.1/__mock__/reset"
_ANSWER_SECONDS = 10
_GENERATION_SECONDS = 30


class _TooSlowError(Exception):
    """The time-out of a step has run out."""


def main() -> None:
    """Ask and judge the operations from one index to another, and write what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--start", type=int, required=True)
    parser.add_argument("--stop", type=int, required=True)
    parser.add_argument("--process", action="store_true")
    parser.add_argument("--one-world", action="store_true")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    document = RawDocument(chosen.path)
    asking = Asking(document)
    operations = list(document.operations())[chosen.start : chosen.stop]
    started = time.monotonic()
    try:
        with (served if chosen.process else in_process)(chosen.path) as send:
            _write({"started": time.monotonic() - started})
            for operation in operations:
                _write({"asking": operation.label})
                if not chosen.one_world:
                    send(requests.Request("POST", _RESET).prepare())  # what another operation deleted is no matter
                _write(_ask(document, asking, operation, send))
    except DoesNotStartError as refusal:
        _write({"refused": str(refusal)})


def _ask(document: RawDocument, asking: Asking, operation: RawOperation, send: Send) -> dict[str, Any]:
    """Return what is found of one operation."""
    note = ""
    try:
        with _limited(_GENERATION_SECONDS):
            request = asking.generated(operation)
    except Exception as error:  # noqa: BLE001 - whatever it is, the operation must be asked all the same
        note = f"{type(error).__name__}: {str(error)[:200]}"
        try:
            request = asking.by_hand(operation)
        except Exception as second:  # noqa: BLE001 - as above
            return _found(operation, Verdict("wrong", f"no request can be made: {second!r} after {note}"))
    sent = f"{request.method} {request.url} {str(request.body or '')[:300]}"
    try:
        with _limited(_ANSWER_SECONDS):
            answer = send(request)
    except _TooSlowError:
        return _found(operation, Verdict("wrong", f"no answer within {_ANSWER_SECONDS} seconds"), note, sent)
    except Exception as error:  # noqa: BLE001 - a crash is an answer, too, and a bad one
        return _found(operation, Verdict("wrong", f"crash: {error!r}"), note, sent)
    try:
        with _limited(_GENERATION_SECONDS):
            verdict = judge(document, operation, answer)
    except Exception as error:  # noqa: BLE001 - what cannot be judged is not right, and is told
        verdict = Verdict("wrong", f"cannot be judged: {error!r}"[:300])
    return _found(operation, verdict, note, sent, answer.status)


def _found(
    operation: RawOperation, verdict: Verdict, note: str = "", sent: str = "", status: int | None = None
) -> dict[str, Any]:
    return {
        "operation": operation.label,
        "kind": verdict.kind,
        "why": verdict.why,
        "status": status,
        "by_hand": note,
        "sent": sent,
    }


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        raise _TooSlowError(f"longer than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _write(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
