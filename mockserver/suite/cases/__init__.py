"""Requests that checks send, and the parsed responses that checks judge."""
