"""Mutants of the stub, a module a kind of fault."""
