"""Identities: the accounts that a run calls as, and their credentials."""
