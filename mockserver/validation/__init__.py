"""Is the request as promised? Parameters and content, decoded once and validated."""
