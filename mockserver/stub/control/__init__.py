"""The control API below `/__mock__/`, and what it shows."""
