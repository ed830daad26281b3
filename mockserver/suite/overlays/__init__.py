"""From drift to an OpenAPI Overlay: what was assumed is replaced by what was seen."""
