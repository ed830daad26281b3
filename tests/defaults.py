"""Contract and seed data of the built-in API, as commands find them that name no other."""

from __future__ import annotations

from mockserver.plugins import DEFAULT, find

CONTRACT = find(DEFAULT).contract
_SEED_DATA = find(DEFAULT).seed_data
assert _SEED_DATA is not None
SEED_DATA = _SEED_DATA
