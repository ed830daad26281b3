"""Requests as promised? Parameters and content, decoded once and validated."""
