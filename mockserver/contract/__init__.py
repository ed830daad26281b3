"""What is promised: an OpenAPI document, read once and compiled operation by operation."""
