"""The commands of `mockserver`, a module each."""
