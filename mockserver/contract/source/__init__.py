"""Files and URLs to one document: YAML or JSON, several files, overlays, OpenAPI 2.0."""
