from __future__ import annotations

import base64
import logging
import sys
import threading
from contextlib import suppress

import pytest

from mockserver.errors import ContractError, InternalError, MockServerError, UsageError
from mockserver.suite.secrets.output_filter import OutputFilter, filtered_output

SECRET = "7Hp5jQ3GMNyLuwkAlDb3"


@pytest.fixture
def redact() -> OutputFilter:
    known = OutputFilter()
    known.secrets.add("ADMIN_TOKEN", SECRET)
    known.secrets.add("PIN", "1234")
    return known


def test_nothing_is_printed_in_which_a_secret_stands(redact: OutputFilter, capsys: pytest.CaptureFixture[str]) -> None:
    with filtered_output(redact):
        sys.stdout.write(f"out {SECRET[:5]}")
        sys.stdout.write(f"{SECRET[5:]} {base64.b64encode(SECRET.encode()).decode()}\n")
        sys.stderr.write(f"error {SECRET}")
    out, err = capsys.readouterr()
    assert out == "out $ADMIN_TOKEN $ADMIN_TOKEN=\n"
    assert err == "error $ADMIN_TOKEN"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_neither_by_libraries(redact: OutputFilter, capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("elsewhere")  # has no handler but the last resort
    with filtered_output(redact):
        logger.warning("retry of /?token=%s", SECRET)
        threading.excepthook, hook = threading.__excepthook__, threading.excepthook
        try:
            thread = threading.Thread(target=lambda: int(SECRET))
            thread.start()
            thread.join()
        finally:
            threading.excepthook = hook
    err = capsys.readouterr().err
    assert SECRET not in err
    assert err.count("$ADMIN_TOKEN") == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ContractError(f"line 1: {SECRET}, pin 1234"), r"^line 1: \$ADMIN_TOKEN, pin \$PIN$"),
        (RuntimeError(f"a\nb {SECRET}"), r"^an error of mockserver itself: RuntimeError: a b \$ADMIN_TOKEN; please"),
        (UsageError("--x: no"), "^--x: no$"),
    ],
)
def test_errors_are_one_line_without_secrets(redact: OutputFilter, error: Exception, told: str) -> None:
    wanted = type(error) if isinstance(error, MockServerError) else InternalError
    with pytest.raises(wanted, match=told), filtered_output(redact):
        raise error


def test_a_mistake_of_ours_says_where_it_was_made(redact: OutputFilter) -> None:
    with (
        pytest.raises(InternalError, match=r"at mockserver/suite/secrets/output_filter\.py:\d+: TypeError"),
        filtered_output(redact),
    ):
        sys.stdout.write(b"bytes")  # type: ignore[arg-type]  # the mistake


def test_the_streams_are_put_back(redact: OutputFilter) -> None:
    before = sys.stdout, sys.stderr
    with suppress(KeyboardInterrupt), filtered_output(redact):
        assert sys.stdout is not before[0]
        raise KeyboardInterrupt
    assert (sys.stdout, sys.stderr) == before
