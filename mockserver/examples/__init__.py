"""Which content: the examples of the contract, and the requests that return them."""
