"""State of a server: items that the run creates, what they must show, and the checks of that."""
