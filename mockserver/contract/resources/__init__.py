"""Resources of a contract, told from its paths, methods and schemas."""
