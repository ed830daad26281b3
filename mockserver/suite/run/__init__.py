"""Run of `check` or `fuzz`: options, plan, session, progress and lifecycle."""
