"""`python -m mockserver.selftest`: serve all mutants of a contract on one port until SIGTERM."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from mockserver.errors import MockServerError
from mockserver.plugins.discovery import find, load, own_seed_data
from mockserver.selftest.mutant_server import MutantServer
from mockserver.selftest.registry import all_mutants
from mockserver.stub.serving import server
from mockserver.stub.store.seed import Seed, load_seed
from mockserver.stub.stub_options import USUAL_MAX_BODY


def main() -> None:
    """Serve all mutants; print one line with URL and process number when the port accepts connections.

    Raises:
        MockServerError: the contract or the port cannot be used.
    """
    parser = argparse.ArgumentParser(prog="python -m mockserver.selftest", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--contract", type=Path)
    parser.add_argument("--api")
    parser.add_argument("--overlay", type=Path, action="append", default=[])
    parser.add_argument("--seed-data", type=Path)
    options = parser.parse_args()
    contract = load(options.contract, options.api, options.overlay)
    api = find(contract.api) if contract.api else None
    seed_file = options.seed_data or own_seed_data(options.contract, options.api)
    seed = load_seed(seed_file, api) if seed_file is not None else Seed()
    mutants = tuple(all_mutants(contract, seed.accounts))
    token = os.environ.get("MOCKSERVER_CONTROL_TOKEN")
    listening = server.listen_on("127.0.0.1", options.port)
    url = server.base_url_of(listening, tls=False)

    def on_ready() -> None:
        sys.stdout.write(f"mockserver: serving {len(mutants)} mutants on {url} (process {os.getpid()})\n")
        sys.stdout.flush()

    def make() -> MutantServer:
        return MutantServer(contract, seed, mutants, token)

    server.serve(make, listening, workers=1, max_content=USUAL_MAX_BODY, certificate=None, on_ready=on_ready)
    sys.stderr.flush()
    os._exit(0)  # a thread that still works on a response must not delay the end


def run() -> None:
    """Serve all mutants until the process is ended; exit with a one-line message on an error."""
    try:
        main()
    except MockServerError as error:
        sys.exit(f"mockserver: {error}")


if __name__ == "__main__":
    run()
