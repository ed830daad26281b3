"""The checks, by theme: each one function, named after its claim (docs/suite.md lists them all)."""
