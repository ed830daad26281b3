"""Mutable state: stores, worlds, and the seed data that they start from."""
