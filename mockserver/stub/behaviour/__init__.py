"""Behaviours: what a call does, and what it is given for that."""
