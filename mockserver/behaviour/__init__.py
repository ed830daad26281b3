"""What happens: the state of each world and what calls do to it."""
