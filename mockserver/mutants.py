"""Former name of `python -m mockserver.selftest`, kept for scripts that start it."""

from __future__ import annotations

import warnings

from mockserver.selftest.__main__ import run

if __name__ == "__main__":
    warnings.warn("python -m mockserver.mutants is python -m mockserver.selftest now", FutureWarning, stacklevel=1)
    run()
