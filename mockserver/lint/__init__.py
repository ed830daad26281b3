"""Linter of contracts, for `mockserver lint`."""
