"""Loading a contract: one document from YAML or JSON files and URLs, overlays and OpenAPI 2.0."""
