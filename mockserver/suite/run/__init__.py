"""One run: options, plan, session, progress, and its parts."""
