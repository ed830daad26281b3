"""The checks, grouped by theme: one function for each, named like the check (docs/suite.md lists all of them)."""
