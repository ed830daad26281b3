"""Mutants of the stub: one module for each theme of faults."""
