"""Contract: an OpenAPI document, parsed once into frozen values, with its schemas compiled on first use."""
