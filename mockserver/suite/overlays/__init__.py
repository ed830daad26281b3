"""Overlays from drift: OpenAPI Overlays that replace what a contract assumed by what was observed."""
