"""Collections and items: created, listed, read, changed and deleted."""
