"""Resources of a contract (collections, items, singletons), inferred from its paths, methods and schemas."""
