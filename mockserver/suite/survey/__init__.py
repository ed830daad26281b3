"""The survey: one valid call of each operation, the identifiers that responses show, and what succeeded."""
