"""The control API of the stub below `/__mock__/`: journal, state, clock, reset and a reference page."""
