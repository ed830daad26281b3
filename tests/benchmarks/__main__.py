"""The benchmarks, one command: `python -m tests.benchmarks` (docs/benchmarks.md)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.benchmarks import fuzz, kill, prism, resources, soak, startup, throughput
from tests.benchmarks.requests import ROUTES


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen benchmark and return the exit code: 1 where a figure misses its aim."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--startup", action="store_true", help="process start to first 2xx, against Flask")
    kinds.add_argument("--soak", type=int, metavar="N", help="N mixed requests, valid and hostile")
    kinds.add_argument("--kill", type=int, metavar="N", help="kill -9 during parallel writers, N times")
    kinds.add_argument("--fuzz", action="store_true", help="generated cases a second, beside `schemathesis run`")
    kinds.add_argument("--prism", type=Path, metavar="CONTRACT", help="first 2xx and memory, beside Prism (npm)")
    kinds.add_argument("--resources", action="store_true", help="one route of 5,000 operations, beside one of 50")
    parser.add_argument("--route", choices=list(ROUTES), help="measure this route alone (default: all of them)")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, help="load in each round (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=32, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of generated requests (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="of the server that is killed (default: 1)")
    chosen = parser.parse_args(arguments)
    if chosen.startup:
        met = startup.report(chosen.rounds)
    elif chosen.prism:
        met = prism.report(chosen.prism, chosen.rounds)
    elif chosen.resources:
        met = resources.report(chosen.rounds, chosen.seconds, chosen.connections)
    elif chosen.soak:
        met = soak.report(chosen.soak, chosen.connections, chosen.seed)
    elif chosen.fuzz:
        met = fuzz.report(chosen.rounds, chosen.seed)
    elif chosen.kill:
        met = kill.report(chosen.kill, chosen.workers)
    else:
        names = [chosen.route] if chosen.route else list(ROUTES)
        reached = [throughput.report(name, chosen.rounds, chosen.seconds, chosen.connections) for name in names]
        met = all(reached)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
