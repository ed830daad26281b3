"""The API under test, and what goes over the wire."""
