"""Checks of contents: values within the bounds are accepted, and come back as they were sent."""
