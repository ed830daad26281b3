"""APIs that come with the mockserver package, each found by its entry point."""
