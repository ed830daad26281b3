"""Validation of requests: parameters and content are decoded once and validated against the contract."""
