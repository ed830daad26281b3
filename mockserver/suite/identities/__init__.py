"""Who calls, and with which credentials."""
