"""Formats of content that have more to them than a media type: sequences of items."""
