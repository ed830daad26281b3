"""State of the stub: stores, worlds, and the seed data that worlds start from."""
