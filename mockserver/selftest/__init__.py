"""Contract-breaking mutants of the stub, made from the contract: what the suite must find (docs/self-test.md)."""
