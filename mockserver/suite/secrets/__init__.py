"""Secrets of a run: registered, masked in output, and searched for in responses."""
