"""APIs that come with the package."""
