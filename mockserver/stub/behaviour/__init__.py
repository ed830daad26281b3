"""Behaviours: what calls of an operation do to the state, in Python or by handlers that contracts name."""
