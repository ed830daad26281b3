"""Checks of what the standards of HTTP ask of any server: streams, header fields, methods, parallel requests."""
