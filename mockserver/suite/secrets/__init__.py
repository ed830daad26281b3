"""Secrets: known, masked, and found where they leak."""
