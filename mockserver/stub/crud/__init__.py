"""Create, read, update and delete: the state of collections and items whose behaviour is inferred from the contract."""
