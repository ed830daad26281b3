"""Requests that checks send, and what they read in responses."""
