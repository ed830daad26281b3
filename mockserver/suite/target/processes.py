"""Processes that the suite starts: told what to do in one line, ended with whoever started them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any


def start(module: str, spec: Mapping[str, Any]) -> subprocess.Popen[str]:
    """Return a process that runs a module of ours, with a specification as the first line of its standard input.

    That stays open: its end tells the process that nobody waits for it any more. Ctrl-C does not reach it, for it has a
    session of its own.
    """
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(spec, default=str) + "\n")
    process.stdin.flush()
    return process


def end(process: subprocess.Popen[str], seconds: float) -> None:
    """End a process, by force if it takes longer than so many seconds, and close its streams."""
    try:
        if process.poll() is None:
            process.terminate()
            process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def last_words(process: subprocess.Popen[str]) -> str:
    """Return what a process that has ended wrote last to its standard error, for a message."""
    assert process.stderr is not None
    return " / ".join(process.stderr.read().strip().splitlines()[-2:]) or "without a word"
