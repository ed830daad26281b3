"""Self-test of the suite: the stub is broken in one way at a time, and the suite has to notice (docs/self-test.md)."""
